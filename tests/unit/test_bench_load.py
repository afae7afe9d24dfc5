"""Sessions on the scripted model: prompts that grow, what is measured of them, and what failures do to a run."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from onprem_agents.errors import EnvironmentProblem
from onprem_agents.probes.bench.bounds import Bound, Promised, bounds
from onprem_agents.probes.bench.calibrate import calibrate
from onprem_agents.probes.bench.figures import Spread, figures
from onprem_agents.probes.bench.load import Run
from onprem_agents.probes.bench.sample import Answer, Sample, Usage
from onprem_agents.probes.bench.session import Conversation, Limits
from onprem_agents.probes.bench.shape import Round
from onprem_agents.probes.bench.words import Words
from scripted_model.http import HttpRequest, HttpResponse
from tests.unit.bench_load import KEY, LIMITS, loaded, served
from tests.unit.contract_samples import contract
from tests.unit.event_loop import finished

pytestmark = pytest.mark.unit


def bodies(requests: list[HttpRequest]) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in requests]


def judged(run: Run, name: str) -> Bound:
    found = bounds(run, figures(run), Promised(timeouts=contract().timeouts))
    return next(bound for bound in found if bound.name == name)


def test_a_session_grows_its_prompt_and_sends_the_answers_back() -> None:
    run, requests = loaded(rounds=4, requestsPerSession={0: 1, 100: 1}, toolRoundsPerRequest={0: 3, 100: 3})
    first = [body["messages"] for body in bodies(requests)][:4]
    assert [len(messages) for messages in first] == [2, 4, 6, 8]
    for before, after in pairwise(first):
        assert after[: len(before)] == before, "a turn begins with all of the turn before it"
        assert after[len(before)]["role"] == "assistant"
        assert after[len(before)]["content"], "the answer goes back"
    assert all(sample.answer.ok for sample in run.samples[:4])
    assert [sample.after for sample in run.samples[:4]] == ["start", "tool", "tool", "tool"]


def test_a_request_streams_asks_for_usage_and_has_the_drawn_length() -> None:
    _, requests = loaded(rounds=1, outputTokens={0: 21, 100: 21})
    body = bodies(requests)[0]
    assert (body["model"], body["stream"], body["max_tokens"]) == ("coder", True, 21)
    assert body["stream_options"] == {"include_usage": True}
    assert body["ignore_eos"] is True
    assert dict(requests[0].headers)["authorization"] == f"Bearer {KEY}"


def test_all_sessions_share_the_first_part_of_their_prompts_and_nothing_more() -> None:
    _, requests = loaded(sessions=3, seconds=5, rounds=24)
    first = [messages for body in bodies(requests) if len(messages := body["messages"]) == 2]
    assert len({messages[0]["content"] for messages in first}) == 1
    assert len({messages[1]["content"] for messages in first}) == len(first) > 2


def test_prompts_are_as_long_as_the_profile_says_in_the_tokens_of_the_server() -> None:
    run, _ = loaded(rounds=1, sharedTokens=2000, openingTokens={0: 500, 100: 500})
    told = run.samples[0].answer.usage.prompt_tokens
    assert told == pytest.approx(2500, rel=0.08)


def test_what_repeats_is_found_in_the_cache_and_told() -> None:
    run, _ = loaded(rounds=12, sharedTokens=3000)
    found = figures(run)
    assert found.reusable_share is not None
    assert found.cached_share is not None
    assert found.cached_share > 0.8
    assert judged(run, "prompt tokens from the prefix cache").within


def test_a_server_without_a_prefix_cache_misses_its_bound() -> None:
    run, _ = loaded(rounds=6, faults=("no-prefix-cache",))
    bound = judged(run, "prompt tokens from the prefix cache")
    assert (bound.within, bound.measured) == (False, "0%")
    assert "computed anew" in bound.why


def test_the_first_token_is_timed_and_the_rest_by_the_count_of_the_server() -> None:
    answer = Answer(cause="ok", seconds=3.0, first_seconds=1.0, usage=Usage(output_tokens=21))
    sample = Sample(session=1, after="tool", at_seconds=0, reusable_tokens=0, refusals=0, answer=answer)
    assert sample.token_seconds == pytest.approx(0.1)


def played(play: str, **settings: Any) -> Run:
    """Run a load in whose prompts a directive of the scripted model stands."""

    def before(request: HttpRequest) -> HttpResponse | None:
        if request.path != "/v1/chat/completions":
            return None
        body = json.loads(request.body)
        body["messages"][-1]["content"] += f" [play {play}]"
        object.__setattr__(request, "body", json.dumps(body).encode())
        return None

    return loaded(before=before, **settings)[0]


def test_silence_before_the_first_token_and_the_pace_after_it_are_told_apart() -> None:
    run = played("silence=0.3 tokens=40 rate=200", rounds=1)
    answer = run.samples[0].answer
    assert answer.first_seconds is not None
    assert 0.3 <= answer.first_seconds < answer.seconds - 0.1
    assert answer.silence_seconds >= 0.25
    assert run.samples[0].token_seconds is not None
    assert run.samples[0].token_seconds >= 0.8 / 200


def test_a_busy_server_is_asked_again_as_agents_do_and_that_is_told() -> None:
    refused: list[int] = []

    def before(request: HttpRequest) -> HttpResponse | None:
        if len(json.loads(request.body)["messages"]) == 4 and not refused:
            refused.append(1)
            return HttpResponse(status=429, headers={"retry-after": "0"}, body=b"{}")
        return None

    run, _ = loaded(before=before, rounds=4)
    assert figures(run).refusals == 1
    assert figures(run).failed == 0
    assert not judged(run, "rounds told to come again").within


def test_a_stream_that_breaks_ends_its_session_and_the_next_one_begins() -> None:
    broken: list[int] = []

    def before(request: HttpRequest) -> HttpResponse | None:
        if len(json.loads(request.body)["messages"]) == 4 and not broken:
            broken.append(1)
            return HttpResponse(
                headers={"content-type": "text/event-stream"}, body=b'data: {"choices": []}\n\n'
            )
        return None

    run, _ = loaded(before=before, rounds=4)
    found = figures(run)
    assert (found.failed, found.causes["cut"]) == (1, 1)
    assert found.sessions_begun > 1, "the slot goes on"
    bound = judged(run, "rounds that failed")
    assert not bound.within
    assert "cut 1" in bound.why


def test_a_run_of_nothing_but_failures_ends_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onprem_agents.probes.bench.load._AFTER_FAILURE_SECONDS", 0.01)

    def before(request: HttpRequest) -> HttpResponse | None:
        long = len(request.body) > 30_000  # the two requests before the load are shorter
        return HttpResponse(status=500, body=b'{"error": {"message": "out of memory"}}') if long else None

    run, _ = loaded(before=before, sharedTokens=12_000)
    assert run.ended == "stopped"
    assert run.seconds < 120
    found = bounds(run, figures(run), Promised())
    assert [bound.name for bound in found if not bound.within] == ["rounds answered", "rounds that failed"]
    assert all("out of memory" in bound.why or "log" in bound.change for bound in found if not bound.within)


def test_a_run_that_is_stopped_tells_what_it_measured_and_what_was_under_way() -> None:
    run, _ = loaded(rounds=2)
    assert run.ended == "interrupted"
    assert run.seconds < 120
    found = figures(run)
    assert found.rounds == 2
    assert found.unfinished == 1
    assert found.failed == 0, "what was cut by us is no failure of the server"


def test_a_run_ends_with_its_time_and_waits_for_the_rounds_under_way() -> None:
    run = played("silence=0.4 tokens=4", seconds=0.1)
    assert run.ended == "time"
    assert run.seconds > 0.4
    assert [sample.answer.cause for sample in run.samples] == ["ok"]


def test_the_key_is_in_no_evidence() -> None:
    def before(request: HttpRequest) -> HttpResponse | None:
        body = json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()
        return HttpResponse(status=401, body=body) if len(request.body) > 3000 else None

    with pytest.raises(EnvironmentProblem) as caught:
        loaded(before=before)
    assert KEY not in str(caught.value)
    assert "key-refused" in str(caught.value)


def test_an_endpoint_that_does_not_serve_the_model_is_told_before_any_load() -> None:
    async def asked() -> None:
        async with served(lambda _: HttpResponse(status=404, body=b"not found")) as (caller, _):
            await calibrate(caller)

    with pytest.raises(EnvironmentProblem, match="does not answer"):
        finished(asked())


def conversation(limits: Limits = LIMITS) -> Conversation:
    return Conversation(
        shared_text="shared",
        shared_tokens=1000,
        words=Words(),
        limits=limits,
        chance=Random(1),  # noqa: S311 - no secret
    )


def told(prompt: int, output: int) -> Answer:
    usage = Usage(prompt_tokens=prompt, output_tokens=output)
    return Answer(cause="ok", seconds=1, text="done", usage=usage)


def test_a_conversation_is_compacted_before_it_is_longer_than_an_agent_lets_it_be() -> None:
    talk = conversation()
    part = Round(after="tool", pause_seconds=0, new_tokens=3000, output_tokens=100)
    talk.next_request(part)
    talk.answered(told(48_000, 100))
    request = talk.next_request(part)
    assert talk.compactions == 1
    assert [message["role"] for message in request.messages] == ["system", "user"]
    assert request.reusable_tokens == 1000, "only the shared part comes again"
    assert talk.prompt_tokens < 6000


def test_prompt_and_answer_stay_within_the_window_whatever_is_drawn() -> None:
    limits = Limits(context_tokens=16_384, compact_at_tokens=13_107, max_output_tokens=2_048)
    talk = conversation(limits)
    part = Round(after="start", pause_seconds=0, new_tokens=90_000, output_tokens=50_000)
    request = talk.next_request(part)
    assert request.output_tokens == 2_048
    assert talk.prompt_tokens + request.output_tokens <= 16_384
    assert talk.compactions == 0, "there was nothing to compact yet"


def test_a_spread_is_that_of_its_values() -> None:
    spread = Spread.of(range(1, 101))
    assert spread is not None
    assert (spread.count, spread.p50, spread.most) == (100, 50.5, 100)
    assert spread.p90 == pytest.approx(90.1)
    assert Spread.of([]) is None
    single = Spread.of([3.0])
    assert single is not None
    assert single.p99 == 3.0


def test_tokens_of_sessions_that_overlap_are_added_and_others_not() -> None:
    def sample(session: int, at: float, prompt: int) -> Sample:
        answer = Answer(
            cause="ok", seconds=1, first_seconds=0.5, usage=Usage(prompt_tokens=prompt, output_tokens=0)
        )
        return Sample(
            session=session, after="start", at_seconds=at, reusable_tokens=0, refusals=0, answer=answer
        )

    run, _ = loaded(rounds=1)
    samples = (sample(1, 0, 100), sample(2, 1.5, 50), sample(1, 2, 300), sample(3, 9, 200))
    assert figures(replace(run, samples=samples)).most_tokens_held == 350
