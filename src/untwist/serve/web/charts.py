"""Charts as inline SVG: no script, no style attribute, and each beside a table that says the same.

A chart is drawn for a phone and grows with the page. Colour never carries a meaning alone: what was
first is a ring, what came after is a disc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDE, _HIGH = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 10, 24


@dataclass(frozen=True, slots=True)
class Pair:
    """A rating before and after.

    Attributes:
        when: the day, under the mark.
        before: 0 to 100; None when it was left out.
        after: 0 to 100; None when it was left out.
    """

    when: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """A sum of a questionnaire.

    Attributes:
        when: the day.
        value: the sum.
    """

    when: str
    value: int


def bar(value: int, most: int) -> Markup:
    """One bar, whose length is `value` of `most`; the number stands beside it, in the table."""
    length = 0.0 if most <= 0 else 100 * value / most
    return Markup(
        '<svg class="bar-chart" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="0" width="100" height="10"/>'
        f'<rect class="mark" x="0" y="0" width="{length:.1f}" height="10"/></svg>'
    )


def pairs(points: Sequence[Pair], title: str, about: str) -> Markup:
    """Ratings before and after, a line for each record, in order of time."""
    drawn = [_frame(100, (0, 50, 100))]
    for at, point in enumerate(points):
        x = _across(at, len(points))
        if point.before is not None and point.after is not None:
            drawn.append(
                Markup(
                    f'<line class="link" x1="{x:.1f}" x2="{x:.1f}" '
                    f'y1="{_up(point.before, 100):.1f}" y2="{_up(point.after, 100):.1f}"/>'
                )
            )
        if point.before is not None:
            drawn.append(_ring(x, _up(point.before, 100), "before"))
        if point.after is not None:
            drawn.append(_ring(x, _up(point.after, 100), "after"))
    drawn.append(_days([point.when for point in points]))
    return _chart(title, about, drawn)


def scores(
    points: Sequence[Point],
    bands: Sequence[tuple[str, int, int]],
    most: int,
    title: str,
    about: str,
) -> Markup:
    """Sums over time, on the bands that they fall in.

    Args:
        points: in order of time.
        bands: name, lowest and highest sum.
        most: the highest sum there is.
        title: of the chart.
        about: what it shows, in words.
    """
    drawn = []
    for place, (name, low, high) in enumerate(bands):
        top, bottom = _up(min(high + 1, most), most), _up(low, most)
        drawn.append(
            Markup(
                f'<rect class="band band{place % 2}" x="{_LEFT}" y="{top:.1f}" '
                f'width="{_WIDE - _LEFT - _RIGHT}" height="{bottom - top:.1f}"/>'
                f'<text class="band-name" x="{_WIDE - _RIGHT - 4}" y="{bottom - 4:.1f}" '
                f'text-anchor="end">{escape(name)}</text>'
            )
        )
    drawn.append(_frame(most, [low for _, low, _ in bands]))
    spots = [(_across(at, len(points)), _up(point.value, most)) for at, point in enumerate(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    drawn.append(Markup(f'<polyline class="link" fill="none" points="{line}"/>'))
    drawn += [_ring(x, y, "after") for x, y in spots]
    drawn.append(_days([point.when for point in points]))
    return _chart(title, about, drawn)


def _chart(title: str, about: str, drawn: Sequence[Markup]) -> Markup:
    inside = Markup("").join(drawn)
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{escape(title)}. {escape(about)}">{inside}</svg>'
    )


def _frame(most: int, ticks: Sequence[int]) -> Markup:
    rows = [
        Markup(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" '
            f'y1="{_up(tick, most):.1f}" y2="{_up(tick, most):.1f}"/>'
            f'<text x="{_LEFT - 5}" y="{_up(tick, most) + 4:.1f}" text-anchor="end">{tick}</text>'
        )
        for tick in ticks
    ]
    return Markup("").join(rows)


def _days(days: Sequence[str]) -> Markup:
    """The first and the last day, under their marks."""
    if not days:
        return Markup("")
    row = f'y="{_HIGH - 6}"'
    if len(set(days)) == 1:
        middle = (_LEFT + _WIDE - _RIGHT) / 2
        return Markup(f'<text x="{middle:.0f}" {row} text-anchor="middle">{escape(days[0])}</text>')
    return Markup(
        f'<text x="{_LEFT}" {row}>{escape(days[0])}</text>'
        f'<text x="{_WIDE - _RIGHT}" {row} text-anchor="end">{escape(days[-1])}</text>'
    )


def _ring(x: float, y: float, kind: str) -> Markup:
    return Markup(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')


def _across(at: int, count: int) -> float:
    room = _WIDE - _LEFT - _RIGHT
    return _LEFT + room * (at + 0.5) / max(1, count)


def _up(value: float, most: int) -> float:
    room = _HIGH - _TOP - _BOTTOM
    return _HIGH - _BOTTOM - room * value / most
