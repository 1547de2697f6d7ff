"""Are the tables those of this version? If not, they are migrated, or nothing is touched.

A SQLite file belongs to the one who opens it and is migrated at once. A database server is shared,
so that somebody has to say so (``wuqu records migrate``).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from gis.errors import StoreOutdatedError
from gis.output.records.address import SQLITE
from gis.output.records.engines import writing
from gis.output.records.tables import REVISION

_MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables; None for tables of the time before, or for none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_current(engine: Engine) -> None:
    """Migrate a SQLite file; refuse a server whose tables are not of this version.

    Raises
    ------
    StoreOutdatedError
        The tables of a server are older, or those of any store are newer.
    """
    with engine.connect() as connection:
        found = revision_of(connection)
    if found == REVISION:
        return
    _refuse_newer(found)
    if engine.dialect.name != SQLITE:
        what = "还没有建表" if found is None else f"的表为 {found} 版"
        raise StoreOutdatedError(
            f"记录库{what}，本版本需要 {REVISION} 版",
            advice="先备份，再运行 wuqu records migrate",
        )
    migrate(engine)


def migrate(engine: Engine) -> str | None:
    """Bring the tables to this version in one transaction; return the revision found."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    # The lock comes first: of several processes that start together one migrates.
    with writing(engine) as connection:
        found = revision_of(connection)
        _refuse_newer(found)
        if found != REVISION:
            config.attributes["connection"] = connection
            command.upgrade(config, REVISION)
    return found


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > REVISION:
        raise StoreOutdatedError(
            f"记录库的表为 {found} 版，由更新的版本写成",
            expected=f"{REVISION} 版或更早",
            advice="升级本软件后再打开",
        )
