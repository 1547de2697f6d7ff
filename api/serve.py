"""How does the service start? One process, or several workers behind one address.

It decides whether the service may listen where it is told to. It never answers a request itself;
that is ``api.app``.
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from api.access.keys import KeyStore
from api.access.limits import WrongKeys
from api.access.peers import Proxies
from api.logs import log_config
from api.settings import Settings, is_loopback, settings
from gis.errors import ClaimError, PlanError
from gis.output.records import RecordStore

KEEP_ALIVE_S = 5
SHUTDOWN_S = 8  # SIGTERM ends the service within ten seconds even when a request hangs


def serve(
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    plan: Path | str | None = None,
) -> None:
    """Run the service until it is stopped; what is not given comes from the environment.

    Raises
    ------
    ClaimError
        The address can be reached from other machines and nobody has a key, port or number of
        workers is out of range, or a variable of the environment has a value that cannot be used.
    AccessFileError
        The file of the keys cannot be used.
    PlanError
        The plan package cannot be used.
    StoreError
        The decision records cannot be opened.
    """
    # Workers are fresh processes; the environment is how they learn which plan to load, and whether
    # they may be open to this machine.
    if plan is not None:
        os.environ["WUQU_PLAN"] = str(plan)
    chosen = settings(host=host, port=port, workers=workers)
    require_keys(chosen)
    if chosen.records:
        # What is wrong with the records is one clear message, before the server starts.
        RecordStore(chosen.db).close()
    os.environ["WUQU_HOST"] = chosen.host
    several = chosen.workers > 1
    if several:
        logging.getLogger("wuqu").warning("%s", limits_of_all(chosen))
        open_ahead(chosen.plan)
    with _numbers_of_all() if several else nullcontext():
        uvicorn.run(
            "api.app:create_app" if several else _app_in_process(chosen),
            factory=several,
            host=chosen.host,
            port=chosen.port,
            workers=chosen.workers if several else None,
            limit_concurrency=chosen.open_connections,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
            server_header=False,
            # Who is believed about the sender of a request is decided in ``api.access.peers``.
            proxy_headers=False,
            # Its lines hold whole addresses; those of ``api.watch`` do not.
            access_log=False,
            ws="none",
            log_config=log_config(chosen.log),
        )


def require_keys(chosen: Settings) -> None:
    """Raise ClaimError when other machines could reach the service and nobody has a key.

    Planned boundaries are not for everyone on the network.
    """
    Proxies(chosen.trusted_proxies, chosen.proxy_roles)
    keys = KeyStore(chosen.key_file)
    usable = keys.has_active()
    if is_loopback(chosen.host):
        return
    if not usable:
        found = "没有一个有效的密钥" if keys.is_configured() else "还没有密钥"
        raise ClaimError(
            f"服务地址 {chosen.host[:80]} 可从其他计算机访问，而访问控制{found}",
            expected="至少一个有效的密钥，或本机地址 127.0.0.1、::1、localhost",
            advice="先制作管理密钥：wuqu keys add 名称 --role admin",
        )
    logging.getLogger("wuqu").warning(
        "地址 %s 不是本机地址：密钥以明文经过网络，请在前面设置 HTTPS 反向代理", chosen.host
    )


def limits_of_all(chosen: Settings) -> str:
    """Say how much all workers together let through: each of them counts for itself.

    Which worker a connection meets is chance, so a caller with one connection has the limits of
    one worker, and one with many at most those of all.
    """
    n = chosen.workers
    limits = (
        f"每个密钥或地址每分钟 {chosen.rate_per_minute * n} 次" if chosen.rate_per_minute else "",
        f"每个密钥同时 {chosen.concurrent * n} 个请求",
        f"全部同时 {chosen.in_flight * n} 个请求",
        f"每个地址 15 分钟内 {WrongKeys.MOST * n} 次错误密钥",
        f"同时 {chosen.heavy_checks * n} 个大地块检测",
    )
    told = "、".join(limit for limit in limits if limit)
    return f"有 {n} 个工作进程，限额由各进程分别计数，合计最多：{told}"


def open_ahead(plan: Path | None) -> None:
    """Open a plan once before several workers do; raise PlanError when it cannot be used.

    A bad plan is then one clear message instead of workers that die again and again, and the index
    of a large plan lies on disk, so that every worker maps it and none builds its own. A process of
    its own does it, which leaves no plan behind in the memory of the supervisor.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        fault = pool.submit(_fault_of, plan).result()
    if fault:
        raise PlanError(fault)


def _fault_of(plan: Path | None) -> str:
    from gis.plan import load_plan

    try:
        _ = load_plan(plan).stack
    except PlanError as error:
        return error.detail.removesuffix("。")
    return ""


def _numbers_of_all() -> TemporaryDirectory[str]:
    """Make the folder in which the workers write their numbers, before any of them starts."""
    from api.metrics import shared_folder

    return shared_folder()


def _app_in_process(settings: Settings) -> FastAPI:
    """Load the plan before the server starts, so that a bad plan is one clear message."""
    from api.app import create_app
    from gis.plan import load_plan

    return create_app(settings, plan=load_plan(settings.plan))
