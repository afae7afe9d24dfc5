"""What every page shares: the document around it, its look on a screen, a phone and paper, tables and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6b7a;--line:#d8dfe6;--paper:#fff;--card:#f6f8fa;--good:#1a7f37;
--bad:#c4281c;--s0:#1769aa;--s1:#d1570a;--s2:#2b8a57;--s3:#8250c4}
@media(prefers-color-scheme:dark){:root{--ink:#e3e9ef;--soft:#9fb0c0;--line:#37444f;--paper:#11181e;--card:#1a232b;
--good:#57c26d;--bad:#ff7b6b;--s0:#62b0f0;--s1:#ff9a4d;--s2:#5fd08f;--s3:#bf9bff}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:2rem auto;
padding:0 1.2rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .6rem}p{margin:.3rem 0}.soft{color:var(--soft)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;overflow-wrap:normal}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(460px,100%),1fr));gap:1rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem}
figcaption{font-weight:600;margin-bottom:.3rem}.chart{width:100%;height:auto;display:block}
.chart text{font-size:12px;fill:var(--soft);text-anchor:middle}.chart .left{text-anchor:end}
.chart .key{text-anchor:start}
.chart .title{fill:var(--ink)}.chart path{fill:none}.chart .grid{stroke:var(--line)}
.chart .line{stroke-width:2;stroke-linejoin:round}.chart .dots{stroke-width:5;stroke-linecap:round;opacity:.55}
.chart .marks{stroke-width:11;stroke-linecap:round}
.chart .level{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:6 4}
.chart .s0{stroke:var(--s0)}.chart .s1{stroke:var(--s1)}.chart .s2{stroke:var(--s2)}.chart .s3{stroke:var(--s3)}
@media print,(max-width:639px){.chart text{font-size:17px}}@media(max-width:639px){.wide table{min-width:34rem}}
@media print{:root{color-scheme:light;--ink:#1c2733;--soft:#5b6b7a;--line:#d8dfe6;--paper:#fff;--card:#fff;
--good:#1a7f37;--bad:#c4281c;--s0:#1769aa;--s1:#d1570a;--s2:#2b8a57;--s3:#8250c4}
@page{size:A4;margin:14mm}body{margin:0;padding:0;max-width:none;font-size:9pt;line-height:1.35;print-color-adjust:exact}
td,th{padding:.12rem .5rem}h2{margin:1.1rem 0 .4rem}
.grid2{grid-template-columns:1fr 1fr}h2{break-after:avoid}figure,tr{break-inside:avoid}}
"""


def document(title: str, parts: Iterable[str], style: str = "") -> str:
    """Return a whole page; `style` is what only this page needs."""
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            # Nothing is loaded, whatever a name on the page may hold.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>",
            *parts,
            "</body></html>\n",
        ]
    )


def row(cells: Iterable[str], tag: str = "td") -> str:
    """Return a row of a table; a cell may bring its own tag."""
    return (
        "<tr>"
        + "".join(cell if cell.startswith(("<td", "<th")) else f"<{tag}>{cell}</{tag}>" for cell in cells)
        + "</tr>"
    )


def table(head: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table, which scrolls by itself where the screen is narrow; without a head it has none."""
    first = row(head, "th") if head else ""
    return f'<div class="wide"><table>{first}{"".join(rows)}</table></div>'


def figure(caption: str, plot: str) -> str:
    """Return a plot with its caption."""
    return f"<figure><figcaption>{escape(caption)}</figcaption>{plot}</figure>"
