"""Plots as SVG text for a page without scripts: lines and dots over plain or logarithmic axes.

A plotting library would be the larger part of a developer's installation. Of those of pure Python pygal 3.1.3 puts a
script into each plot and has a logarithmic x axis beside a logarithmic y axis alone, leather 0.4.1 has none at all
(pygal run, both looked into, 2026-11-28).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

_WIDTH, _HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 26, 30, 46
_MOST_DOTS = 4_000
_STEPS = (1, 2, 5, 10)
COLOURS = 4
"""How many colours the page's style has, s0 and on."""
Point = tuple[float, float]
Form = Callable[[float], str]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis from `low` to `high`; a logarithmic one begins above 0."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    form: Form
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the beginning and 1 at the end; what is outside lies at an end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points that belong together: a line, a cloud of dots, single marks, or the dashed line of a level.

    Those of one `colour` belong to the same thing; None: each has its own.
    """

    name: str
    points: Sequence[Point]
    kind: Literal["line", "dots", "marks", "level"] = "line"
    colour: int | None = None


def plain(value: float) -> str:
    """Return a number as an axis shows it."""
    return f"{value:,.10g}"


def linear(title: str, values: Sequence[float], form: Form) -> Axis:
    """Return an axis from 0 to a round number above all values."""
    most = max((*values, 0.0)) or 1.0
    step = _round_step(most / 5)
    steps = math.ceil(most / step - 1e-9)
    ticks = tuple(step * number for number in range(steps + 1))
    return Axis(title=title, low=0.0, high=ticks[-1], ticks=ticks, form=form)


def logarithmic(title: str, values: Sequence[float], form: Form) -> Axis:
    """Return an axis over the decades of all values above 0."""
    positive = [value for value in values if value > 0] or [1.0]
    first, last = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    last = max(last, first + 1)
    ticks = tuple(10.0**power for power in range(first, last + 1))
    return Axis(title=title, low=ticks[0], high=ticks[-1], ticks=ticks, form=form, log=True)


def doubling(title: str, values: Sequence[float], form: Form) -> Axis:
    """Return a logarithmic axis over all values with a tick at each power of two among them."""
    low, high = min(values), max(values)
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    ticks = tuple(2.0**power for power in range(first, last + 1))
    return Axis(title=title, low=low, high=max(high, 2 * low), ticks=ticks, form=form, log=True)


def _round_step(rough: float) -> float:
    scale = 10.0 ** math.floor(math.log10(rough))
    return scale * next(step for step in _STEPS if step * scale >= rough - 1e-12)


def shares(values: Sequence[float]) -> list[Point]:
    """Return the points of a distribution: for each value the share in percent that is not above it."""
    ordered = sorted(values)
    return [(value, 100 * (number + 1) / len(ordered)) for number, value in enumerate(ordered)]


def chart(title: str, x: Axis, y: Axis, series: Sequence[Series], *, keys: bool = True) -> str:
    """Return a plot; its title is told to who cannot see it. Without keys the page tells which series is which."""
    middle, centre = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="translate(14 {centre:.0f}) rotate(-90)"'
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *(_x_tick(x, tick) for tick in x.ticks),
        *(_y_tick(y, tick) for tick in y.ticks),
        f'<text class="title" x="{middle:.0f}" y="{_HEIGHT - 8}">{escape(x.title)}</text>',
        f'<text class="title" {turned}>{escape(y.title)}</text>',
        *(_drawn(one, number, x, y) for number, one in enumerate(series)),
    ]
    if keys and len(series) > 1:
        parts += [_key(one.name, number) for number, one in enumerate(series)]
    return "".join([*parts, "</svg>"])


def _at(x: Axis, y: Axis, point: Point) -> tuple[float, float]:
    across, up = x.place(point[0]), y.place(point[1])
    return (
        _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
        _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
    )


def _x_tick(x: Axis, tick: float) -> str:
    at = _LEFT + x.place(tick) * (_WIDTH - _LEFT - _RIGHT)
    line = f'<path class="grid" d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
    return f'{line}<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 16}">{escape(x.form(tick))}</text>'


def _y_tick(y: Axis, tick: float) -> str:
    at = _HEIGHT - _BOTTOM - y.place(tick) * (_HEIGHT - _TOP - _BOTTOM)
    line = f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>'
    return f'{line}<text class="left" x="{_LEFT - 6}" y="{at + 4:.1f}">{escape(y.form(tick))}</text>'


def _drawn(series: Series, number: int, x: Axis, y: Axis) -> str:
    points = series.points[:: math.ceil(len(series.points) / _MOST_DOTS) or 1]
    places = [_at(x, y, point) for point in points]
    colour = (number if series.colour is None else series.colour) % COLOURS
    if series.kind in ("dots", "marks"):
        # A path of points that are nothing but their round ends: one element for thousands of dots.
        dots = "".join(f"M{across:.1f} {down:.1f}h0" for across, down in places)
        return f'<path class="{series.kind} s{colour}" d="{dots}"/>' if dots else ""
    line = "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
    drawn = "level" if series.kind == "level" else f"line s{colour}"
    return f'<path class="{drawn}" d="M{line}"/>' if line else ""


def _key(name: str, number: int) -> str:
    left = _LEFT + 200 * number
    return (
        f'<path class="line s{number}" d="M{left} 12h18"/>'
        f'<text class="key" x="{left + 24}" y="16">{escape(name)}</text>'
    )
