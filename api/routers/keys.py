"""Who is asking, and which keys are there? Keys are made, renewed and ended by administrators.

The text of a key is in one answer only, when it is made or renewed. While the service is open to
this machine without a key, keys are made by the command line alone: a page in somebody's browser
must not be able to lock them out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path
from starlette.concurrency import run_in_threadpool

from api import schemas_access as schemas
from api.access.errors import RoleError
from api.access.keys import Key
from api.answers import problems
from api.deps import KnownQuery, StateDep, VisitDep

router = APIRouter(prefix="/v1", tags=["访问"], dependencies=[KnownQuery])
Name = Annotated[str, Path(max_length=80, description="密钥名称", examples=["窗口一"])]


async def _key_needed(visit: VisitDep) -> None:
    if visit.caller.kind == "open":
        raise RoleError(
            "本机开放访问时，接口不管理密钥",
            expected="管理角色的密钥",
            advice="在服务器上用 wuqu keys add 制作第一个密钥",
        )


@router.get(
    "/me",
    response_model=schemas.CallerOut,
    responses=problems(422),
    summary="当前身份",
    description="本次请求所用密钥的名称、角色和科室；本机开放访问时 `kind` 为 `open`。",
)
async def get_me(visit: VisitDep) -> dict[str, str]:
    """Return who is asking."""
    caller = visit.caller
    return {
        "kind": caller.kind,
        "name": caller.name,
        "role": caller.role.value,
        "role_label": caller.role.label,
        "office": caller.office,
    }


@router.get(
    "/keys",
    response_model=schemas.KeysOut,
    responses=problems(422),
    dependencies=[Depends(_key_needed)],
    summary="密钥清单",
    description="全部密钥，包括到期和吊销的；不含密钥本身，服务也不保存密钥本身。",
)
async def list_keys(state: StateDep) -> dict[str, Any]:
    """Return all keys without their secrets."""
    keys = await run_in_threadpool(state.access.keys.all)
    return {"keys": [_shown(key) for key in keys]}


@router.post(
    "/keys",
    status_code=201,
    response_model=schemas.NewKeyOut,
    responses=problems(400, 413, 422),
    dependencies=[Depends(_key_needed)],
    summary="制作密钥",
    description="制作一个密钥。`key` 只在这次答复中出现，之后无法再取得。",
)
async def add_key(state: StateDep, wanted: Annotated[schemas.KeyIn, Body()]) -> dict[str, Any]:
    """Make a key."""
    make = partial(
        state.access.keys.add,
        wanted.name,
        wanted.role,
        office=wanted.office,
        expires_on=wanted.expires_on,
    )
    key, text = await run_in_threadpool(make)
    return {**_shown(key), "key": text}


@router.post(
    "/keys/{name}/rotate",
    response_model=schemas.NewKeyOut,
    responses=problems(400, 404, 413, 422),
    dependencies=[Depends(_key_needed)],
    summary="更换密钥",
    description="同一名称换新密钥；旧密钥立即失效，或在 grace_hours 小时后失效；登录状态结束。",
)
async def rotate_key(
    state: StateDep, name: Name, wanted: Annotated[schemas.RotateIn | None, Body()] = None
) -> dict[str, Any]:
    """Give a key a new secret."""
    grace_hours = wanted.grace_hours if wanted else 0.0
    change = partial(state.access.keys.rotate, name, grace_hours=grace_hours)
    key, text = await run_in_threadpool(change)
    return {**_shown(key), "key": text}


@router.delete(
    "/keys/{name}",
    response_model=schemas.KeyOut,
    responses=problems(404, 422),
    dependencies=[Depends(_key_needed)],
    summary="吊销密钥",
    description="立即吊销，所有进程同时生效，不能恢复；名称不能再用，因为记录和审计日志中有它。",
)
async def revoke_key(state: StateDep, name: Name) -> dict[str, str]:
    """End a key."""
    return _shown(await run_in_threadpool(state.access.keys.revoke, name))


def _shown(key: Key) -> dict[str, str]:
    return {**key.shown(datetime.now(UTC)), "role_label": key.role.label}
