"""The shipped profile has its source's statistics, and sessions drawn from it have them too."""

from __future__ import annotations

import statistics
from pathlib import Path
from random import Random

import pytest
import yaml

from onprem_agents.errors import InvalidInput
from onprem_agents.probes.bench.profile import SHIPPED, read_profile, value_at
from onprem_agents.probes.bench.shape import draw
from onprem_agents.probes.bench.words import Words

pytestmark = pytest.mark.unit


def dice(seed: object) -> Random:
    return Random(str(seed))  # noqa: S311 - a fixed seed for a repeatable test


SHAPES = [draw(read_profile(SHIPPED), dice(number)) for number in range(300)]
ROUNDS = [part for shape in SHAPES for part in shape.rounds]


def test_the_shipped_profile_names_its_source_licence_and_date() -> None:
    source = read_profile(SHIPPED).source
    assert "52 developers, 8,058 sessions, 665,453 rounds" in source.title
    assert source.licence == "CC BY 4.0"
    assert source.address == "https://github.com/uw-syfi/TraceLab"
    assert str(source.released) == "2026-07-24"


def test_answers_are_as_long_as_recorded() -> None:
    lengths = [part.output_tokens for part in ROUNDS]
    assert statistics.median(lengths) == pytest.approx(249, rel=0.05)
    assert statistics.fmean(lengths) == pytest.approx(589, rel=0.15), (
        "the mean is none of the table's entries"
    )


def test_people_ask_and_tools_answer_as_often_as_recorded() -> None:
    requests = [sum(part.after != "tool" for part in shape.rounds) for shape in SHAPES]
    assert statistics.median(requests) == 1
    assert statistics.fmean(requests) == pytest.approx(10.1, rel=0.35)
    tools = sum(part.after == "tool" for part in ROUNDS) / sum(requests)
    assert tools == pytest.approx(6.7, rel=0.35)


def test_tools_pause_shortly_and_no_pause_is_longer_than_the_profile_says() -> None:
    pauses = [part.pause_seconds for part in ROUNDS if part.after == "tool"]
    assert statistics.median(pauses) == pytest.approx(0.3, abs=0.05)
    assert max(part.pause_seconds for part in ROUNDS) == 60
    assert all(shape.rounds[0].after == "start" and not shape.rounds[0].pause_seconds for shape in SHAPES)


def test_the_same_seed_draws_the_same_session() -> None:
    profile = read_profile(SHIPPED)
    assert draw(profile, dice("1 7")) == draw(profile, dice("1 7")) != draw(profile, dice("1 8"))


@pytest.mark.parametrize(("share", "value"), [(0.0, 8), (0.5, 249), (0.9, 1332), (1.0, 5542)])
def test_a_table_gives_its_own_entries(share: float, value: float) -> None:
    assert value_at({0: 8, 50: 249, 90: 1332, 100: 5542}, share) == pytest.approx(value)


def test_between_two_entries_a_table_rises_on_a_logarithmic_scale() -> None:
    assert value_at({0: 0, 100: 99}, 0.5) == pytest.approx(9)


def test_all_that_is_wrong_with_a_profile_is_told_at_once(tmp_path: Path) -> None:
    raw = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    raw["outputTokens"] = {0: 8, 50: 4, 100: 9}
    raw["growthTokens"] = {50: 9}
    raw["colour"] = "red"
    del raw["sharedTokens"]
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_profile(file)
    told = {problem.where: problem for problem in caught.value.problems}
    assert set(told) == {"outputTokens", "growthTokens", "colour", "sharedTokens"}
    assert "never fall" in told["outputTokens"].why
    assert "begins at 0 and ends at 100" in told["growthTokens"].why
    assert (told["colour"].cause, told["sharedTokens"].cause) == ("unknown-key", "missing-key")


@pytest.mark.parametrize("text", ["[1, 2", "- a list", "\udcff"])
def test_a_file_that_is_no_profile_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidInput, match=r"(start from|give with --profile) a copy of"):
        read_profile(file)


def test_a_profile_that_is_not_there_is_told_with_its_option(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no such file(.|\n)*give with --profile a copy of"):
        read_profile(tmp_path / "none.yaml")


def test_text_is_as_long_as_the_server_counts() -> None:
    words = Words.measured((200, 330), (1200, 1830))
    assert words.tokens_per_word == 1.5
    assert len(words.text(300, dice(1)).split()) == 200


def test_of_a_server_that_counts_the_same_for_all_a_word_is_a_token() -> None:
    assert Words.measured((200, 7), (1200, 7)).tokens_per_word == 1
