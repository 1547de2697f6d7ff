"""What do the answers about access look like?"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from api.access.keys import MAX_GRACE_HOURS
from api.access.roles import Role
from api.schemas import Answer


class CallerOut(Answer):
    """Who is asking."""

    kind: Literal["open", "key", "user"] = Field(
        description="open：本机开放访问；key：密钥；user：由代理登录的用户", examples=["key"]
    )
    name: str = Field(examples=["窗口一"])
    role: Role = Field(examples=["clerk"])
    role_label: str = Field(examples=["经办"])
    office: str = Field(examples=["用途管制科"])


class KeyIn(Answer):
    """A key to be made."""

    name: str = Field(description="名称，用过的不能再用", max_length=80, examples=["窗口一"])
    role: Role = Field(examples=["clerk"])
    office: str = Field(
        "", description="科室：同一科室的密钥看到彼此的记录", max_length=80, examples=["用途管制科"]
    )
    expires_on: date | None = Field(
        None, description="最后一个有效日（北京时间）", examples=["2027-12-31"]
    )


class RotateIn(Answer):
    """How a key is renewed."""

    grace_hours: float = Field(
        0.0, ge=0, le=MAX_GRACE_HOURS, description="旧密钥还有效的小时数", examples=[24]
    )


class KeyOut(Answer):
    """A key without its secret; empty texts stand for "never"."""

    id: str = Field(examples=["3f9a01bc"])
    name: str = Field(examples=["窗口一"])
    role: Role = Field(examples=["clerk"])
    role_label: str = Field(examples=["经办"])
    office: str = Field(examples=["用途管制科"])
    state: Literal["active", "expired", "revoked"] = Field(examples=["active"])
    created_at: str = Field(examples=["2026-11-22T01:30:00.000000+00:00"])
    expires_on: str = Field(examples=["2027-12-31"])
    revoked_at: str = Field(examples=[""])
    rotated_at: str = Field(examples=[""])
    previous_until: str = Field(description="旧密钥有效到何时", examples=[""])


class KeysOut(Answer):
    """All keys."""

    keys: list[KeyOut]


class NewKeyOut(KeyOut):
    """A key with its secret, told this once."""

    key: str = Field(
        description="密钥本身，只出现这一次",
        examples=["wuqu_3f9a01bc_（43 个字符）"],
    )
