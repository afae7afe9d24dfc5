"""Does the model think as much as the contract says: where nothing is asked, and where a request asks for it.

Fields of vLLM 0.33.0 (2026-11-28): `chat_template_kwargs`, `thinking_token_budget` and `reasoning_effort` of chat
requests, `thinking` and `output_config` of Anthropic's, `reasoning` of Responses. A hop that drops one shows here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.contract.connection import Role
from onprem_agents.probes.patient import Patient, ask
from onprem_agents.probes.streams import Stream, of_chat, of_messages, of_responses
from onprem_agents.probes.verdict import Verdict, fine
from onprem_agents.stack.thinking import ServedThinking

# Enough to think about for more tokens than the small budget, and one number to say.
_TASK = "Think step by step: how many primes lie below 60? Then say the number alone."
_ANSWER_TOKENS = 1024
_SMALL_BUDGET_TOKENS = 64
# The words with which a thought is closed, and what a token is at the most in letters.
_CLOSING_TOKENS, _LETTERS_PER_TOKEN = 32, 8
_MESSAGES_BUDGET_TOKENS = 1024  # the least that the Messages API takes
_DEPLOY = "the platform team must deploy the stack again: the server runs otherwise than its settings say"

Reader = Callable[[str], Stream]


def names_of_thinking(role: Role) -> tuple[str, ...]:
    """Return the names of what `thinking` yields of a role."""
    told = role.thinking
    if told is None:
        return ()
    wanted = {
        "thinking": True,
        "thinking off": told.default == "on" and told.switch is not None,
        "thinking budget": told.budget_tokens is not None,
        "reasoning effort": len(told.efforts) > 1,
        "messages thinking": True,
        "responses thinking": True,
    }
    return tuple(probe for probe, asked in wanted.items() if asked)


def thinking(patient: Patient) -> Iterator[Verdict]:
    """Yield whether the model thinks as its contract says, in each API that agents use."""
    told = patient.role.thinking
    if told is None:
        return
    asked = {
        "thinking": _default,
        "thinking off": _off,
        "thinking budget": _budget,
        "reasoning effort": _efforts,
        "messages thinking": _messages,
        "responses thinking": _responses,
    }
    for probe in names_of_thinking(patient.role):
        yield asked[probe](patient, told)


def _default(patient: Patient, told: ServedThinking) -> Verdict:
    return _chat(patient, "thinking", {}, lambda stream: _as_told(stream, told))


def _off(patient: Patient, told: ServedThinking) -> Verdict:
    def judge(stream: Stream) -> Diagnosis:
        if not stream.thought:
            return fine(f"{told.switch} false switches it off")
        fix = (
            f"a hop before the model drops chat_template_kwargs, or its chat template has no {told.switch}:"
            " compare the stack's translation and chatTemplate"
        )
        return Diagnosis(cause="switch-ignored", evidence=f"{_amount(stream)} all the same", fix=fix)

    return _chat(patient, "thinking off", {"chat_template_kwargs": {told.switch: False}}, judge)


def _budget(patient: Patient, told: ServedThinking) -> Verdict:
    most = (_SMALL_BUDGET_TOKENS + _CLOSING_TOKENS) * _LETTERS_PER_TOKEN

    def judge(stream: Stream) -> Diagnosis:
        if len(stream.thought) <= most:
            return fine(f"a budget of {_SMALL_BUDGET_TOKENS} tokens ends it: {_amount(stream)}")
        fix = (
            "a hop before the model drops thinking_token_budget, or vLLM runs without its --reasoning-parser:"
            " compare the stack's translation and the server's arguments"
        )
        evidence = f"{_amount(stream)} with a budget of {_SMALL_BUDGET_TOKENS} tokens"
        return Diagnosis(cause="budget-ignored", evidence=evidence, fix=fix)

    switched = {"chat_template_kwargs": {told.switch: True}} if told.switch is not None else {}
    fields = {"thinking_token_budget": _SMALL_BUDGET_TOKENS, **switched}
    return _chat(patient, "thinking budget", fields, judge)


def _efforts(patient: Patient, told: ServedThinking) -> Verdict:
    least, most = told.efforts[0], told.efforts[-1]
    lengths: list[int] = []

    def judge(stream: Stream) -> Diagnosis:
        lengths.append(len(stream.thought))
        said = f"{least}: {lengths[0]} characters of thought" + (
            f", {most}: {lengths[1]}" if len(lengths) > 1 else ""
        )
        # Chance has its part in the length of a thought, so this alone is no fault.
        cause = "effort-without-effect" if len(lengths) > 1 and lengths[0] >= lengths[1] else "ok"
        return fine(said, cause=cause)

    first = _chat(patient, "reasoning effort", {"reasoning_effort": least}, judge)
    if first.severity is not Severity.OK:
        return first
    return _chat(patient, "reasoning effort", {"reasoning_effort": most}, judge)


def messages_thinking(told: ServedThinking | None, *, answer_tokens: int) -> dict[str, Any]:
    """Return the fields by which Claude Code asks for thinking when it is set up for this contract."""
    if told is None or told.default == "off":
        return {"max_tokens": answer_tokens}
    if told.budget_tokens is not None:
        budget = {"type": "enabled", "budget_tokens": _MESSAGES_BUDGET_TOKENS}
        return {"max_tokens": answer_tokens + _MESSAGES_BUDGET_TOKENS, "thinking": budget}
    effort = {"output_config": {"effort": told.effort}} if told.effort is not None else {}
    return {"max_tokens": answer_tokens, "thinking": {"type": "adaptive"}, **effort}


def responses_thinking(told: ServedThinking | None) -> dict[str, str]:
    """Return the fields of `reasoning` that Codex sends when it is set up for this contract."""
    effort = None if told is None else told.effort if told.default == "on" else "none"
    return {"effort": effort} if effort is not None else {}


def _messages(patient: Patient, told: ServedThinking) -> Verdict:
    target = patient.anthropic
    fields = messages_thinking(told, answer_tokens=_ANSWER_TOKENS)
    body = {**_asked(patient), "messages": [{"role": "user", "content": _TASK}], **fields}
    return ask(
        patient,
        "messages thinking",
        "messages?beta=true",
        body,
        lambda text: _read(text, of_messages, lambda stream: _as_told(stream, told)),
        target=target,
        headers=patient.anthropic_headers,
    )


def _responses(patient: Patient, told: ServedThinking) -> Verdict:
    """Ask as Codex does, which has no field for a budget."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": _TASK}]}
    body = {**_asked(patient), "store": False, "input": [item], "max_output_tokens": _ANSWER_TOKENS}
    body |= {"reasoning": fields} if (fields := responses_thinking(told)) else {}
    return ask(
        patient,
        "responses thinking",
        "responses",
        body,
        lambda text: _read(text, of_responses, lambda stream: _as_told(stream, told)),
    )


