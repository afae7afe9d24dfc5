"""What the rules read: resources as plain values, and how one names another.

A value that is only known once the program has run is `UNKNOWN`. The reading is the same for every rule and
each says it again for its own case: a rule that needs a literal counts UNKNOWN as a violation, because a
check that an Output can skip guards nothing; a rule that only needs something to be there accepts it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Final, TypeVar


class Unknown(enum.Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "known only after the program has run"

    def __repr__(self) -> str:
        return self.value


UNKNOWN: Final = Unknown.UNKNOWN

Value = Any
"""None, bool, int, float, str, UNKNOWN, list[Value] or dict[str, Value]."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. `type` is Pulumi's type token, `name` its name in the program, `props` plain values.

    `dependencies` are URNs.
    """

    urn: str
    type: str
    name: str
    props: Mapping[str, Value]
    dependencies: tuple[str, ...] = ()

    @property
    def group(self) -> str | None:
        """The API group of a Kubernetes resource, None for one of anything else."""
        package, _, rest = self.type.partition(":")
        return rest.partition(":")[0].rpartition("/")[0] if package == "kubernetes" else None

    @property
    def kind(self) -> str:
        """The Kubernetes kind, without the `Patch` of a server-side patch resource."""
        return self.type.rsplit(":", 1)[-1].removesuffix("Patch")

    @property
    def object_name(self) -> Value:
        """`metadata.name`; the name in the program when there is none."""
        return dig(self.props, "metadata", "name") or self.name

    @property
    def namespace(self) -> Value:
        """`metadata.namespace`, or "" when it is not given."""
        return dig(self.props, "metadata", "namespace") or ""

    def annotation(self, key: str) -> Value:
        """Return an annotation, None when it is not there."""
        return dig(self.props, "metadata", "annotations", key)

    def __str__(self) -> str:
        name = self.name if self.object_name is UNKNOWN else self.object_name
        space = "" if self.namespace in ("", UNKNOWN) else f"{self.namespace}/"
        return f"{self.kind} {space}{name}"


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All resources of a program, or of a set of manifests."""

    resources: tuple[Resource, ...]

    @cached_property
    def answers(self) -> dict[Callable[[Graph], Any], Any]:
        """What was asked of this graph before, by question."""
        return {}

    def of_kind(self, group: str, *kinds: str) -> Iterator[Resource]:
        """Return the Kubernetes resources of an API group and of these kinds, in any version."""
        for kind in kinds:
            yield from self._by_kind.get((group, kind), ())

    @cached_property
    def _by_kind(self) -> Mapping[tuple[str, str], Sequence[Resource]]:
        """The Kubernetes resources by group and kind: the rules ask for them at each rule of each route."""
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.resources:
            group = resource.group
            if group is not None:
                found.setdefault((group, resource.kind), []).append(resource)
        return found


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What one rule found about one resource: `message` what is there and why it fails, `change` what to change."""

    resource: Resource
    message: str
    change: str = ""

    @property
    def told(self) -> str:
        """Both in one text, as the engine shows it."""
        return f"{self.message} {self.change}".rstrip()


Answer = TypeVar("Answer")


def once(question: Callable[[Graph], Answer]) -> Callable[[Graph], Answer]:
    """Let a graph remember the answer to a question that many rules ask of it."""

    @wraps(question)
    def remembered(graph: Graph) -> Answer:
        if question not in graph.answers:
            graph.answers[question] = question(graph)
        answer: Answer = graph.answers[question]
        return answer

    return remembered


def dig(value: Value, *path: str) -> Value:
    """Return the value at a path of keys: None where one is missing, UNKNOWN where the way is unknown."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def items(value: Value) -> Sequence[Value]:
    """Return the entries of a list, or nothing when the value is no list."""
    return value if isinstance(value, list | tuple) else ()


def may_equal(one: Value, other: Value) -> bool:
    """Whether two values are equal or, with an UNKNOWN among them, could be."""
    return one is UNKNOWN or other is UNKNOWN or bool(one == other)
