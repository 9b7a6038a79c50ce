"""金额 Money in whole fen, and its capital numerals 大写. Rounding happens only by name."""

import decimal
import re
from decimal import Decimal
from enum import Enum

import msgspec

from trading.kernel.errors import AmountUnreadable

__all__ = ["Money", "Rounding", "is_plain", "plain_decimal"]

_DIGITS_BEFORE, _PLACES_AFTER = 15, 12
_SHORT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,12})?")

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_LONGEST = 60  # characters of an amount in words
_LIMIT = 10**18  # fen: the largest amount that capital numerals below can name


class Rounding(Enum):
    HALF_UP = decimal.ROUND_HALF_UP  # 四舍五入
    HALF_EVEN = decimal.ROUND_HALF_EVEN
    DOWN = decimal.ROUND_DOWN  # 舍去


def is_plain(number: Decimal) -> bool:
    """Whether a person would write it: finite, with at most fifteen digits before the point and
    twelve after it.
    """
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        return False
    return exponent >= -_PLACES_AFTER and number.adjusted() < _DIGITS_BEFORE


def plain_decimal(text: str) -> Decimal | None:
    """The number that the text writes, if it is a plain one."""
    if _SHORT.fullmatch(text):  # most are, and need no further look
        return Decimal(text)
    try:
        number = Decimal(text)
    except (ArithmeticError, ValueError):
        return None
    return number if is_plain(number) else None


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in whole fen (or the hundredth of the tender's currency)."""

    fen: int

    @classmethod
    def yuan(cls, text: str | int | Decimal, rounding: Rounding | None = None) -> "Money":
        """Read yuan; more than two decimals raise AmountUnreadable unless a rounding is named."""
        try:
            exact = Decimal(text) * 100
            # RFC 8785 leaves 2**53 as the largest safe integer; no tender comes near.
            whole = exact.to_integral_value(rounding.value if rounding else decimal.ROUND_DOWN)
        except (ArithmeticError, ValueError, TypeError) as error:
            raise AmountUnreadable(amount=text) from error
        if not exact.is_finite() or abs(exact) >= 2**53 or (rounding is None and whole != exact):
            raise AmountUnreadable(amount=text)
        return cls(int(whole))

    @classmethod
    def of_capital(cls, text: str) -> "Money":
        """Read 大写, with or without the optional zeros and 整; AmountUnreadable for anything that
        `capital` would not write.
        """
        if len(text) > _LONGEST:
            raise AmountUnreadable(amount=text[:_LONGEST])
        plain = text.strip().removeprefix("人民币").replace("圆", "元").replace("正", "整")
        whole, mark, rest = plain.partition("元")
        if not mark:
            whole, rest = "", plain
        found = cls(_value(whole, text) * 100 + _cents_of(rest))
        if not plain.strip("元整") or _bare(found.capital()) != _bare(plain):
            raise AmountUnreadable(amount=text)
        return found

    def __add__(self, other: "Money") -> "Money":
        return Money(self.fen + other.fen)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.fen - other.fen)

    def __str__(self) -> str:
        sign, fen = ("-", -self.fen) if self.fen < 0 else ("", self.fen)
        return f"{sign}{fen // 100:,}.{fen % 100:02d}"

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.fen) / 100

    def capital(self) -> str:
        """人民币大写 after 《正确填写票据和结算凭证的基本规定》 [mem]; optional zeros left out."""
        if not 0 <= self.fen < _LIMIT:
            raise AmountUnreadable(amount=self)
        yuan, cents = divmod(self.fen, 100)
        jiao, fen = divmod(cents, 10)
        text = f"{_integer(yuan)}元" if yuan else ""
        if not cents:
            return f"{text or '零元'}整"
        if jiao:
            text += f"{_DIGITS[jiao]}角"
        elif yuan:
            text += "零"
        return text + (f"{_DIGITS[fen]}分" if fen else "")


def _integer(number: int) -> str:
    for size, unit in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return f"{_integer(high)}{unit}{gap}{_integer(low) if low else ''}"
    return _group(number)


def _group(number: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(text)
            continue
        text += f"{'零' if gap else ''}{_DIGITS[digit]}{_PLACES[place]}"
        gap = False
    return text


def _bare(text: str) -> str:
    return text.replace("零", "").removesuffix("整")


def _value(text: str, whole: str) -> int:
    """Of an integer in capital numerals: 亿 and 万 multiply what stands before them."""
    for size, unit in ((10**8, "亿"), (10**4, "万")):
        high, mark, low = text.rpartition(unit)
        if mark:
            return _value(high, whole) * size + _value(low, whole)
    total, digit = 0, 0
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        elif character in _PLACES[1:]:
            total, digit = total + digit * 10 ** _PLACES.index(character), 0
        else:
            raise AmountUnreadable(amount=whole)
    return total + digit


def _cents_of(text: str) -> int:
    """What follows 元; whatever it does not understand, the comparison with `capital` finds."""
    fen = 0
    for place, unit in ((10, "角"), (1, "分")):
        before, mark, _ = text.partition(unit)
        if mark and before and before[-1] in _DIGITS:
            fen += _DIGITS.index(before[-1]) * place
    return fen
