"""红旗 flags over a file of compiled releases, one JSON object a line, from anywhere.

Settings are those of Cardinal's `indicators` command, so that a file that serves there serves here.
"""

import configparser
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from analytics.comparison import Comparison
from analytics.indicator import (
    BUYER,
    ENTITY,
    OCID,
    TENDERER,
    Found,
    Setup,
    Tally,
    pipes,
)
from analytics.indicators import INDICATORS
from analytics.packed import opened
from analytics.process import Process, text
from analytics.seconds import Seconds
from trading.kernel.errors import InputUnusable, Usage

__all__ = ["Flags", "Settings", "flag", "read_processes"]

_TOP = "top"
_TEXTS = {
    "currency",
    "no_price_comparison_procurement_methods",
    "price_comparison_procurement_methods",
}
_DETAILS = "procurement_method_details"
_BY_DETAILS = f"R003.{_DETAILS}"
_PREPARE = ("defaults", "redactions", "corrections", "modifications", "output")
_GROUPS = (OCID, BUYER, ENTITY, TENDERER)
_SECONDS = ("R024", "R058")
_PLACES = 4
_PACKED = ("compiledRelease", "records", "releases")  # a record's own releases are compiled

Skipped = Callable[[int, str], None]


class _Parser(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Keys are case-sensitive."""
        return optionstr


class Settings(msgspec.Struct, frozen=True):
    """By flag; a flag without a section does not run. Without any settings, all run."""

    flags: dict[str, dict[str, str]]
    top: dict[str, str] = {}
    days: dict[str, str] = {}
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of_all(cls) -> "Settings":
        return cls({indicator.code: {} for indicator in INDICATORS})

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Usage for a section or a key that is unknown; InputUnusable for what is no INI."""
        parser = _Parser(
            delimiters=("=",), comment_prefixes=(";", "#"), interpolation=None, default_section=""
        )
        try:
            parser.read_string(f"[{_TOP}]\n{path.read_text('utf-8')}")
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            raise InputUnusable(path=path, problem=error) from error
        return cls._checked({name: dict(parser[name]) for name in parser.sections()})

    @classmethod
    def _checked(cls, sections: dict[str, dict[str, str]]) -> "Settings":
        top, days = sections.pop(_TOP), sections.pop(_BY_DETAILS, {})
        exclusions = sections.pop("exclusions", {})
        flags = {
            name: options
            for name, options in sections.items()
            if name not in _PREPARE and not name.startswith("codelists.")
        }
        known = {indicator.code: indicator.settings for indicator in INDICATORS}
        _check("", top, _TEXTS)
        _check("exclusions", exclusions, {_DETAILS})
        for name, options in flags.items():
            if name not in known:
                raise Usage(problem=f"没有指标 {name} / no such flag: {'、'.join(known)}")
            _check(name, options, known[name])
        if days and "R003" not in flags:
            flags["R003"] = {}
        return cls(flags, top, days, pipes(exclusions.get(_DETAILS, "")))


def _check(section: str, options: Iterable[str], known: Iterable[str]) -> None:
    for key in options:
        if key not in known:
            raise Usage(problem=f"[{section}] {key}：没有这个设置 / no such setting")


class Flags(msgspec.Struct, frozen=True):
    """By group, id and flag; `meta`: quartiles and fences by flag, rounded to four places."""

    results: dict[str, dict[str, dict[str, float]]]
    meta: dict[str, dict[str, float | None]]
    processes: int


def flag(processes: Iterable[Process], settings: Settings) -> Flags:
    comparison = Comparison(
        pipes(settings.top.get("price_comparison_procurement_methods", "")),
        pipes(settings.top.get("no_price_comparison_procurement_methods", "")),
        settings.top.get("currency", ""),
    )
    seconds = Seconds(comparison)
    tallies = _tallies(settings, comparison, seconds)
    needs_seconds, count = any(code in tallies for code in _SECONDS), 0
    for process in processes:
        if process.is_cancelled or process.details in settings.excluded:
            continue
        count += 1
        if needs_seconds:
            seconds.see(process)
        for tally in tallies.values():
            tally.see(process)
    return _gathered({code: tally.finish() for code, tally in tallies.items()}, count)


def _tallies(settings: Settings, comparison: Comparison, seconds: Seconds) -> dict[str, Tally]:
    return {
        indicator.code: indicator.start(
            Setup(
                indicator.code,
                settings.flags[indicator.code],
                comparison,
                seconds,
                settings.days,
            )
        )
        for indicator in INDICATORS
        if indicator.code in settings.flags
    }


def _gathered(found: dict[str, Found], count: int) -> Flags:
    results: dict[str, dict[str, dict[str, float]]] = {}
    for group in _GROUPS:
        for code, one in found.items():
            for (kind, name), value in one.results.items():
                if kind == group:
                    results.setdefault(group, {}).setdefault(name, {})[code] = value
    meta = {
        code: {name: _rounded(value) for name, value in one.meta.items()}
        for code, one in found.items()
        if one.meta is not None
    }
    return Flags(results, meta, count)


def _rounded(value: float) -> float | None:
    """Halves away from zero."""
    if not math.isfinite(value):
        return None
    scaled = abs(value) * 10**_PLACES
    return math.copysign(math.floor(scaled + 0.5) / 10**_PLACES, value)


def read_processes(path: Path, skipped: Skipped = lambda _, __: None) -> Iterator[Process]:
    """Lines that are no JSON are told of with their number; what is no process is passed over.
    InputUnusable where there is none at all: that nothing was found must not come of it.
    """
    count = 0
    try:
        with opened(path) as file:
            for release in _releases(file, skipped):
                ocid = text(release, "ocid")
                if ocid is not None and isinstance(release, dict):
                    count += 1
                    yield Process(ocid, release)
    except (OSError, EOFError, zlib.error) as error:
        raise InputUnusable(path=path, problem=error) from error
    if not count:
        raise InputUnusable(path=path, problem="没有采购过程 / no procurement process (ocid)")


def _releases(file: BufferedIOBase, skipped: Skipped) -> Iterator[Any]:
    """Of JSON lines; of one document, where its first line is no JSON by itself."""
    line = file.readline()
    first = _read(line)
    if isinstance(first, str):
        whole = _read(line + file.read())
        if isinstance(whole, str):
            file.seek(len(line))
        else:
            first = whole
    for number, found in enumerate(chain([first], map(_read, file)), 1):
        if isinstance(found, str):
            skipped(number, found)
        else:
            yield from found


def _unpacked(given: Any) -> Iterator[Any]:
    """The releases of a package, the compiled ones of records; anything else is itself."""
    if isinstance(given, list):
        for one in given:
            yield from _unpacked(one)
        return
    name = next((one for one in _PACKED if isinstance(given, dict) and given.get(one)), None)
    if name:
        yield from _unpacked(given[name])
    else:
        yield given


def _read(raw: bytes) -> list[Any] | str:
    """What is in it, or why it is no JSON."""
    try:
        content = raw.decode("utf-8-sig").strip()
        return list(_unpacked(json.loads(content, parse_constant=_refuse))) if content else []
    except (ValueError, RecursionError) as error:
        return str(error)


def _refuse(name: str) -> float:
    raise ValueError(name)
