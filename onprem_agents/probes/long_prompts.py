"""What long conversations need: a turn finds the one before it in the cache, and a long prompt is answered."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onprem_agents.agents.diagnosis import Diagnosis, Severity
from onprem_agents.probes.patient import Patient, ask
from onprem_agents.probes.silence import waited
from onprem_agents.probes.smoke import CHAT_TOKENS, chat_body
from onprem_agents.probes.streams import events, of_chat, trouble
from onprem_agents.probes.verdict import Verdict, fine

REUSE, LONG = "prefix reuse", "long prompt"
_CHAT = "chat/completions"
_WORD = "word "  # about one token of any tokenizer of 2026-11
LEAST_SHARE = 0.8
# As long as an agent's own instructions with its tools. vLLM reuses whole blocks, and those of hybrid models have up
# to about 2,000 tokens (0.33 with Qwen3.6, 2026-11): of a short prefix too much would be left.
_PREFIX_TOKENS = 16_384
# A second turn may go to another replica, which has not seen the first.
_LAST_TURN = 5
_MEASURED_WORDS = (100, 300)


@dataclass(frozen=True, kw_only=True)
class _Usage:
    """The tokens of a prompt as a server tells them; None where it does not."""

    prompt: int | None = None
    cached: int | None = None


def reuse(patient: Patient) -> Verdict:
    """Have a conversation of two turns: of the second one's prompt at least 80 % must come from the cache."""
    words = _words(patient, REUSE, min(_PREFIX_TOKENS, patient.role.context_tokens // 3))
    # A prefix that nobody sent before: what is found of it is of this conversation.
    said = [
        _message("system", f"{secrets.token_hex(8)} {_WORD * words}"),
        _message("user", "Reply with the single word: ready"),
    ]
    found = ask(patient, REUSE, _CHAT, _body(patient, said), lambda _: fine("the first turn"))
    if found.severity is not Severity.OK:
        return found
    for turn in range(2, _LAST_TURN + 1):
        said += [_message("assistant", "ready"), _message("user", "Reply with the single word: next")]
        found = ask(patient, REUSE, _CHAT, _body(patient, said), _judge_of_turn(turn))
        if found.cause != "no-reuse":
            break
    return found


def long_prompt(patient: Patient, tokens: int) -> Verdict:
    """Send a prompt of so many tokens, or as many as the window has room for."""
    window = patient.role.context_tokens
    room = window - CHAT_TOKENS - window // 20
    wanted = min(tokens, room)
    words = _words(patient, LONG, wanted)
    most = "" if wanted == tokens else f", the most that a context of {window:,} has room for,"

    def judge(text: str) -> Diagnosis:
        if stopped := trouble(of_chat(text), "[DONE]", text):
            return stopped
        told = next(
            (usage for event in events(text) if (usage := _usage(event)).prompt is not None), _Usage()
        )
        if told.prompt is None:
            return fine(f"about {wanted:,} tokens{most} were answered")
        if told.prompt < wanted * 0.9:
            return Diagnosis(
                cause="truncated",
                evidence=f"of a prompt of about {wanted:,} tokens the server counted {told.prompt:,}",
                fix="something between here and the model cuts prompts short without a word: look at what stands in "
                "between, such as a translation proxy",
            )
        return fine(f"{told.prompt:,} tokens{most} were answered")

    return waited(patient, LONG, f"{secrets.token_hex(8)} {_WORD * words}", judge)


def _words(patient: Patient, probe: str, tokens: int) -> int:
    """Return how many words make a prompt of so many tokens, as this server counts them."""
    told: list[_Usage] = []

    def note(text: str) -> Diagnosis:
        told.append(_of_answer(text))
        return fine("")

    for words in _MEASURED_WORDS:
        ask(patient, probe, _CHAT, _body(patient, [_message("user", _WORD * words)], max_tokens=1), note)
    counts = [usage.prompt for usage in told if usage.prompt is not None]
    few, many = _MEASURED_WORDS
    if len(counts) != len(_MEASURED_WORDS) or counts[1] <= counts[0]:
        return tokens  # a word is about a token
    each = (counts[1] - counts[0]) / (many - few)
    beside = max(0.0, counts[0] - few * each)  # what the chat template adds
    return max(1, int((tokens - beside) / each))


def _body(patient: Patient, messages: list[dict[str, str]], **changes: Any) -> dict[str, Any]:
    return {**chat_body(patient.role.model), "messages": messages, **changes}


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _judge_of_turn(turn: int) -> Callable[[str], Diagnosis]:
    return lambda text: _judge_reuse(_of_answer(text), turn)


def _judge_reuse(usage: _Usage, turn: int) -> Diagnosis:
    if usage.prompt is None or usage.cached is None:
        return Diagnosis(
            cause="cached-untold",
            evidence=f"the answer of turn {turn} does not tell how many tokens of its prompt were cached",
            fix="start vLLM with --enable-prompt-tokens-details, as the stack does; a proxy in between may leave "
            "prompt_tokens_details out of usage",
        )
    share = usage.cached / max(1, usage.prompt)
    evidence = (
        f"{usage.cached:,} of {usage.prompt:,} prompt tokens of turn {turn} were cached ({100 * share:.1f} %)"
    )
    if share < LEAST_SHARE:
        return Diagnosis(
            cause="no-reuse",
            evidence=evidence,
            fix="look at the server's log for prefix caching (--enable-prefix-caching) and for a cache that is too "
            "small for its sessions",
        )
    if turn > 2:  # noqa: PLR2004 - the second turn is the one that should find the first
        note = "earlier turns did not find it: with several replicas a turn may go to one that has not seen the rest"
        return fine(f"{evidence}; {note}", cause="late-reuse")
    return fine(evidence)


def _of_answer(text: str) -> _Usage:
    try:
        return _usage(json.loads(text))
    except (ValueError, RecursionError):
        return _Usage()


def _usage(answer: Any) -> _Usage:
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return _Usage()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    return _Usage(prompt=_count(usage.get("prompt_tokens")), cached=_count(cached))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
