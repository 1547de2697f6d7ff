"""``wuqu keys``: who may use the service, and as what.

The file of the keys is that of the service (``WUQU_KEYS``); running workers notice a change with
their next request. A new key goes to stdout and to nowhere else.
"""

from __future__ import annotations

import getpass
import importlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import FormatOption, Output, as_json, day_given, stderr, stdout

if TYPE_CHECKING:
    from rich.table import Table

keys_app = typer.Typer(help="服务的访问密钥：制作、列出、更换、吊销。", no_args_is_help=True)

_STATES = {"active": "有效", "expired": "已到期", "revoked": "已吊销"}
_ONCE = "密钥只显示这一次，请立即妥善保存；服务只保存它的哈希值，无法再取得"


class RoleName(StrEnum):
    """The roles; the test of the command compares them with those of the service."""

    monitor = "monitor"
    viewer = "viewer"
    clerk = "clerk"
    reviewer = "reviewer"
    admin = "admin"


NameArgument = Annotated[str, typer.Argument(help="密钥名称，如“窗口一”。")]


@keys_app.command("add")
def keys_add(
    name: NameArgument,
    role: Annotated[
        RoleName,
        typer.Option(
            help="viewer 查看、clerk 经办、reviewer 审核、admin 管理，后者包括前者；"
            "monitor 监控，只能读 /metrics。"
        ),
    ],
    office: Annotated[str, typer.Option(help="科室：同一科室的密钥看到彼此的记录。")] = "",
    expires: Annotated[
        str | None, typer.Option(help="最后一个有效日，形如 2027-12-31（默认：不到期）。")
    ] = None,
    output: FormatOption = Output.text,
) -> None:
    """制作一个密钥。"""
    day = day_given(expires, "到期日")
    store, roles = _store(), _access("roles")
    key, text = store.add(name, roles.Role(role.value), office=office, expires_on=day)
    _note("keys add", key)
    _show_new(key, text, output)


@keys_app.command("list")
def keys_list(output: FormatOption = Output.text) -> None:
    """列出全部密钥，包括已到期和已吊销的；不显示密钥本身。"""
    rows = [_shown(key) for key in _store().all()]
    if output is Output.json:
        return typer.echo(as_json({"keys": rows}))
    if not rows:
        return stderr().print("还没有密钥；用 wuqu keys add 名称 --role 角色 制作")
    return stdout().print(_table(rows))


@keys_app.command("rotate")
def keys_rotate(
    name: NameArgument,
    grace: Annotated[float, typer.Option(help="旧密钥还有效的小时数。")] = 0.0,
    output: FormatOption = Output.text,
) -> None:
    """更换一个密钥；名称、角色和记录不变，登录状态结束。"""
    key, text = _store().rotate(name, grace_hours=grace)
    _note("keys rotate", key)
    _show_new(key, text, output)


@keys_app.command("revoke")
def keys_revoke(name: NameArgument, output: FormatOption = Output.text) -> None:
    """吊销一个密钥：立即生效，不能恢复。"""
    key = _store().revoke(name)
    _note("keys revoke", key)
    if output is Output.json:
        return typer.echo(as_json(_shown(key)))
    return stderr().print(f"已吊销：{key.name}", markup=False)


# --- what the commands share ---------------------------------------------------------------------


def _access(module: str) -> Any:
    # By name, because the service stands above the toolkit and is never imported by it.
    return importlib.import_module(f"api.access.{module}")


def _settings() -> Any:
    return importlib.import_module("api.settings").settings()


def _store() -> Any:
    return _access("keys").KeyStore(_settings().key_file)


def _note(what: str, key: Any) -> None:
    """Write who changed a key into the audit log, where there is one."""
    if (path := _settings().audit) is None:
        return
    row = {"who": getpass.getuser(), "kind": "command_line", "method": what}
    log = _access("audit").AuditLog(path)
    log.write({**row, "key_id": key.id, "key": key.name, "role": key.role.value, "result": "ok"})
    log.close()


def _shown(key: Any) -> dict[str, str]:
    return {**key.shown(datetime.now(UTC)), "role_label": key.role.label}


def _show_new(key: Any, text: str, output: Output) -> None:
    if output is Output.json:
        typer.echo(as_json({**_shown(key), "key": text}))
    else:
        # Nothing else on stdout, so that a script can keep it: wuqu keys add … > file.
        typer.echo(text)
    stderr().print(f"{key.name}（{key.role.label}）：{_ONCE}", markup=False)


def _table(rows: list[dict[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("名称", "角色", "科室", "状态", "到期日", "制作", "编号")
    for row in rows:
        state = _STATES[row["state"]]
        who = (row["name"], row["role_label"], row["office"] or "—")
        when = (row["expires_on"] or "—", row["created_at"][:10])
        table.add_row(*(Text(cell) for cell in (*who, state, *when, row["id"])))
    return table
