"""arguments-are-taken and its neighbours: what vLLM's own option parser makes of a server's arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from onprem_agents.vllm import (
    ParsedServe,
    Release,
    known_releases,
    load_history,
    load_release,
    newest_release,
    option_of,
    parse_options,
    releases_around,
    unknown_option_hint,
    unknown_value_hint,
    version_key,
)

from ..graph import Graph, Violation, dig
from ..launch import is_followed, is_huggingfaceserver, is_plainly_vllm
from ..serving import Server, servers
from .lost_arguments import lost_options

# vLLM for other hardware and its extensions bring options of their own (read 2026-11-29).
_EXTENDED = re.compile(
    r"ascend|omni|gaudi|habana|hpu|neuron|tpu|spyre|xpu|openvino|musa|metax|maca|kunlun|iluvatar|rbln|plugin",
    re.IGNORECASE,
)
_GGUF = "gguf"
# What Helm, KServe and others fill in before a pod gets its words, and what Flux and envsubst may.
_TEMPLATE, _PLACEHOLDER = "{{", "$"
# What the parser answers itself; no list of options has them.
_ANSWERED = frozenset({"-h", "--help", "-v", "--version"})


def arguments_are_taken(graph: Graph, *, own_options: Sequence[str] = ()) -> list[Violation]:
    """No vLLM server has an argument that its option parser refuses. Mandatory where that is certain.

    Certain is what the image's own release refuses, or both of its neighbours where it has no facts, in an image of
    vLLM's makers whose words no wrapper, plugin or installation has a part in. A value that is only known at run time
    is no fault of its option. `own_options` are those that a build of one's own adds.
    """
    return list(_violations(graph, own_options, certain=True))


def arguments_are_likely_taken(graph: Graph, *, own_options: Sequence[str] = ()) -> list[Violation]:
    """No vLLM server has an argument that the release refuses by which it is judged. Advisory: it may be another."""
    return list(_violations(graph, own_options, certain=False))


def arguments_outlive_an_upgrade(graph: Graph) -> list[Violation]:
    """No vLLM server has an option that its release still takes and the newest does not. Advisory.

    An image that does not tell its release is judged by the newest, and by the other two.
    """
    newest = load_release(newest_release())
    return [
        Violation(
            resource=server.resource,
            message=f"{server.resource} has {option}, which vLLM {server.release} takes and {newest.release} does not:"
            " with the next image it stops at start.",
            change=f"Change {option}: {unknown_option_hint(option, newest.release, newest.options())}.",
        )
        for server in servers(graph)
        if server.release is not None and is_followed(server)
        for option in _given(server.parsed)
        if option in load_history().removed and option not in newest.options()
    ]


def _given(parsed: ParsedServe) -> tuple[str, ...]:
    """Return the options of a server that its release takes, by their own names."""
    return (*map(option_of, parsed.flags.given()), *parsed.other)


def _violations(graph: Graph, own_options: Sequence[str], *, certain: bool) -> Iterator[Violation]:
    end = "it stops at start" if certain else "if so, it stops at start"
    for server in servers(graph):
        unknown = tuple(one for one in server.parsed.unknown if one.name not in own_options)
        for fault, change in _told(
            replace(server, parsed=replace(server.parsed, unknown=unknown)), certain=certain
        ):
            yield Violation(
                resource=server.resource,
                message=f"{server.resource} starts vLLM {server.judged}, which {fault}: {end}.",
                change=change,
            )


def _told(server: Server, *, certain: bool) -> Iterator[tuple[str, str]]:
    faults = _faults(server.parsed)
    others = _is_extended(server) or is_huggingfaceserver(server) or any(lost_options(server))
    others = others or any(_TEMPLATE in word for word in server.parsed.words)
    if not faults or others or _beyond_the_facts(server) or not is_followed(server):
        return
    surely = _sure(server, faults) if is_plainly_vllm(server) and server.release is not None else {}
    told = surely if certain else {fault: change for fault, change in faults.items() if fault not in surely}
    yield from told.items()


def _beyond_the_facts(server: Server) -> bool:
    """Whether its release is older or newer than all that are known: what it takes is then anybody's guess."""
    told = version_key(server.release or "")[:2]
    oldest, newest = (version_key(known)[:2] for known in (known_releases()[0], newest_release()))
    return bool(told) and not oldest <= told <= newest


def _is_extended(server: Server) -> bool:
    """Whether image, runtime or devices are those of a vLLM for other hardware, or with more in it."""
    devices = dig(server.container, "resources", "limits")
    told = (
        server.container.get("image"),
        dig(server.resource.props, "spec", "predictor", "model", "runtime"),
        *(devices if isinstance(devices, Mapping) else ()),
    )
    return any(_EXTENDED.search(each) for each in told if isinstance(each, str))


def _sure(server: Server, faults: Mapping[str, str]) -> dict[str, str]:
    """Return the faults that every release around the image's own has, and that nothing fills in before."""
    if any(_PLACEHOLDER in word for word in server.parsed.words):
        return {}
    around = [
        _faults(parse_options(server.parsed.words, release=version))
        for version in releases_around(server.release or "")
    ]
    return {
        fault: change for fault, change in faults.items() if around and all(fault in one for one in around)
    }


def _faults(parsed: ParsedServe) -> dict[str, str]:
    """Return what the release refuses of the words, each with what to change."""
    if not parsed.words:
        return {}  # out of sight
    facts = load_release(parsed.judged_by)
    return dict((*_unknown(parsed, facts), *_malformed(parsed), *_values(parsed, facts)))


def _unknown(parsed: ParsedServe, facts: Release) -> Iterator[tuple[str, str]]:
    for unknown in parsed.unknown:
        if unknown.name in _ANSWERED:
            continue
        name, *value = unknown.name.split(maxsplit=1)
        hint = unknown_option_hint(name, facts.release, facts.options()).removesuffix("?")
        if value:
            yield (
                f"takes {name} and its value in one word for no option",
                "Write them as two words, or with = between.",
            )
        else:
            yield f"does not know {name}", f"Change {name}: {hint}."


def _malformed(parsed: ParsedServe) -> Iterator[tuple[str, str]]:
    for problem in parsed.problems:
        yield (
            f"does not take its arguments ({problem})",
            "Mend that argument; vllm serve --help=all lists what each takes.",
        )


def _values(parsed: ParsedServe, facts: Release) -> Iterator[tuple[str, str]]:
    for name, value in parsed.flags.given().items():
        allowed = facts.choices.get(option_of(name))
        if allowed and str(value) not in allowed:
            yield f"does not take {option_of(name)} {value}", f"Write one of {', '.join(allowed)}."
    method = parsed.flags.quantization
    if method is not None and method not in facts.quantization_methods and method != _GGUF:
        hint = unknown_value_hint(method, facts.release, lambda release: release.quantization_methods)
        yield (
            f"does not know --quantization {method}",
            f"Leave it out, as a checkpoint tells its own: {hint}.",
        )
