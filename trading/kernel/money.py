"""金额 Money in whole fen, and its capital numerals 大写. Rounding happens only by name."""

import decimal
from decimal import Decimal
from enum import Enum

import msgspec

from trading.kernel.errors import AmountUnreadable

__all__ = ["Money", "Rounding"]

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_LIMIT = 10**18  # fen: the largest amount that capital numerals below can name


class Rounding(Enum):
    HALF_UP = decimal.ROUND_HALF_UP  # 四舍五入
    HALF_EVEN = decimal.ROUND_HALF_EVEN
    DOWN = decimal.ROUND_DOWN  # 舍去


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
        except (decimal.InvalidOperation, ValueError, TypeError) as error:
            raise AmountUnreadable(amount=text) from error
        if not exact.is_finite() or abs(exact) >= 2**53 or (rounding is None and whole != exact):
            raise AmountUnreadable(amount=text)
        return cls(int(whole))

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
