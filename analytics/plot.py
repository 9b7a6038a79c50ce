"""图 plots as SVG: prices of an opening, counts of scores, figures of groups, a network. Black,
grey and one red: what one should look at.
"""

from collections.abc import Mapping, Sequence
from html import escape

from analytics.neighbourhood import Neighbourhood

__all__ = ["bars", "histogram", "network", "prices"]

_WIDE, _HIGH = 640, 220
_LEFT, _RIGHT, _TOP, _FOOT = 44, 16, 14, 30
_INK, _GREY, _PALE, _RED = "#222", "#777", "#cfcfcf", "#b3261e"
_SHOWN = 24  # letters of a label


def prices(bids: Sequence[float], marked: Sequence[bool], ceiling: float | None) -> str:
    """One dot a bid, ascending; `marked` ones red; the ceiling as a line."""
    order = sorted(range(len(bids)), key=lambda place: bids[place])
    values = [*bids, *([ceiling] if ceiling else [])]
    low, high = min(values), max(values)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    drawn = [
        _dot(
            _across(number, max(len(order) - 1, 1)),
            _up((bids[place] - low) / (high - low)),
            is_red=marked[place],
        )
        for number, place in enumerate(order)
    ]
    if ceiling:
        level = _up((ceiling - low) / (high - low))
        drawn.append(_line(_LEFT, level, _WIDE - _RIGHT, level, dashed=True))
        drawn.append(_text(_WIDE - _RIGHT, level - 4, f"控制价 {ceiling:,.2f}", "end"))
    drawn += [_text(4, _up(1) + 4, _short(high)), _text(4, _up(0) + 4, _short(low))]
    return _framed(drawn)


def histogram(values: Sequence[float], bins: int = 20) -> str:
    """Counts of values from 0 to 1; logarithmic, so that a few stand out."""
    counts = [0] * bins
    for value in values:
        counts[min(int(value * bins), bins - 1)] += 1
    labels = [f"{number / bins:.2f}" for number in range(bins)]
    most = max(1, *counts)
    return _columns(
        [(count + 1).bit_length() / (most + 1).bit_length() if count else 0.0 for count in counts],
        labels,
        [str(count) if count else "" for count in counts],
    )


def bars(values: Mapping[str, float], form: str = "{:,.0f}") -> str:
    """One bar a group."""
    most = max(0.0, *values.values()) or 1.0
    heights = [max(value, 0.0) / most for value in values.values()]
    return _columns(heights, list(values), [form.format(value) for value in values.values()])


def network(shown: Neighbourhood) -> str:
    """Firms of this opening red; a line the thicker, the further they meet beyond chance."""
    place = {
        node.bidder: (_LEFT + node.x * (_WIDE - 2 * _LEFT), _TOP + node.y * (_HIGH * 1.6))
        for node in shown.nodes
    }
    drawn = [
        _line(
            *place[edge.first],
            *place[edge.second],
            width=min(0.4 + edge.met / (1 + edge.expected) * 0.6, 4),
        )
        for edge in shown.edges
    ]
    drawn += [_dot(*place[node.bidder], is_red=node.is_here) for node in shown.nodes]
    drawn += [
        _text(place[node.bidder][0], place[node.bidder][1] - 7, node.bidder, "middle")
        for node in shown.nodes
        if node.is_here
    ]
    return _framed(drawn, high=_TOP + _HIGH * 1.6 + _FOOT, has_axes=False)


def _columns(heights: Sequence[float], labels: Sequence[str], told: Sequence[str]) -> str:
    step = (_WIDE - _LEFT - _RIGHT) / max(len(heights), 1)
    every = max(1, len(labels) // 10)
    drawn = []
    for number, height in enumerate(heights):
        left, top = _LEFT + number * step, _up(height)
        drawn.append(
            f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{max(step - 2, 1):.1f}" '
            f'height="{_up(0) - top:.1f}" fill="{_GREY}"/>'
        )
        if told[number]:
            drawn.append(_text(left + step / 2, top - 3, told[number], "middle", size=7))
        if number % every == 0:
            drawn.append(_text(left + step / 2, _HIGH - 14, labels[number], "middle", size=8))
    return _framed(drawn)


def _framed(drawn: Sequence[str], high: float = _HIGH, *, has_axes: bool = True) -> str:
    axes = [
        _line(_LEFT, _up(0), _WIDE - _RIGHT, _up(0)),
        _line(_LEFT, _TOP, _LEFT, _up(0)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high:.0f}" '
        f'font-family="Noto Sans SC" font-size="9">'
        + "".join([*(axes if has_axes else []), *drawn])
        + "</svg>"
    )


def _across(number: int, last: int) -> float:
    return _LEFT + 12 + number / last * (_WIDE - _LEFT - _RIGHT - 24)


def _up(share: float) -> float:
    return _HIGH - _FOOT - share * (_HIGH - _FOOT - _TOP - 10)


def _dot(x: float, y: float, *, is_red: bool) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{_RED if is_red else _INK}"/>'


def _line(
    x: float, y: float, to_x: float, to_y: float, *, width: float = 0.8, dashed: bool = False
) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{_PALE}" '
        f'stroke-width="{width:.2f}"{dash}/>'
    )


def _text(x: float, y: float, said: str, anchor: str = "start", size: int = 9) -> str:
    shown = escape(said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{_INK}">{shown}</text>'
    )


def _short(value: float) -> str:
    for limit, unit in ((1e8, "亿"), (1e4, "万")):
        if abs(value) >= limit:
            return f"{value / limit:,.1f} {unit}"
    return f"{value:,.2f}"
