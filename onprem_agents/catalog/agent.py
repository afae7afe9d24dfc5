"""One coding agent or translation proxy: the version that was tried and how it speaks to a server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from onprem_agents.catalog.fact import Fact, Source


class Agent(Fact):
    """A client (or, with kind `proxy`, a translation proxy) and its wire protocol.

    `path` is appended to the gateway's host; `base_url_has_v1` says whether the configured base URL ends in
    `/v1`; `auth_headers` are the headers it can carry the key in, the default first.
    """

    name: Literal["opencode", "codex", "claude", "ccr", "litellm"]
    title: str
    kind: Literal["client", "proxy"]
    package: str
    version: str
    wire_api: Literal["chat", "responses", "messages"]
    path: str = Field(pattern=r"^/v1/")
    base_url_has_v1: bool
    auth_headers: tuple[Literal["authorization", "x-api-key"], ...] = Field(min_length=1)
    min_context_tokens: int = Field(gt=0)
    notes: tuple[str, ...] = ()
    source: Source
