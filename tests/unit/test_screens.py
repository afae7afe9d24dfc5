"""What the screens of the agents are read for: the models of a list, and the window on a page."""

from __future__ import annotations

import re

import pytest

from onprem_agents.probes.screens import SCREENS
from onprem_agents.probes.terminal import COLUMNS
from tests.unit.contract_samples import contract

pytestmark = pytest.mark.unit

# opencode 1.18.33 lays its list over the conversation, here as a terminal showed it (2026-11-28).
OVER_A_CONVERSATION = """\
  \u2503  Create the file /tmp/onprem-doctor-37osb987/hello.txt containing the word hi
  \u2503   1 hi
                                  Select model                                     esc
     + Thought: 6ms
                                  Search
     Done: /tmp/onprem-doctor-
                                  On-Prem
     \u25a3  Build \u00b7 coder (Qwen/Qw  \u25cf coder (Qwen/Qwen3.6-27B-FP8)
     words of the conversation    fast (google/gemma-4-E4B-it)                            words on its right
                                  Connect provider ctrl+a  Favorite ctrl+f
  \u2503  Build \u00b7 coder (Qwen/Qwen3.6-27B-FP8) On-Prem
   /tmp/onprem-doctor-37osb987                                                             7.9K (12%)  ctrl+p commands
"""


def test_the_rows_of_opencodes_list_are_read_over_whatever_stands_behind_it() -> None:
    assert COLUMNS == 120, "the list stands in the middle of a screen of that width"

    rows = [match[1] for match in re.finditer(SCREENS["opencode"].row, OVER_A_CONVERSATION, re.MULTILINE)]

    assert rows == ["coder (Qwen/Qwen3.6-27B-FP8)", "fast (google/gemma-4-E4B-it)"]


@pytest.mark.parametrize(
    ("context_tokens", "told"),
    [(131_072, "125K"), (65_536, "62.3K"), (32_768, "31.1K"), (262_144, "249K"), (9_000, "8.55K")],
)
def test_codex_tells_of_a_window_in_three_digits(context_tokens: int, told: str) -> None:
    main = contract().main.model_copy(update={"context_tokens": context_tokens})
    other = contract().model_copy(update={"roles": (main,)})
    pattern = SCREENS["codex"].told(other)[-1]

    assert re.search(pattern, f"Context window:      100% left (8.95K used / {told})")
    assert not re.search(pattern, "Context window:      100% left (8.95K used / 200K)")
