"""How the stand-in answers when something else than a plain answer is wanted: slow, silent, wrong, cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripted_model.turn import Entry

_DIRECTIVE = re.compile(r"\[play ([^\]\n]{1,200})\]")
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Play(BaseModel):
    """One way of answering. Everything not said stays plain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Seconds = Field(default=0, description="seconds before anything of the response is sent")
    silence: Seconds = Field(
        default=0, description="seconds between the start of the response and its first token"
    )
    keep_alive: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        default=None,
        description="seconds of silence after which a comment is sent, instead of the server's own",
    )
    error: Literal["400", "401", "403", "404", "429", "500", "503", "context"] | None = Field(
        default=None, description="refuse with this status, or as a server whose context is full"
    )
    retry_after: Annotated[int, Field(ge=0, le=3600)] | None = Field(
        default=None, description="seconds in the header Retry-After of an error"
    )
    cut: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="break the connection after so many events of a stream"
    )
    tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="answer with so many words instead of the script's own text"
    )
    rate: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="events of a stream per second; all at once when not said"
    )
    usage: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="input tokens to tell, instead of a quarter of the body's bytes"
    )
    with_tools: bool = Field(
        default=False, description="only for requests that offer tools: no titles, no summaries"
    )
    times: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="only for the first so many requests with this very directive"
    )


class QueuedPlay(Play):
    """A play for coming requests, whatever their text: `POST /scripted/plays`."""

    path: str | None = Field(default=None, description="only for this path")
    times: Annotated[int, Field(ge=1)] = 1


class Plays:
    """The plays that are wanted: those queued from outside, then the one in the request's own text."""

    def __init__(self) -> None:
        self._queue: list[QueuedPlay] = []
        self._seen: dict[str, int] = {}

    def queue(self, play: QueuedPlay) -> None:
        """Keep a play for the next `times` requests that it fits."""
        self._queue.append(play)

    def clear(self) -> None:
        """Forget all queued plays."""
        self._queue.clear()

    def take(self, path: str, entries: Sequence[Entry], *, tools: bool = True) -> Play:
        """Return how to answer this request. Raises `ValueError` for a directive that is not understood."""
        for index, play in enumerate(self._queue):
            if play.path in (None, path) and (tools or not play.with_tools):
                left = play.times - 1
                self._queue[index : index + 1] = [play.model_copy(update={"times": left})] if left else []
                return play
        told = [text for entry in entries if entry.role == "user" for text in _DIRECTIVE.findall(entry.text)]
        if not told:
            return Play()
        play_told = read_play(told[-1])
        if play_told.with_tools and not tools:
            return Play()
        if play_told.times is not None:
            self._seen[told[-1]] = self._seen.get(told[-1], 0) + 1
            if self._seen[told[-1]] > play_told.times:
                return Play()
        return play_told


def read_play(text: str) -> Play:
    """Read the inside of a directive, such as `error=429 retry_after=1 times=2`. Raises `ValueError`."""
    words = [word.partition("=") for word in text.split()]
    try:
        return Play.model_validate({name: value for name, _, value in words})
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"[play {text}]: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
