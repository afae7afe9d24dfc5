"""What the pages of reports are drawn from: axes, plots and bars as SVG text."""

from __future__ import annotations

import re

from onprem_agents.cli.pages.bars import Part, chain, stacked
from onprem_agents.cli.pages.chart import Series, chart, doubling, linear, plain
from onprem_agents.cli.pages.frame import document, figure, row, table


def test_an_axis_of_doublings_has_a_tick_at_each_power_of_two_and_ends_at_the_last_value() -> None:
    axis = doubling("tokens", [8192, 40_960, 131_072], plain)

    assert axis.ticks == (8192, 16384, 32768, 65536, 131072)
    assert [axis.place(value) for value in (8192, 32768, 131072)] == [0.0, 0.5, 1.0]


def test_an_axis_of_one_value_still_has_a_length() -> None:
    axis = doubling("tokens", [8192], plain)

    assert (axis.low, axis.high) == (8192, 16384)


def test_a_line_and_its_mark_share_a_colour_and_a_level_has_none() -> None:
    x, y = linear("x", [10], plain), linear("y", [10], plain)
    drawn = chart(
        "both",
        x,
        y,
        [
            Series(name="role", points=[(0, 0), (10, 10)], colour=5),
            Series(name="role", points=[(10, 10)], kind="marks", colour=5),
            Series(name="people", points=[(0, 5), (10, 5)], kind="level"),
        ],
        keys=False,
    )

    # The style has four colours, so the sixth role has the second one again.
    assert 'class="line s1"' in drawn
    assert 'class="marks s1"' in drawn
    assert 'class="level"' in drawn
    assert "people" not in drawn


def test_the_parts_of_a_bar_fill_it_and_only_those_with_room_carry_words() -> None:
    bar = stacked(
        "memory",
        [
            Part(name="weights", amount=60, look="weights", label="60 GiB"),
            Part(name="CUDA graphs", amount=1, look="runtime", label="1 GiB"),
            Part(name="KV cache", amount=39, look="cache", label="39 GiB"),
        ],
        100,
    )

    assert [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', bar)] == [600, 10, 390]
    assert re.findall(r"<text[^>]*>([^<]+)", bar) == ["weights", "60 GiB", "KV cache", "39 GiB"]
    assert "<title>CUDA graphs: 1 GiB</title>" in bar, (
        "a part without room tells itself where it is pointed at"
    )


def test_the_bars_of_a_chain_are_as_long_as_their_amounts() -> None:
    drawn = chain("limits", [("server", 600, "10 min"), ("agent", 780, "13 min")])
    first, second = (float(width) for width in re.findall(r'class="hop"[^>]* width="([\d.]+)"', drawn))

    assert round(first / second, 2) == round(600 / 780, 2)


def test_what_a_stack_calls_itself_is_text_and_no_markup() -> None:
    hostile = "<b onclick=x>&"

    for made in (
        document(hostile, []),
        figure(hostile, ""),
        stacked(hostile, [Part(name=hostile, amount=1, look="weights", label=hostile)], 1),
        chain(hostile, [(hostile, 1, hostile)]),
    ):
        assert "<b onclick" not in made


def test_a_table_without_a_head_has_none() -> None:
    assert "<th>" not in table((), [row(("a", '<td class="n">1</td>'))])
    assert table(("name",), []).count("<th>") == 1
