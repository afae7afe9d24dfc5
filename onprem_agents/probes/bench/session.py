"""One session played: a conversation that grows with each round, is compacted before it is too long, and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from onprem_agents.probes.bench.sample import Answer
from onprem_agents.probes.bench.shape import Round
from onprem_agents.probes.bench.words import Words

# What an agent keeps of a conversation that it compacts: a page or two.
_SUMMARY_TOKENS = 1_500
# What the chat template adds to a message, and how far the count of words may be off.
_MESSAGE_TOKENS, _MARGIN = 8, 1.03


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The window, where an agent compacts, and its cap of an answer, in tokens."""

    context_tokens: int
    compact_at_tokens: int
    max_output_tokens: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one round sends, and how much of its prompt the session has sent before."""

    messages: list[dict[str, str]]
    output_tokens: int
    reusable_tokens: int


@dataclass(kw_only=True)
class Conversation:
    """The messages of a session; `prompt_tokens` and `tokens` are those of its last round, without and with the answer.

    The server tells them; of one that does not, words are counted.
    """

    shared_text: str
    shared_tokens: int
    words: Words
    limits: Limits
    chance: Random
    compactions: int = 0
    prompt_tokens: int = field(init=False)
    tokens: int = field(init=False)
    _messages: list[dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._messages = [{"role": "system", "content": self.shared_text}]
        self.prompt_tokens = self.tokens = self.shared_tokens

    def next_request(self, part: Round) -> Request:
        """Return what a round sends; a conversation that would get too long is compacted before."""
        output = min(part.output_tokens, self.limits.max_output_tokens)
        most = int(min(self.limits.compact_at_tokens, self.limits.context_tokens - output) / _MARGIN)
        new = part.new_tokens
        if self.tokens + new + _MESSAGE_TOKENS > most and len(self._messages) > 1:
            self._begin()
            self.compactions += 1
            new += _SUMMARY_TOKENS
        new = max(1, min(new, most - self.tokens - _MESSAGE_TOKENS))
        reusable = self.prompt_tokens
        self._messages.append({"role": "user", "content": self.words.text(new, self.chance)})
        self.prompt_tokens = self.tokens + new + _MESSAGE_TOKENS
        return Request(messages=list(self._messages), output_tokens=output, reusable_tokens=reusable)

    def answered(self, answer: Answer) -> None:
        """Take over an answer; the next prompt holds it."""
        self._messages.append({"role": "assistant", "content": answer.text})
        told = answer.usage
        if told.prompt_tokens is not None:
            self.prompt_tokens = told.prompt_tokens
        output = told.output_tokens if told.output_tokens is not None else answer.events
        self.tokens = self.prompt_tokens + output
