"""What does it mean for a layer when a database says no? One Chinese sentence per reason.

The words of the server are never passed on: they hold hosts, users, paths and pieces of addresses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gis.errors import ExtraError

if TYPE_CHECKING:
    import psycopg

_BY_CODE = {
    "28000": "用户不被接受",
    "28P01": "用户名或密码不被接受",
    "3D000": "没有这个数据库",
    "42501": "没有读取权限",
    "42P01": "没有这张表",
    "42703": "没有这个字段",
    "53300": "连接数已满",
    "55P03": "表正被其他程序锁定",
    "57014": "超过读取时限",
    "57P01": "连接中断",
    "57P03": "数据库正在启动或停止",
    "22021": "文字编码无法转换为 UTF-8",
    "22P05": "文字编码无法转换为 UTF-8",
}


def library() -> Any:
    """Return psycopg; raise ExtraError when the extra ``postgis`` is not installed."""
    try:
        return importlib.import_module("psycopg")
    except ImportError:
        raise ExtraError(
            "没有安装 psycopg，不能读写 PostGIS",
            expected="带数据库组件的安装",
            advice='运行 pip install "wuqu[postgis]" 后重试',
        ) from None


def connecting(problem: psycopg.Error) -> str:
    """Return why there is no connection."""
    psycopg = library()
    if problem.sqlstate in _BY_CODE:
        return f"无法连接数据库（{_BY_CODE[problem.sqlstate]}）"
    if isinstance(problem, psycopg.errors.ConnectionTimeout):
        return "无法连接数据库（超时）"
    if isinstance(problem, psycopg.OperationalError):
        # The server's own refusal of a user comes without a code while a connection is made.
        return f"无法连接数据库（{_refusal(str(problem))}）"
    return "无法连接数据库（地址写法有误）"


def _refusal(text: str) -> str:
    known = {
        "password authentication failed": "用户名或密码不被接受",
        "no password supplied": "需要密码：放在环境变量或 ~/.pgpass 中",
        "role": "没有这个用户",
        "database": "没有这个数据库",
        "pg_hba.conf": "服务器不允许从本机这样连接",
        "too many": "连接数已满",
        "starting up": "数据库正在启动",
        "service": "没有这个服务名（pg_service.conf）",
    }
    fatal = text.partition("FATAL:")[2] or (text if "service" in text else "")
    return next((said for word, said in known.items() if word in fatal), "服务器没有应答或拒绝连接")


def reading(problem: psycopg.Error) -> str:
    """Return why a table could not be read."""
    psycopg = library()
    code = problem.sqlstate
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code is None and isinstance(problem, psycopg.OperationalError | psycopg.InterfaceError):
        return "连接中断"
    return "读取失败" + (f"（SQLSTATE {code}）" if code else "")
