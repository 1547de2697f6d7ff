"""Why is a caller not let in? The errors of access, below the tree of ``gis.errors``.

::

    AccessError
    ├── NoKeyError           401  neither key nor signed in
    ├── WrongKeyError        401  a key that nobody was given
    ├── EndedKeyError        401  a key that was right once: expired, revoked or replaced
    ├── RoleError            403  the role does not allow it
    ├── ForeignPageError     403  a page of another site asks in the name of who is signed in
    ├── TooManyError         429  more than one caller may ask for
    ├── OverloadError        503  more than all callers together may ask for
    └── AccessFileError      503  the file of the keys cannot be used: nobody is let in

Messages go to people whom nobody knows yet; they name no path, and no key but the caller's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from gis.errors import WuquError


class AccessError(WuquError):
    """A request that is not let in; ``api.errors`` knows the status of the answer."""

    code = "access"
    title = "无法访问"
    # What an audit line calls it.
    result = "denied"
    # Whether it is the first in a row; a flood of refusals gets one audit line.
    first = True

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        return {}


class _UnknownCallerError(AccessError):
    @property
    def headers(self) -> Mapping[str, str]:
        """How to say who one is (RFC 9110, section 11.6.1)."""
        return {"WWW-Authenticate": 'Bearer realm="wuqu"'}


class NoKeyError(_UnknownCallerError):
    """Neither a key nor a session."""

    code = "key_needed"
    title = "需要密钥"

    def __init__(self) -> None:
        super().__init__(
            "请求没有附上密钥",
            expected="请求头 Authorization: Bearer 密钥，或在浏览器中登录",
            advice="向管理员申请密钥",
        )


class WrongKeyError(_UnknownCallerError):
    """A key that nobody was given."""

    code = "key_wrong"
    title = "密钥不正确"

    def __init__(self) -> None:
        super().__init__("没有发放过这个密钥", expected="管理员发放的完整密钥", advice="核对后重试")


class EndedKeyError(_UnknownCallerError):
    """A key that was right once."""

    code = "key_ended"
    title = "密钥已失效"

    def __init__(self, why: str) -> None:
        super().__init__(why, expected="有效的密钥", advice="向管理员申请新的密钥")


class RoleError(AccessError):
    """The role of the caller does not allow what is asked for."""

    code = "role"
    title = "权限不足"


class ForeignPageError(AccessError):
    """A page of another site asks in the name of whom the browser has signed in."""

    code = "foreign_page"
    title = "拒绝其他网站的请求"

    def __init__(self) -> None:
        super().__init__(
            "请求来自其他网站的页面",
            expected="本服务的页面",
            advice="在本服务的页面中操作；经其他域名使用时设置 WUQU_HOSTS",
        )


class TooManyError(AccessError):
    """One caller asks for more than its share.

    Parameters
    ----------
    retry_after_s
        When asking again makes sense, in whole seconds.
    """

    code = "too_many"
    title = "请求过于频繁"
    result = "limited"

    def __init__(self, found: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(found, advice=f"{retry_after_s} 秒后重试，或减少同时提交的请求")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come again."""
        return {"Retry-After": str(self.retry_after_s)}


class OverloadError(TooManyError):
    """All callers together ask for more than the service can do."""

    code = "overload"
    title = "服务繁忙"


class AccessFileError(AccessError):
    """The file of the keys cannot be used; nobody is let in until it can."""

    code = "access_file"
    title = "访问控制不可用"
    result = "failed"
