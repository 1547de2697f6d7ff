"""``wuqu records …`` and ``wuqu verify``: the decision records at a terminal.

Exit codes and output as everywhere in the command line: ``verify`` ends with 3 when a record, or
what it rests on, is not what it was. Libraries are imported inside the commands.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import (
    FormatOption,
    Output,
    PlanOption,
    as_json,
    existing,
    open_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError, PlanError

if TYPE_CHECKING:
    from gis.output.records import RecordStore
    from gis.plan import Plan

records_app = typer.Typer(
    help="检测记录：查看、人工决定、导出、导入、备份、升级。", no_args_is_help=True
)
FAULTS = 3

DbOption = Annotated[
    str,
    typer.Option("--db", envvar="WUQU_DB", help="记录库：文件路径或数据库地址。", show_envvar=True),
]
DEFAULT_DB = "out/records.sqlite"
RecordArgument = Annotated[str, typer.Argument(help="记录编号，即检测结果的 id。")]


def verify(
    record: Annotated[str | None, typer.Argument(help="记录编号，即检测结果的 id。")] = None,
    every: Annotated[bool, typer.Option("--all", help="核对整条链上的全部记录。")] = False,
    again: Annotated[bool, typer.Option("--replay", help="与 --all 合用：逐条重算。")] = False,
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="与 --all 合用：以前记下的链尾，形如 17:校验值。"),
    ] = None,
    db: DbOption = DEFAULT_DB,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """核对检测记录：是否完好、结论重算是否相同，并指出变化之处。

    一致时退出码为 0，有差异或损坏时为 3。
    """
    if (record is None) == (not every):
        raise ClaimError(
            "没有写明核对哪条记录", expected="记录编号，或者 --all", advice="二者给出一个"
        )
    if (again or noted) and not every:
        raise ClaimError("--replay、--noted 要与 --all 合用", advice="核对单条记录时总会重算")
    end = _end_of(noted) if noted else None
    with opened(db) as store:
        if record is not None:
            _verify_one(store, record, plan, output)
        else:
            _verify_all(store, plan, output, end, again=again)


def _verify_one(store: RecordStore, record: str, plan: Path | None, output: Output) -> None:
    from gis.console.records import print_verification
    from gis.output.records.verify import verify_record

    cited = str(store.row(record)["plan_version"])
    found = verify_record(store, record, _plan_or_why_not(plan, cited))
    if output is Output.json:
        typer.echo(as_json(found.to_dict()))
    else:
        print_verification(stdout(), found)
    if not found.is_good:
        raise typer.Exit(FAULTS)


def _end_of(noted: str) -> tuple[int, str]:
    number, mark, seal = noted.partition(":")
    if not (mark and number.isascii() and number.isdigit() and re.fullmatch("[0-9a-f]{64}", seal)):
        raise ClaimError(
            f"--noted 为“{noted[:80]}”", expected="序号:校验值，如 wuqu verify --all 所列的链尾"
        )
    return int(number), seal


def _verify_all(
    store: RecordStore,
    plan: Path | None,
    output: Output,
    noted: tuple[int, str] | None,
    *,
    again: bool,
) -> None:
    from gis.console.records import print_audit
    from gis.output.records.audit import audit
    from gis.output.records.walk import count_of

    with progress() as bar:
        task = bar.add_task("核对哈希链", total=count_of(store))
        found = audit(store, noted=noted, each=lambda: bar.advance(task))
    differing = list(_replayed(store, plan)) if again else None
    document = found.to_dict() | ({} if differing is None else {"differing": differing})
    if output is Output.json:
        typer.echo(as_json(document))
    else:
        print_audit(stdout(), document)
    if not found.is_good or differing:
        raise typer.Exit(FAULTS)


def _replayed(store: RecordStore, plan: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the verification of every record that does not give the same decision again."""
    from gis.output.records.verify import verify_record
    from gis.output.records.walk import ids_in_order

    # Each version is opened once: on releases a record is judged by the one that it cites.
    versions = lru_cache(maxsize=8)(partial(_plan_or_why_not, plan))
    ids = ids_in_order(store)
    with progress() as bar:
        for record_id in bar.track(ids, description="逐条重算"):
            opened_plan = versions(str(store.row(record_id)["plan_version"]))
            found = verify_record(store, record_id, opened_plan)
            if not found.is_good:
                yield found.to_dict()


def _plan_or_why_not(path: Path | None, version: str) -> Plan | PlanError:
    """Return the plan, of releases the version that a record cites.

    Where it cannot be opened, why: the verification names that as a change.
    """
    from gis.plan.releases.folder import is_releases, root_of

    given = path or (Path(os.environ["WUQU_PLAN"]) if os.environ.get("WUQU_PLAN") else None)
    try:
        return open_plan(root_of(given, version) if given and is_releases(given) else path)
    except PlanError as error:
        return error


@records_app.command("list")
def records_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多列出几条。")] = 20,
    db: DbOption = DEFAULT_DB,
    output: FormatOption = Output.text,
) -> None:
    """列出最近的检测记录，新的在前。"""
    from dataclasses import asdict

    from gis.console.records import print_records

    with opened(db) as store:
        rows = [asdict(row) for row in store.recent(limit)]
    if output is Output.json:
        return typer.echo(as_json({"records": rows}))
    print_records(stdout(), rows)
    return None


