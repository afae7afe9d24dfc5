"""Declared: a container that may be a model server, with the pod around it, as its controller will complete them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onprem_agents.stack.labels import ROLE_LABEL

from ..containers import Container
from ..graph import UNKNOWN, Resource, Value, dig


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One container that may be a model server.

    `pod` is the spec of its pod, or what holds the same fields. `env` are its variables, HOLE for one that comes from
    elsewhere; `release` is vLLM's, None where the image does not tell it. `named` tells that its format, runtime or
    image says that vLLM serves, `may_be_vllm` that nothing denies it. `unseen` says in words what may add arguments
    out of sight, "" for nothing. `sources` are where its model comes from, beside what the pod tells. `hosts` are the
    names by which requests reach it. `timeout_seconds` is how long its controller lets a request take, 0 for no limit.
    `multi_node` tells that one model is spread over several pods, `takes_requests` that clients talk to this one.
    """

    resource: Resource
    pod: Value
    container: Container
    env: Mapping[str, str]
    release: str | None
    named: bool
    may_be_vllm: bool = False
    unseen: str = ""
    sources: tuple[Value, ...] = ()
    hosts: tuple[Value, ...] = ()
    timeout_seconds: Value = 0
    multi_node: bool = False
    takes_requests: bool = True


@dataclass(frozen=True, kw_only=True)
class Unread:
    """An object that declares a model server which cannot be read; `reason` completes "can't be checked: …"."""

    resource: Resource
    reason: str


def server_known_later(
    resource: Resource, pod: Value, hosts: tuple[Value, ...], timeout_seconds: Value = 0
) -> Declared | None:
    """Return the server of a role of this product whose containers are only known at run time; None for other objects.

    Whatever else such an object may be, the label says that it serves a model: the rules that need literals refuse it.
    """
    labels = dig(resource.props, "metadata", "labels")
    if not isinstance(labels, Mapping) or ROLE_LABEL not in labels:
        return None
    return Declared(
        resource=resource,
        pod=pod,
        container={"command": UNKNOWN, "args": UNKNOWN, "image": UNKNOWN},
        env={},
        release=None,
        named=True,
        hosts=hosts,
        timeout_seconds=timeout_seconds,
    )
