"""What has a person to decide before a folder of layers is a plan package?

Each question has a key, the answers that make sense, and a default that never claims more than the
files say. Answers come from options, from a file, or from the person at the terminal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit

from gis.errors import ClaimError


@dataclass(frozen=True, slots=True)
class Question:
    """One question: ``key`` for programs, ``text`` in Chinese, ``options`` with their meaning.

    Without options any text will do that ``check`` takes: it returns what is wrong, or nothing.
    """

    key: str
    text: str
    default: str
    options: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[str], str] = lambda _: ""

    def wrong(self, answer: str) -> str:
        """Return what is wrong with an answer, in Chinese; empty when it will do."""
        if self.options and answer not in self.options:
            return f"“{answer}”不在可选答案中（{'、'.join(self.options)}）"
        return self.check(answer)

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "key": self.key,
            "text": self.text,
            "default": self.default,
            "options": dict(self.options),
        }


Ask = Callable[[Question], str]


class Answers:
    """Answers that are given already, and a way to ask for the others."""

    def __init__(self, given: Mapping[str, str], ask: Ask | None) -> None:
        self._given = dict(given)
        self._ask = ask
        self.asked: list[Question] = []
        self.open: list[Question] = []
        self.taken: dict[str, str] = {}

    def to(self, question: Question) -> str:
        """Return the answer to a question; the default while nobody has answered it.

        Raises
        ------
        ClaimError
            The given answer makes no sense.
        """
        self.asked.append(question)
        answer = self._given.get(question.key)
        if answer is None and self._ask is not None:
            answer = self._ask(question)
        if answer is None:
            self.open.append(question)
            answer = question.default
        wrong = question.wrong(answer)
        if wrong:
            raise ClaimError(f"{question.key}：{wrong}", expected=question.text)
        self.taken[question.key] = answer
        return answer

    def check_known(self) -> None:
        """Raise ClaimError for given answers to questions that nobody asks."""
        keys = [q.key for q in self.asked]
        idle = [key for key in self._given if key not in keys]
        if idle:
            raise ClaimError(f"没有问题“{'、'.join(idle)}”", expected="、".join(keys) or "没有问题")


def answers_from(pairs: Iterable[str], file: Path | None) -> dict[str, str]:
    """Return the answers of ``key=value`` texts and of a file; the texts go before.

    Raises
    ------
    ClaimError
        A text without ``=``, or a file that is no TOML of texts.
    """
    found = {} if file is None else _read(file)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ClaimError(f"答案“{pair}”无法识别", expected="问题=答案")
        found[key.strip()] = value.strip()
    return found


def _read(file: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ClaimError(f"答案文件“{file.name}”无法读取：{problem}") from None
    flat = dict(_flat(data, ""))
    wrong = [key for key, value in flat.items() if not isinstance(value, str)]
    if wrong:
        raise ClaimError(f"答案文件“{file.name}”中 {'、'.join(wrong)} 应为文字", expected="加引号")
    return {key: str(value) for key, value in flat.items()}


def _flat(data: Mapping[str, object], above: str) -> Iterator[tuple[str, object]]:
    """Yield keys with their dots: ``plan.id`` without quotes is a table of its own in TOML."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def questions_text(questions: Iterable[Question]) -> str:
    """Return open questions as a TOML file of their defaults, to be edited and given back."""
    document = tomlkit.document()
    document.add(tomlkit.comment("改好每个答案，再以 --answers 交回。"))
    for question in questions:
        document.add(tomlkit.nl())
        document.add(tomlkit.comment(question.text))
        for value, meaning in question.options.items():
            document.add(tomlkit.comment(f"  {value}：{meaning}"))
        document.add(question.key, question.default)
    return tomlkit.dumps(document)
