"""What is known of one round afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.probes.bench.shape import After

UNFINISHED = "unfinished"
"""The cause of a round that was still under way when the run ended: neither an answer nor a failure."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as the server tells them; None where it does not."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One streamed answer; times in seconds after the request was sent. `cause` is `ok` or why it failed.

    `first_seconds` is when the first token came, of thought or of text; `silence_seconds` the longest time without a
    byte. `text` is what an agent keeps of it: the answer, and the thought only where there was nothing else.
    """

    cause: str
    evidence: str = ""
    fix: str = ""
    seconds: float
    first_seconds: float | None = None
    silence_seconds: float = 0.0
    events: int = 0
    text: str = ""
    usage: Usage = Usage()
    retry_after_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it came to its end."""
        return self.cause == "ok"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One round of one session: when it was sent, counted from the start of the run, and its answer without the text.

    `reusable_tokens` is how much of its prompt the session had sent before, which a prefix cache can give back;
    `refusals` how often it was told to come again.
    """

    session: int
    after: After
    at_seconds: float
    reusable_tokens: int
    refusals: int
    answer: Answer

    @property
    def end_seconds(self) -> float:
        """When its answer ended, counted from the start of the run."""
        return self.at_seconds + self.answer.seconds

    @property
    def token_seconds(self) -> float | None:
        """The mean time from one token to the next; None where the answer had less than two, or does not tell."""
        tokens, first = self.answer.usage.output_tokens, self.answer.first_seconds
        if tokens is None or tokens < 2 or first is None:  # noqa: PLR2004 - between two lies one time
            return None
        return (self.answer.seconds - first) / (tokens - 1)