def _chat(
    patient: Patient, probe: str, fields: dict[str, Any], judge: Callable[[Stream], Diagnosis]
) -> Verdict:
    body = {
        **_asked(patient),
        "messages": [{"role": "user", "content": _TASK}],
        "max_tokens": _ANSWER_TOKENS,
        **fields,
    }
    return ask(patient, probe, "chat/completions", body, lambda text: _read(text, of_chat, judge))


def _asked(patient: Patient) -> dict[str, Any]:
    return {"model": patient.role.model, "stream": True}


def _read(text: str, reader: Reader, judge: Callable[[Stream], Diagnosis]) -> Diagnosis:
    stream = reader(text)
    if stream.error or not stream.events:
        fix = "look at the log of the model server for this moment"
        return Diagnosis(cause="stream-error", evidence=stream.error or f"no events but: {text}", fix=fix)
    return judge(stream)


def _as_told(stream: Stream, told: ServedThinking) -> Diagnosis:
    if told.default == "off" and stream.thought:
        evidence = f"{_amount(stream)}, and the contract says that it does not think"
        return Diagnosis(cause="thinks", evidence=evidence, fix=_DEPLOY)
    if told.default == "on" and not stream.thought:
        return fine("it may think and did not", cause="no-thought")
    return fine(_amount(stream) if stream.thought else "it does not think, as the contract says")


def _amount(stream: Stream) -> str:
    return f"{len(stream.thought)} characters of thought"