@records_app.command("show")
def records_show(
    record: RecordArgument, db: DbOption = DEFAULT_DB, output: FormatOption = Output.text
) -> None:
    """显示一条记录：时间、校验值、版本和人工决定。"""
    from gis.console.records import print_record
    from gis.output.records.described import described

    with opened(db) as store:
        row = described(store.get(record), store.decisions(record))
    if output is Output.json:
        return typer.echo(as_json(row))
    print_record(stdout(), row)
    return None


@records_app.command("decide")
def records_decide(
    record: RecordArgument,
    verdict: Annotated[str, typer.Option(help="pass、conditional、undetermined 或 fail。")],
    office: Annotated[str, typer.Option(help="作出决定的机关（科室）。")],
    reason: Annotated[str, typer.Option(help="理由，一行文字。")],
    by: Annotated[str | None, typer.Option(help="经办人（默认：登录用户名）。")] = None,
    db: DbOption = DEFAULT_DB,
    output: FormatOption = Output.text,
) -> None:
    """在检测结论旁记下人工决定；检测结论原样保留。"""
    from gis.console.records import print_record
    from gis.output.records.described import described

    with opened(db) as store:
        store.decide(
            record, verdict=verdict, office=office, reason=reason, by=_user() if by is None else by
        )
        row = described(store.get(record), store.decisions(record))
    if output is Output.json:
        return typer.echo(as_json(row))
    print_record(stdout(), row)
    return None


@records_app.command("export")
def records_export(
    file: Annotated[Path, typer.Argument(help="写出的文件（JSON 行）。")],
    db: DbOption = DEFAULT_DB,
    output: FormatOption = Output.text,
) -> None:
    """导出全部记录和哈希链。"""
    from gis.output.records.transfer import export_records
    from gis.output.records.walk import count_of

    with opened(db) as store, progress() as bar, writing(file):
        task = bar.add_task("导出记录", total=count_of(store))
        moved = export_records(store, file, each=lambda: bar.advance(task))
    _tell(output, moved.to_dict(), f"已写出：{file}（{moved.rows} 条）")


@records_app.command("import")
def records_import(
    file: Annotated[Path, typer.Argument(help="wuqu records export 写出的文件。")],
    db: DbOption = DEFAULT_DB,
    output: FormatOption = Output.text,
) -> None:
    """导入记录：核对每一条和整条链，不完好、有重复或接不上时一条也不导入。"""
    from gis.output.records.transfer import import_records

    path = existing(file)
    with opened(db, create=True) as store, progress() as bar:
        task = bar.add_task("导入记录", total=None)
        moved = import_records(store, path, each=lambda: bar.advance(task))
    _tell(output, moved.to_dict(), f"已导入 {moved.rows} 条，链尾为第 {moved.seq} 条")


@records_app.command("backup")
def records_backup(
    file: Annotated[Path, typer.Argument(help="备份文件，不能已经存在。")],
    db: DbOption = DEFAULT_DB,
    output: FormatOption = Output.text,
) -> None:
    """备份 SQLite 记录库；服务可以继续运行。"""
    from gis.output.records.backup import backup

    with opened(db) as store, writing(file):
        size = backup(store, file)
        seq, seal = store.head()
    row = {"bytes": size, "seq": seq, "hash": seal}
    _tell(output, row, f"已写出：{file}（{size:,} 字节，至少含第 1 至 {seq} 条）")


@records_app.command("migrate")
def records_migrate(db: DbOption = DEFAULT_DB, output: FormatOption = Output.text) -> None:
    """建立或升级记录库的表；SQLite 文件在打开时自动升级。"""
    from gis.output.records.address import address_of
    from gis.output.records.engines import open_engine
    from gis.output.records.failures import store_errors
    from gis.output.records.schema import migrate
    from gis.output.records.tables import REVISION

    engine = open_engine(address_of(db))
    try:
        with store_errors():
            found = migrate(engine)
    finally:
        engine.dispose()
    text = "表已是最新" if found == REVISION else f"表已由 {found or '无'} 升级到 {REVISION}"
    _tell(output, {"before": found, "now": REVISION}, text)


# --- what the commands share ---------------------------------------------------------------------


@contextmanager
def opened(db: str, *, create: bool = False) -> Iterator[RecordStore]:
    """Open the records; without ``create`` a file must be there, so that a slip makes none."""
    from gis.output.records import RecordStore, address_of

    address = address_of(db)
    file = address.file
    if file is not None and not file.exists() and not create:
        raise ClaimError(f"没有记录库“{file}”", advice="用 --db 或 WUQU_DB 指定记录库")
    store = RecordStore(address)
    try:
        yield store
    finally:
        store.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a process without a name, in a container
        return ""


def _tell(output: Output, row: dict[str, Any], text: str) -> None:
    if output is Output.json:
        typer.echo(as_json(row))
    else:
        stderr().print(text, markup=False, soft_wrap=True)
