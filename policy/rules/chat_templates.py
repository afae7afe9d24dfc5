"""chat-template-exists, chat-template-fits-the-model: what turns a conversation and its tools into a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from onprem_agents.catalog import Model
from onprem_agents.errors import nearest_hint
from onprem_agents.vllm import UNREADABLE, known_releases, load_release, same_tool_parser

from ..graph import UNKNOWN, Graph, Violation, dig, items
from ..known import model_of
from ..own_image import runs_own_image
from ..readers.commands import argv_of
from ..serving import Server, servers, servers_for_agents

_TOOL_TEMPLATE = re.compile(r"^tool_chat_template_([a-z]+)(\d*)")


def chat_template_exists(graph: Graph) -> list[Violation]:
    """No server of vLLM's own image names a template in that image's folder which its release does not bring.

    A template that is mounted or written by the command, one whose path is only known at run time, and the image of
    anybody else prove nothing.
    """
    found = []
    for server in servers(graph):
        name = _missing(server)
        if name is not None:
            brought = load_release(str(server.release)).image.templates
            found.append(
                Violation(
                    resource=server.resource,
                    message=f"{server.resource} has --chat-template {server.parsed.flags.chat_template}, which vLLM's"
                    f" image of {server.release} does not hold: vLLM stops at start"
                    f" ({nearest_hint(name, brought)}).",
                    change="Name one that is there or mount your own:"
                    f" {server.change('chat_template', 'chatTemplate')}.",
                )
            )
    return found


def chat_template_fits_the_model(graph: Graph) -> list[Violation]:
    """A server whose tool calls are on has the template with which its model is known to call tools.

    Advisory: a checkpoint may have been given another template, and answers get worse rather than none. A template of
    one's own, mounted or written out, is left alone, and what is only known at run time proves nothing.
    """
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} {message}",
            change=f"{change}: {server.change('chat_template', 'chatTemplate')}.",
        )
        for server in servers_for_agents(graph)
        for message, change in _unfit(server)
    ]


def _missing(server: Server) -> str | None:
    """Return the name of a template that is certainly not in the image, None for any other."""
    given = server.parsed.read("chat_template")
    if given in (None, UNREADABLE) or server.release not in known_releases() or not runs_own_image(server):
        return None
    image = load_release(str(server.release)).image
    folder = PurePosixPath(image.template_folder)
    path = PurePosixPath(str(given))
    if not path.is_absolute():
        # The image starts in the folder above its examples.
        path = folder.parent / path if server.container.get("workingDir") is None else path
    mounts = [dig(mount, "mountPath") for mount in items(server.container.get("volumeMounts"))]
    if UNKNOWN in mounts or any(path.is_relative_to(str(mount)) for mount in mounts):
        return None
    written = sum(word.count(path.name) for word in argv_of(server.container)) > 1
    if path.parent != folder or written or not image.lacks(str(path)):
        return None
    return path.name


def _unfit(server: Server) -> Iterator[tuple[str, str]]:
    known, given = model_of(server), server.parsed.read("chat_template")
    if _missing(server) is not None:
        return
    parser = server.parsed.read("tool_call_parser")
    if known is None or given == UNREADABLE or server.left_open("chat_template"):
        return
    model = known.model
    if model.tool_call_parser is None or not server.parsed.read("enable_auto_tool_choice"):
        return
    if parser in (None, UNREADABLE) or not same_tool_parser(str(parser), model.tool_call_parser):
        return  # the matter of the rules about parsers
    lacking = load_release(server.parsed.judged_by).image.lacks(model.chat_template or "")
    if given is None and model.chat_template is not None and not lacking:
        yield (
            (
                f"serves {model.name} with the checkpoint's own chat template; tool calls in the form of {parser} are"
                f" known to work with {PurePosixPath(model.chat_template).name} of vLLM's examples."
            ),
            f"Set --chat-template to {model.chat_template}",
        )
    elif given is not None and _of_another_family(PurePosixPath(str(given)).name, model):
        own = model.chat_template
        yield (
            (
                f"serves {model.name} with the chat template {given}, which writes tools for another family: the"
                " model sees them in a form that it was not trained on."
            ),
            "Leave out --chat-template" if own is None else f"Set --chat-template to {own}",
        )


def _of_another_family(name: str, model: Model) -> bool:
    """Whether a template of vLLM's examples is for another family, or another generation of it."""
    found = _TOOL_TEMPLATE.match(name)
    if found is None:
        return False
    names = f"{model.family} {model.name} {model.hf_id}".casefold()
    own = _TOOL_TEMPLATE.match(PurePosixPath(model.chat_template or "").name)
    if own is not None:
        return (own[1], own[2]) != (found[1], found[2])
    return found[1] not in names
