"""Whether something on the way holds events back, by the times at which they came."""

from __future__ import annotations

import httpx
import pytest

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.probes import smoke
from onprem_agents.probes.exchange import ARRIVALS, SILENCE, Target
from onprem_agents.probes.pace import Arrival, pace

pytestmark = pytest.mark.unit

Came = tuple[Arrival, ...]


def evenly(events: int, *, each: float, first: float = 0.3) -> Came:
    return tuple(Arrival(seconds=first + number * each, events=1) for number in range(events))


def in_blocks(events: int, *, of: int, each: float) -> Came:
    """Give events on when so many were made, as a buffer does."""
    return tuple(Arrival(seconds=0.3 + end * each, events=of) for end in range(of, events + 1, of))


WORD = evenly(2, each=0.02)
FAST_AFTER_A_QUEUE = evenly(100, each=0.001, first=9.0)


@pytest.mark.parametrize(
    ("came", "held"),
    [
        (evenly(100, each=0.02), False),
        (evenly(100, each=0.005, first=20.0), False),
        (in_blocks(100, of=100, each=0.02), True),
        (in_blocks(100, of=20, each=0.02), True),
        (in_blocks(100, of=3, each=0.02), False),
        (FAST_AFTER_A_QUEUE, True),
        (in_blocks(59, of=59, each=0.05), False),
        (evenly(100, each=0.0, first=0.9), False),
        ((), False),
    ],
    ids=["even", "queue", "at-once", "blocks", "threes", "fast-after-queue", "few", "quick", "nothing"],
)
def test_few_blocks_of_many_events_look_held_back(came: Came, held: bool) -> None:
    assert pace(came).held is held


def test_what_was_read_in_two_parts_of_one_moment_is_one_block() -> None:
    """A long answer does not fit into one packet, nor into one read."""
    came = tuple(Arrival(seconds=4.0 + part * 0.001, events=20) for part in range(5))
    assert pace(came).text == "100 events came at once, the first after 4.0 s"


@pytest.mark.parametrize(
    ("count", "again", "word", "cause"),
    [
        (evenly(100, each=0.02), (), (), "ok"),
        (in_blocks(100, of=100, each=0.02), in_blocks(100, of=100, each=0.02), WORD, "buffered"),
        (in_blocks(100, of=20, each=0.02), in_blocks(100, of=20, each=0.02), (), "buffered"),
        (in_blocks(100, of=100, each=0.02), evenly(100, each=0.02), WORD, "ok"),
        (FAST_AFTER_A_QUEUE, FAST_AFTER_A_QUEUE, evenly(2, each=0.001, first=8.0), "ok"),
    ],
    ids=["even", "held", "blocks", "once-only", "queue"],
)
def test_it_is_told_only_where_it_stays_and_no_queue_explains_it(
    count: Came, again: Came, word: Came, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"count": [count, again], "word": [word]}

    def answer(
        _target: Target, _http: httpx.Client, _method: str, _path: str, body: dict[str, object]
    ) -> tuple[httpx.Response, str]:
        came = answers["count" if "Count from" in str(body["messages"]) else "word"].pop(0)
        response = httpx.Response(200, extensions={ARRIVALS: came, SILENCE: 0.0})
        return response, 'data: {"choices": []}\n\ndata: [DONE]\n\n'

    monkeypatch.setattr(smoke, "exchange_when_free", answer)
    with httpx.Client() as http:
        found = smoke.streaming(Target(base_url="http://127.0.0.1:9/v1", model="coder"), http)
    assert (found.probe, found.cause) == ("streaming", cause)
    assert (found.severity is Severity.OK) is (cause == "ok")
