"""The stand-in's paths: from a request to a recorded answer."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from scripted_model import NAME, OWNER, refusals
from scripted_model.faults import Fault, holds_picture, without_tools
from scripted_model.http import Cut, HttpRequest, HttpResponse
from scripted_model.plays import Play, Plays, QueuedPlay
from scripted_model.prefix_cache import PrefixCache
from scripted_model.record import Record
from scripted_model.refusals import Refusal
from scripted_model.script import next_turn
from scripted_model.turn import Asked, Call, Turn, Usage, pieces
from scripted_model.wire import MODULES, PATHS, messages

COUNT_TOKENS = "/v1/messages/count_tokens"
PLAYS = "/scripted/plays"
# English text and code come to about four bytes a token; agents compare it with their window.
_BYTES_PER_TOKEN = 4
_BORN = int(time.time())
_COMMENT = b": keep-alive\n\n"


class ScriptedModel:
    """Answers requests for the served names, each with its context window in tokens; `faults` are what is wrong.

    The names in `unthinking` think only where a request asks for it. A silent stream gets a comment every
    `keep_alive_seconds`, as from the servers that it stands in for.
    """

    def __init__(
        self,
        served: Mapping[str, int],
        record: Record,
        faults: Collection[Fault] = frozenset(),
        *,
        unthinking: Collection[str] = (),
        keep_alive_seconds: float | None = None,
    ) -> None:
        self._served = dict(served)
        self._unthinking = frozenset(unthinking)
        self._keep_alive_seconds = keep_alive_seconds
        self._record = record
        self._faults = frozenset(faults)
        self._plays = Plays()
        self._prefixes = PrefixCache()

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request and write it down."""
        document: object = None
        asked: Asked | None = None
        refused: str | None = None
        try:
            document = _document(request)
            if request.method == "POST" and request.path in PATHS:
                asked = self._asked(request, document)
                response = await self._played(request, asked)
            else:
                response = self._plain(request, document)
        except Refusal as refusal:
            refused = refusal.message
            response = _refused(request, refusal)
        self._record.add(
            method=request.method,
            target=request.target,
            headers=request.headers,
            body=request.body,
            status=response.status,
            document=document,
            asked=asked,
            refusal=refused,
        )
        return response

    def _plain(self, request: HttpRequest, document: object) -> HttpResponse:
        place = f"{request.method} {request.path}"
        try:
            if place == "GET /v1/models":
                return _json({"object": "list", "data": [self._model(name) for name in self._served]})
            if place == "GET /health":
                return _json({"status": "ok", "model": OWNER})
            if place == f"POST {COUNT_TOKENS}":
                self._check_model(messages.check_count(document))
                return _json({"input_tokens": _input_tokens(request)})
            if place == f"POST {PLAYS}":
                self._plays.queue(QueuedPlay.model_validate(document))
                return _json({"queued": True})
            if place == f"DELETE {PLAYS}":
                self._plays.clear()
                return _json({"queued": False})
        except ValidationError as error:
            raise refusals.malformed(error) from None
        raise Refusal(status=404, message=f"{place}: no such path")

    def _asked(self, request: HttpRequest, document: object) -> Asked:
        try:
            asked: Asked = MODULES[PATHS[request.path]].parse(document)
        except ValidationError as error:
            raise refusals.malformed(error) from None
        self._check_model(asked.model)
        window = self._served[asked.model]
        if asked.max_output_tokens is not None and asked.max_output_tokens > window:
            raise refusals.output_above_window(asked.max_output_tokens, window)
        if "no-pictures" in self._faults and holds_picture(document):
            raise refusals.picture()
        return asked

    async def _played(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        try:
            play = self._plays.take(request.path, asked.entries, tools=bool(asked.tools))
        except ValueError as error:
            raise Refusal(status=400, message=str(error)) from None
        await asyncio.sleep(play.delay)
        if play.error is not None:
            _refuse(play, self._served[asked.model], request)
        thinks = asked.model not in self._unthinking
        turn = next_turn(asked, thinks=thinks) if play.tokens is None else Turn(text="word " * play.tokens)
        if "no-tools" in self._faults:
            turn = without_tools(turn)
        usage = self._usage(request, asked, turn, play)
        answer_id = secrets.token_hex(12)
        wire = MODULES[asked.api]
        if asked.stream:
            events = list(wire.events(asked, turn, usage, answer_id))
            head = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
            keep_alive = play.keep_alive or self._keep_alive_seconds
            return HttpResponse(headers=head | _MARK, stream=_paced(events, play, keep_alive))
        await asyncio.sleep(play.silence)
        if play.cut is not None:
            return HttpResponse(headers=_JSON | _MARK, stream=_paced([b"{"], Play(cut=1)))
        return _json(wire.answer(asked, turn, usage, answer_id))

    def _usage(self, request: HttpRequest, asked: Asked, turn: Turn, play: Play) -> Usage:
        output_tokens = _output_tokens(turn)
        if play.usage is not None:
            return Usage(input_tokens=play.usage, output_tokens=output_tokens)
        input_tokens = _input_tokens(request)
        cached = 0 if "no-prefix-cache" in self._faults else self._prefixes.cached_tokens(asked)
        return Usage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=min(cached, input_tokens - 1),
        )

    def _check_model(self, model: str) -> None:
        if model not in self._served:
            raise refusals.unknown_model(model, sorted(self._served))

    def _model(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": _BORN,
            "owned_by": OWNER,
            "root": NAME,
            "parent": None,
            "max_model_len": self._served[name],
        }


_MARK = {"x-scripted-model": OWNER, "server": NAME}
_JSON = {"content-type": "application/json"}


def _document(request: HttpRequest) -> object:
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refusal(status=400, message=f"the body is not JSON: {error}") from None


def _json(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        status=status, headers=_JSON | _MARK | dict(headers or {}), body=json.dumps(document).encode()
    )


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    seconds = refusal.retry_after_seconds
    headers = {"retry-after": str(seconds)} if seconds is not None else {}
    return _json(refusal.body(request.path), refusal.status, headers)


def _refuse(play: Play, window: int, request: HttpRequest) -> NoReturn:
    if play.error == "context":
        raise refusals.context_full(window, _input_tokens(request))
    raise refusals.played(int(play.error or 500), play.retry_after)


async def _paced(
    events: list[bytes], play: Play, keep_alive_seconds: float | None = None
) -> AsyncIterator[bytes]:
    """Yield events after the silence and at the rate that the play asks for, and cut where it says so."""
    silence = play.silence
    while keep_alive_seconds is not None and silence > keep_alive_seconds:
        await asyncio.sleep(keep_alive_seconds)
        silence -= keep_alive_seconds
        yield _COMMENT
    await asyncio.sleep(silence)
    begun = time.monotonic()
    for index, event in enumerate(events):
        if index == play.cut:
            raise Cut
        yield event
        if play.rate is not None:
            await asyncio.sleep(max(0.0, begun + (index + 1) / play.rate - time.monotonic()))
    if play.cut is not None:
        raise Cut


def _input_tokens(request: HttpRequest) -> int:
    return max(1, len(request.body) // _BYTES_PER_TOKEN)


def _output_tokens(turn: Turn) -> int:
    told = (turn.reasoning, turn.text, *(_arguments(call) for call in turn.calls))
    return max(1, sum(len(pieces(text)) for text in told))


def _arguments(call: Call) -> str:
    return json.dumps(call.arguments)
