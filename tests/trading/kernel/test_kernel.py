"""Small words: money and capitals, days of the law, machines, plugins, settings, canonical JSON."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import chinese_calendar
import cn2an
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from trading.kernel.calendar import Calendar, Pace, Period, Unit
from trading.kernel.canonical import canonical
from trading.kernel.errors import (
    AmountUnreadable,
    IllegalTransition,
    SettingUnknown,
    SettingUnreadable,
    UnknownPlugin,
)
from trading.kernel.files import durable_write, write_secret
from trading.kernel.ids import SystemIds
from trading.kernel.instant import FrozenClock, Reading, SystemClock
from trading.kernel.machine import Machine
from trading.kernel.money import Money, Rounding
from trading.kernel.settings import Settings, read_secret
from trading.procedures import PROCEDURES

CAPITALS = {
    "0": "零元整",
    "0.05": "伍分",
    "0.10": "壹角",
    "1409.50": "壹仟肆佰零玖元伍角",
    "6007.14": "陆仟零柒元壹角肆分",
    "325.04": "叁佰贰拾伍元零肆分",
    "16409.02": "壹万陆仟肆佰零玖元零贰分",
    "107000.53": "壹拾万柒仟元伍角叁分",
    "10010000": "壹仟零壹万元整",
    "100000000": "壹亿元整",
    "2000005000": "贰拾亿零伍仟元整",
    "1000000000000": "壹万亿元整",
    "1000100000000": "壹万零壹亿元整",
}


@pytest.mark.parametrize(("amount", "capital"), CAPITALS.items())
def test_capital_numerals(amount: str, capital: str) -> None:
    assert Money.yuan(amount).capital() == capital


@given(st.integers(1, 10**12 - 1))
def test_capitals_of_whole_yuan_agree_with_another_library(yuan: int) -> None:
    theirs = cn2an.an2cn(str(yuan), "up")
    ours = Money(yuan * 100).capital().removesuffix("元整")
    assert re.sub("零", "", ours) == re.sub("零", "", theirs)


def test_amounts_that_cannot_be_named() -> None:
    for money in (Money(-1), Money(10**18)):
        with pytest.raises(AmountUnreadable):
            money.capital()


@pytest.mark.parametrize("text", ["1.001", "abc", "", "NaN", "Infinity", "1e20"])
def test_unreadable_amounts_are_refused(text: str) -> None:
    with pytest.raises(AmountUnreadable) as refused:
        Money.yuan(text)
    assert refused.value.code == "KF-005"


@pytest.mark.parametrize(
    ("rule", "fen"), [(Rounding.HALF_UP, 101), (Rounding.HALF_EVEN, 100), (Rounding.DOWN, 100)]
)
def test_rounding_happens_by_name(rule: Rounding, fen: int) -> None:
    assert Money.yuan("1.005", rule).fen == fen


def test_money_adds_compares_and_shows() -> None:
    assert Money(150) + Money(50) - Money(1) == Money(199)
    assert Money(1) < Money(2)
    assert str(Money(-123456)) == "-1,234.56"


CALENDAR = Calendar.of_china()


def test_working_days_of_four_years_agree_with_another_library() -> None:
    day = date(2023, 1, 1)
    while day.year < 2027:
        assert CALENDAR.is_working(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)
    assert CALENDAR.last_year == 2026


def test_working_days_skip_the_national_holiday_and_use_make_up_days() -> None:
    moment = datetime(2026, 9, 29, 2, tzinfo=UTC)
    after = Period(5, Unit.WORKING_DAY).after(moment, CALENDAR)
    assert after == datetime(2026, 10, 12, 2, tzinfo=UTC)
    assert Period(5, Unit.WORKING_DAY).before(after, CALENDAR) == moment
    assert CALENDAR.roll(datetime(2026, 10, 1, 2, tzinfo=UTC)).date() == date(2026, 10, 8)


def test_a_moment_belongs_to_its_date_in_china() -> None:
    """Friday 20:00 UTC is Saturday in Beijing."""
    friday = datetime(2026, 3, 6, 20, tzinfo=UTC)
    assert CALENDAR.roll(friday) == friday + timedelta(days=2)


def test_rehearsals_shorten_days() -> None:
    moment = datetime(2026, 3, 6, tzinfo=UTC)
    pace = Pace(60_000)
    assert Period(20).after(moment, CALENDAR, pace) == moment + timedelta(minutes=20)
    assert Period(3, Unit.WORKING_DAY).after(moment, CALENDAR, pace) == moment + timedelta(
        minutes=3
    )
    half_hour = Period(30, Unit.MINUTE)
    assert half_hour.after(moment, CALENDAR) == moment + timedelta(minutes=30)


def test_readings_leave_nobody_the_advantage_of_the_error() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    reading = Reading(at, timedelta(milliseconds=50))
    assert not reading.is_surely_after(at)
    assert not reading.is_surely_before(at)
    assert reading.is_surely_after(at - timedelta(milliseconds=50))
    assert reading.is_surely_before(at + timedelta(milliseconds=51))
    assert SystemClock().read().at.tzinfo is UTC


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


class Go: ...


class Stop: ...


def test_a_machine_is_its_table() -> None:
    machine = Machine(Light.RED, [(Light.RED, Go, Light.GREEN), (Light.GREEN, Stop, Light.RED)])
    assert machine.after(Light.RED, Go) is Light.GREEN
    assert machine.may(Light.GREEN) == (Stop,)
    assert "red --> green: Go" in machine.mermaid()
    with pytest.raises(IllegalTransition) as refused:
        machine.after(Light.RED, Stop)
    assert "red" in str(refused.value)
    with pytest.raises(TypeError, match="two rows"):
        Machine(Light.RED, [(Light.RED, Go, Light.GREEN), (Light.RED, Go, Light.RED)])


def test_plugins_are_found_by_code() -> None:
    assert {p.code for p in PROCEDURES} >= {
        "open-tender",
        "invited-tender",
        "open-procurement",
        "inquiry",
        "single-source",
    }
    with pytest.raises(UnknownPlugin) as refused:
        PROCEDURES["beauty-contest"]
    assert "open-tender" in str(refused.value)


@pytest.mark.parametrize(
    "source", ["", "PLUGIN = 3\n", "from p.a import PLUGIN\n"], ids=["none", "wrong", "taken"]
)
def test_bad_plugins_stop_the_import(tmp_path: Path, monkeypatch, source: str) -> None:
    import sys

    from trading.kernel.registry import Registry
    from trading.procedure import Procedure

    name = f"p{abs(hash(source)) % 10**6}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    good = "from trading.procedures.open_tender import PROCEDURE as PLUGIN\n"
    (folder / "a.py").write_text(good)
    (folder / "b.py").write_text(source.replace("p.a", f"{name}.a"))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TypeError):
        Registry(Procedure, name, "PLUGIN")
    sys.modules.pop(name)


def test_settings_come_from_file_then_environment(tmp_path: Path) -> None:
    file = tmp_path / "kaifeng.toml"
    file.write_text('origin = "a"\nbatch_limit = 7\n')
    settings = Settings.load({"KAIFENG_BATCH_LIMIT": "9", "HOME": "/"}, file)
    assert (settings.origin, settings.batch_limit) == ("a", 9)


@pytest.mark.parametrize(
    ("environment", "text", "refusal"),
    [
        ({"KAIFENG_COLOUR": "red"}, "", SettingUnknown),
        ({}, "colour = 1", SettingUnknown),
        ({"KAIFENG_BATCH_LIMIT": "many"}, "", SettingUnreadable),
        ({}, "origin = ", SettingUnreadable),
    ],
)
def test_wrong_settings_are_refused(tmp_path, environment, text, refusal) -> None:
    file = tmp_path / "kaifeng.toml"
    file.write_text(text)
    with pytest.raises(refusal):
        Settings.load(environment, file)
    with pytest.raises(SettingUnreadable):
        Settings.load({}, tmp_path / "missing.toml")


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_secret(path, b"secret")
    assert read_secret(path) == b"secret"
    path.chmod(0o644)
    with pytest.raises(SettingUnreadable):
        read_secret(path)
    with pytest.raises(SettingUnreadable):
        read_secret(tmp_path / "missing")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken():
        yield b"half"
        raise ValueError("the source ended")

    with pytest.raises(ValueError, match="ended"):
        durable_write(tmp_path / "file", broken())
    assert list(tmp_path.iterdir()) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_our_canonical_json_is_rfc_8785(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except UnicodeEncodeError:
        return  # lone surrogates have no UTF-8
    assert canonical(value) == expected
    assert json.loads(canonical(value)) == value


def test_ids_are_uuid7_and_sort_by_time() -> None:
    clock = FrozenClock(datetime(2026, 1, 1, tzinfo=UTC), timedelta(milliseconds=1))
    ids = SystemIds(clock)
    minted = [ids.mint() for _ in range(100)]
    assert minted == sorted(minted)
    assert all(text[14] == "7" and text[19] in "89ab" for text in minted)
