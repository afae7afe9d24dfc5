"""checkpoints-bring-no-code: what --trust-remote-code lets a checkpoint's repository do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..graph import Graph, Violation
from ..known import model_of
from ..serving import Server, servers
from ..words import argument_of

_OPTION = "--trust-remote-code"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# A commit of git: nothing else stays what it was.
_COMMIT = re.compile(r"[0-9a-f]{40}")


def checkpoints_bring_no_code(graph: Graph, *, trusted_models: Sequence[str] = ()) -> list[Violation]:
    """No vLLM server runs code of its checkpoint where vLLM brings the model's own. Advisory.

    A model that needs it, as the catalogue tells, is left alone. So is one that the catalogue does not know, unless it
    is fetched from its repository without a commit: then whoever owns that runs what he likes in the pod. Models whose
    name begins as one of `trusted_models` are left alone.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has {_OPTION}: Python code beside the weights runs in the pod, with its network"
            f" and its secrets, and {why}.",
            change=f"{what} {argument_of(server, _OPTION)}.",
        )
        for server in servers(graph)
        if server.parsed.read("trust_remote_code") is True
        and not any(str(name).startswith(tuple(trusted_models)) for name in server.model_names)
        for why, what in _needless(server)
    ]


def _needless(server: Server) -> Iterator[tuple[str, str]]:
    known = model_of(server)
    if known is not None:
        variant = known.variant
        needed = known.model.extra_args if variant is None else known.model.extra_args_of(variant)
        if _OPTION not in needed:
            yield f"vLLM brings the code of {known.model.name} itself", "Remove"
        return
    flags = server.parsed.flags
    given = server.parsed.read("model")
    fetched = isinstance(given, str) and _REPOSITORY.fullmatch(given) is not None
    pinned = [*server.parsed.other.get("--code-revision", ()), flags.revision or ""]
    if fetched and "revision" not in server.parsed.unreadable and not any(map(_COMMIT.fullmatch, pinned)):
        yield (
            f"it is whatever lies in {given} on the day of the start",
            "Pin --revision and --code-revision to a commit that somebody has read, or remove",
        )
