"""What the model of one role answers on each API, and when it is of no use to ask it more."""

from __future__ import annotations

from collections.abc import Collection, Generator

from onprem_agents.agents.diagnosis import Severity
from onprem_agents.contract.connection import Role
from onprem_agents.probes import agent_shapes, endpoint
from onprem_agents.probes.agent_shapes import NAMESPACE, PICTURE
from onprem_agents.probes.patient import Patient
from onprem_agents.probes.verdict import Verdict

# After one of these every further probe of the platform would only repeat it.
_SAME_FOR_ALL = frozenset(
    {"key-refused", "key-forbidden", "model", "path", "redirect", "upstream", "busy", "not-an-api"}
)


_APIS = {"/v1/messages": agent_shapes.anthropic, "/v1/responses": agent_shapes.responses}


def names_of_answers(role: Role, paths: Collection[str] = tuple(_APIS)) -> tuple[str, ...]:
    """Return the names of what `answers` yields of a sound role."""
    calls = ("tool call", "streamed tool call", "parallel tool calls") if role.tool_calling else ()
    names = ["chat", *calls[:1], "streaming", *calls[1:], *(["reasoning"] if role.reasoning else [])]
    of_paths = {
        "/v1/chat/completions": [PICTURE],
        "/v1/messages": ["messages", "messages tool call", f"messages {PICTURE}", "count_tokens"],
        "/v1/responses": ["responses", NAMESPACE, f"responses {PICTURE}"],
    }
    for path, of_path in of_paths.items():
        names += of_path if path in paths or path not in _APIS else []
    return tuple(name for name in names if role.vision or PICTURE not in name)


def answers(patient: Patient, paths: Collection[str] = tuple(_APIS)) -> Generator[Verdict, None, bool]:
    """Yield what the model answers on the chat API, and on those of `paths` that only some agents speak.

    Returns whether it answers at all: if not, every further probe of it would only repeat that.
    """
    for found in endpoint.chat(patient):
        yield found
        if found.severity is Severity.UNREACHABLE or found.cause in _SAME_FOR_ALL:
            return False
    yield from endpoint.openai_streams(patient)
    yield from agent_shapes.chat_picture(patient)
    for path, probe in _APIS.items():
        if path in paths:
            yield from probe(patient)
    return True
