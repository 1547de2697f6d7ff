"""How is the service set up? Environment variables with the prefix ``WUQU_``, and nothing else.

It never reads a plan, opens a store or looks at a key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gis.errors import ClaimError, Fault
from gis.jobs.model import Limits
from gis.output.records.address import Address, address_of
from gis.output.sharing import Sharing, sharing_of

MEGABYTE = 1024 * 1024
_OUT = Path("out")


class Settings(BaseSettings):
    """Settings of one service process.

    ``plan`` is the plan package (None: the bundled one), ``db`` where the
    decision records are kept: a file, or the URL of a database.
    ``records`` False keeps no record of checks, so that an answer cannot be fetched again.
    ``secrecy`` is the ceiling: coordinates of layers above it are never shown.
    ``recipient`` says for whom the copies are: a watermark of maps and cards.
    ``basemap`` is the address of a tile of an intranet map service, the only one a map may ask.
    ``follow_s`` is how often a service on a folder of releases looks for another one in force.
    ``check_budget_s`` is the time for reading and checking the sites of one request, counted from
    the arrival of its last byte; ``heavy_checks`` requests with large sites run at once, and
    ``heavy_waiting`` more wait for at most ``heavy_wait_s``.
    ``keys`` is the file of the API keys (None: beside the records), ``audit`` the audit log's.
    ``hosts`` are names under which the service may be asked while it is open to this machine.
    ``trusted_proxies`` are addresses whose word about a sender counts, ``proxy_roles`` the roles of
    the groups that they name. ``rate_per_minute`` and ``concurrent`` limit one key or address,
    ``in_flight`` all together, each per worker.
    ``jobs`` is the folder of the files of batch jobs (None: beside the records); ``job_workers``
    processes of this machine work them off, ``job_days`` their results are kept. One job has at
    most ``job_limit_bytes`` and ``job_sites``, a zip of reports ``job_reports`` of them; one user
    has at most ``job_queued`` unfinished jobs, of which ``job_running`` are worked on at once.
    ``job_streams`` clients of a worker process may watch jobs by events at the same time.
    ``public_url`` is the address under which clients know the service, for links in answers.
    """

    model_config = SettingsConfigDict(
        env_prefix="WUQU_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        arbitrary_types_allowed=True,
    )

    plan: Path | None = None
    db: Annotated[Address, NoDecode, BeforeValidator(address_of)] = address_of("out/records.sqlite")
    records: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    body_limit_bytes: int = Field(default=20 * MEGABYTE, ge=1024)
    body_deadline_s: float = Field(default=60.0, gt=0)
    check_budget_s: float = Field(default=9.0, gt=0)
    heavy_checks: int = Field(default=2, ge=1, le=64)
    heavy_waiting: int = Field(default=4, ge=0, le=64)
    heavy_wait_s: float = Field(default=2.0, ge=0)
    open_connections: int = Field(default=512, ge=8)
    recipient: str = Field(default="", max_length=40)
    basemap: str = Field(default="", max_length=500)
    follow_s: float = Field(default=1.0, gt=0, le=3600)
    secrecy: str = Field(default="public", pattern="^(public|internal|restricted)$")
    keys: Path | None = None
    audit: Path | None = None
    session_hours: float = Field(default=10.0, gt=0, le=24 * 7)
    hosts: str = Field(default="", max_length=2000)
    trusted_proxies: str = Field(default="", max_length=2000)
    proxy_roles: str = Field(default="", max_length=4000)
    rate_per_minute: int = Field(default=3000, ge=0, le=1_000_000)
    concurrent: int = Field(default=64, ge=1, le=10_000)
    in_flight: int = Field(default=128, ge=1, le=10_000)
    jobs: Path | None = None
    job_workers: int = Field(default=1, ge=0, le=64)
    job_days: int = Field(default=30, ge=1, le=3650)
    job_limit_bytes: int = Field(default=50 * MEGABYTE, ge=1024)
    job_sites: int = Field(default=10_000, ge=1, le=1_000_000)
    job_reports: int = Field(default=1_000, ge=1, le=100_000)
    job_queued: int = Field(default=20, ge=1, le=10_000)
    job_running: int = Field(default=2, ge=1, le=1_000)
    job_streams: int = Field(default=32, ge=1, le=10_000)
    public_url: str = Field(
        default="",
        max_length=300,
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?)?$",
    )
    log: Literal["auto", "text", "json"] = "auto"

    @property
    def key_file(self) -> Path:
        """The file of the API keys."""
        records = self.db.file
        return self.keys or (records or _OUT / "records").with_name("keys.json")

    @property
    def job_folder(self) -> Path:
        """The folder of the files of jobs."""
        records = self.db.file
        return self.jobs or (records or _OUT / "records").with_name("jobs")

    @property
    def job_limits(self) -> Limits:
        """How much one user and one job may ask for."""
        return Limits(
            queued=self.job_queued,
            running=self.job_running,
            sites=self.job_sites,
            reports=self.job_reports,
            days=self.job_days,
        )

    @property
    def sharing(self) -> Sharing:
        """For whom maps are, and their background; raise ClaimError for a wrong address."""
        return sharing_of(self.recipient, self.basemap)


def settings(**given: Any) -> Settings:
    """Return the settings; what is not given comes from the environment, else the default.

    Raises
    ------
    ClaimError
        A value is out of range or of the wrong kind; each is named.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = [_fault(item, given) for item in error.errors(include_url=False)]
    raise ClaimError(
        "；".join(f"{f.where} 为“{f.message}”，不能采用" for f in faults),
        expected="参数说明中的取值范围",
        advice="改正命令行参数或者环境变量",
        faults=faults,
    )


def _fault(item: Mapping[str, Any], given: Mapping[str, Any]) -> Fault:
    name = str(item["loc"][0])
    option = given.get(name) is not None
    where = f"--{name}" if option else f"WUQU_{name.upper()}"
    # The address of a database may hold a password.
    shown = "（不显示）" if name == "db" else str(item["input"])[:80]
    return Fault(where, shown)


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine can reach the address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
