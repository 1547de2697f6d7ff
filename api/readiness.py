"""Could the service answer now, and if not, which part fails?

Every part is tried, so that all reasons are told at once. It says what fails and never where: the
question is open to everybody.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from api.deps import State
from api.errors import NotReadyError
from gis.errors import Fault, StoreFullError, WuquError
from gis.model import LayerState

# A load balancer asks every few seconds and does not wait for long.
PATIENCE_S = 3.0
_LEAST_FREE_BYTES = 16 * 1024 * 1024


async def require_ready(state: State) -> None:
    """Raise NotReadyError that names every part that fails."""
    parts: dict[str, Callable[[State], Awaitable[None]]] = {
        "规划": _plan,
        "检测记录库": _records,
        "访问密钥": _keys,
        "审计日志": _audit,
    }
    faults = [
        Fault(name, reason)
        for name, part in parts.items()
        if (reason := await _reason(part(state)))
    ]
    if faults:
        raise NotReadyError(
            "；".join(f"{fault.where}：{fault.message}" for fault in faults),
            advice="由管理员处理后自动恢复",
            faults=faults,
        )


async def _reason(part: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await part
    except TimeoutError:
        return f"{PATIENCE_S:g} 秒内没有应答"
    except WuquError as error:
        return error.found
    return ""


async def _plan(state: State) -> None:
    """Refuse a plan none of whose layers can be read: it judges nothing."""
    if not any(layer.state is LayerState.CHECKED for layer in state.plan.layers.values()):
        raise NotReadyError("没有一个图层可用")


async def _records(state: State) -> None:
    if not state.settings.records:
        return
    await state.recorder.require_writable()
    file = state.store.address.file
    if file is not None:
        await run_in_threadpool(_require_room, file.parent)


def _require_room(folder: Path) -> None:
    # SQLite keeps room for its last page, so a disk is full for it only when it is too late.
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise StoreFullError("所在磁盘的可用空间不足 16 MB")


async def _keys(state: State) -> None:
    await run_in_threadpool(state.access.keys.is_configured)


async def _audit(state: State) -> None:
    if state.access.audit.fault:
        raise NotReadyError(f"无法写入（{state.access.audit.fault}）")
