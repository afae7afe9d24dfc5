"""variables-are-read: a setting in a variable that vLLM does not read is no setting at all."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.vllm import HOLE, field_of, option_of

from ..containers import environment
from ..graph import Graph, Violation
from ..launch import is_followed
from ..readers.commands import argv_of
from ..serving import Server, servers

# Names that stand for an option of another name, or for a whole line of them, in entrypoints of other images.
_MODEL = ("MODEL", "MODEL_NAME", "MODEL_ID", "VLLM_MODEL")
_LINES = ("VLLM_ARGS", "VLLM_EXTRA_ARGS", "VLLM_ADDITIONAL_ARGS", "EXTRA_ARGS")
# Words that many programs take from variables (a port, a host, a seed): one of them alone says nothing of vLLM.
_SEPARATOR = "_"


def variables_are_read(graph: Graph) -> list[Violation]:
    """No vLLM server has a setting in a variable that neither vLLM nor its own command reads. Advisory.

    vLLM reads variables of its own only (vllm/envs.py of 0.12 to 0.33, read 2026-11-29): none is called after an
    option. A server whose program is out of sight may read any, and is left alone; so is a flag that is given too.
    """
    found: dict[str, Violation] = {}
    for server in servers(graph):
        for name, instead in _unread(server):
            violation = Violation(
                resource=server.resource,
                message=f"{server.resource} sets {name}, which vLLM does not read: nothing changes by it.",
                change=f"Write {instead} among the arguments.",
            )
            found.setdefault(violation.told, violation)
    return list(found.values())


def _unread(server: Server) -> Iterator[tuple[str, str]]:
    if not is_followed(server):
        return
    words = " ".join(argv_of(server.container))
    for name, value in environment(server.container).items():
        if name in words:
            continue
        if name in _LINES:
            yield name, "its words"
            continue
        field = "model" if name in _MODEL else name.removeprefix("VLLM_").lower()
        told = field_of(option_of(field)) if _SEPARATOR in field or name in _MODEL else None
        if told == "model" and server.multi_node:
            continue  # the script of KServe's runtime for several nodes reads MODEL_ID
        if told is None or server.parsed.read(told) is not None:
            continue
        shown = "…" if HOLE in value else value
        yield name, f"{option_of(told)} {shown}".rstrip()
