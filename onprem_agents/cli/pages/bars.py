"""Bars as SVG text: the memory of a GPU in its parts, and limits that must grow from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _BAR, _LETTER = 1000.0, 44.0, 7.5
_NAME, _ROW, _VALUE = 150.0, 26.0, 90.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a bar: `look` is the class that colours it, `label` what stands in it where there is room."""

    name: str
    amount: float
    look: str
    label: str


def stacked(title: str, parts: Sequence[Part], whole: float) -> str:
    """Return one bar of that whole, cut into its parts from the left."""
    drawn, left = [], 0.0
    for part in parts:
        width = _WIDTH * part.amount / whole
        drawn.append(
            f'<rect class="{part.look}" x="{left:.1f}" y="0" width="{width:.1f}" height="{_BAR:.0f}">'
            f"<title>{escape(part.name)}: {escape(part.label)}</title></rect>"
        )
        middle = left + width / 2
        drawn += [
            f'<text x="{middle:.1f}" y="{top}">{escape(text)}</text>'
            for text, top in ((part.name, 19), (part.label, 35))
            if width >= _LETTER * len(text)
        ]
        left += width
    return (
        f'<svg class="bar" viewBox="0 0 {_WIDTH:.0f} {_BAR:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(drawn)}</svg>"
    )


def chain(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """Return a bar for each row of name, amount and label, one below the other."""
    most = max((amount for _, amount, _ in rows), default=0.0) or 1.0
    room = _WIDTH / 2 - _NAME - _VALUE
    drawn = []
    for number, (name, amount, label) in enumerate(rows):
        top, width = _ROW * number, room * amount / most
        drawn.append(
            f'<text x="0" y="{top + 17:.0f}">{escape(name)}</text>'
            f'<rect class="hop" x="{_NAME:.0f}" y="{top + 4:.0f}" width="{width:.1f}" height="{_ROW - 8:.0f}"/>'
            f'<text x="{_NAME + width + 8:.1f}" y="{top + 17:.0f}">{escape(label)}</text>'
        )
    return (
        f'<svg class="chain" viewBox="0 0 {_WIDTH / 2:.0f} {_ROW * len(rows):.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )
