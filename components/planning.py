"""From a component's arguments to its plan: at once where all settings are values, else as soon as they are known.

A component that is part of a platform is given a plan that is made already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

import pulumi

from onprem_agents.errors import InvalidInput, Problem
from onprem_agents.manifests import Bundle
from onprem_agents.plan.known import problems_of_form
from onprem_agents.plan.plan_parts import no_map
from onprem_agents.plan.stand_ins import with_stand_ins

from .awaited import Settled, has_outputs, settled
from .component import Component
from .declaration import Declaration
from .keys import Keys
from .late_children import LateChildren
from .refusal import refusal
from .sections import ARGUMENTS, DEVELOPER_KEYS, KEYS_OF_DEVELOPERS, Arguments
from .spelling import argument, as_written
from .wire import Wire, to_wire

P = TypeVar("P")
U = TypeVar("U")


@dataclass(frozen=True, kw_only=True)
class Planned(Generic[P]):
    """What is decided about a component, and what is to be declared of it."""

    part: P
    declaration: Declaration

    def of(self, part: object) -> Any:
        """Return the plan of a part of it, declared with the whole: what that component is given as its arguments."""
        return Planned(part=part, declaration=self.declaration)


class Planning(Generic[P]):
    """The plan of one component: there already, or an Output that is nothing while an argument is awaited."""

    def __init__(self, plan: Planned[P] | pulumi.Output[Planned[P] | None]) -> None:
        """Take the plan."""
        self._plan = plan
        self._after: pulumi.Output[Any] = pulumi.Output.from_input(None)

    def tell(self, read: Callable[[P], U]) -> pulumi.Output[U]:
        """Return something of the plan as an Output, such as an attribute of the component.

        Once the children are declared, whatever takes it comes after them, though it is known before they are there.
        """
        told = self.refer(read)
        return pulumi.Output.all(told, self._after).apply(lambda both: cast(U, both[0]))

    def refer(self, read: Callable[[P], U]) -> pulumi.Output[U]:
        """Return the same for what need not wait for the children: no route must wait until a model is loaded."""
        if isinstance(self._plan, Planned):
            told = read(self._plan.part)
            return pulumi.Output.from_input(None).apply(lambda _: told)
        unknown = cast(U, pulumi.UNKNOWN)
        return self._plan.apply(lambda plan: unknown if plan is None else read(plan.part))

    def declare(self, component: Component, children: Callable[[Planned[P]], None]) -> None:
        """Declare the children of the component, now or as soon as the plan is there.

        What is told after this is known no earlier than they are declared.
        """
        if isinstance(self._plan, Planned):
            children(self._plan)
            self._after = self._plan.declaration.made()
            return

        def late(plan: Planned[P] | None) -> Planned[P] | None:
            if plan is not None:
                children(plan)
            return plan

        self._plan = self._plan.apply(late)
        self._after = self._plan.apply(lambda plan: None if plan is None else plan.declaration.made())
        LateChildren(
            component, self._plan.apply(lambda plan: "" if plan is None else plan.declaration.last_urn())
        )

    def after_all(self, component: Component, act: Callable[[Planned[P]], Awaitable[U]]) -> pulumi.Output[U]:
        """Do something of the plan once all is there that the component comes after; in a preview nobody knows it.

        The SDK registers a component after its dependencies, and their objects are there by then (3.272,
        `runtime/rpc.py`, read 2026-11).
        """
        unknown = cast(U, pulumi.UNKNOWN)

        def do(known: Sequence[Any]) -> Any:
            plan = self._plan if isinstance(self._plan, Planned) else known[1]
            return unknown if pulumi.runtime.is_dry_run() or plan is None else act(plan)

        late = None if isinstance(self._plan, Planned) else self._plan
        return pulumi.Output.all(component.urn, late).apply(do)


def planning(
    component: Component,
    name: str,
    given: object,
    *,
    plan: Callable[..., P],
    bundles: Callable[[P], Sequence[Bundle]],
    of_keys: Callable[[Keys], Mapping[str, Any] | None] = lambda _: {},
) -> Planning[P]:
    """Plan a component that is about to be made from what it is given.

    `of_keys` is what the plan must know of the keys, None while that is not known. Raises the refusal of arguments
    that are values; that of Outputs ends the program when they are known.
    """
    if isinstance(given, Planned):
        return Planning(given)
    question = _Question(component=component, name=name, plan=plan, bundles=bundles, of_keys=of_keys)
    settings, keys = question.taken_apart(given)
    if not has_outputs(given):
        plan_now = question.answer(Settled(settings=settings, keys=keys))
        if plan_now is not None:
            return Planning(plan_now)
    found = settled(settings, keys)
    after = found.apply(lambda _: None)
    return Planning(found.apply(lambda known: question.answer(known, (after,))))


@dataclass(frozen=True, kw_only=True)
class _Question(Generic[P]):
    """What is to be planned, and for which component."""

    component: Component
    name: str
    plan: Callable[..., P]
    bundles: Callable[[P], Sequence[Bundle]]
    of_keys: Callable[[Keys], Mapping[str, Any] | None]

    @property
    def arguments(self) -> Arguments:
        return ARGUMENTS[type(self.component).__name__]

    def taken_apart(self, given: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the settings and the keys among what is given."""
        if not isinstance(given, Mapping):
            raise self.refused([no_map(given)])
        keys = {key.name: given.get(key.name) for key in self.arguments.keys}
        return {name: value for name, value in given.items() if name not in keys}, keys

    def answer(self, given: Settled, after: tuple[pulumi.Output[Any], ...] = ()) -> Planned[P] | None:
        """Return the plan, or nothing while a setting is not known. Raises the refusal with every problem.

        Whatever is declared comes after the resources that `after` depends on.
        """
        wire = to_wire(self.arguments.section, given.settings)
        keys = Keys(self.arguments.keys, {name: _by_text(each) for name, each in given.keys.items()})
        problems, part = list(wire.problems), None
        of_keys = self.of_keys(keys)
        try:
            if wire.unknown or of_keys is None:
                problems += self.known_problems(wire, of_keys)
            else:
                part = self.plan(wire.settings, stack=pulumi.get_stack(), source=self.name, **of_keys)
        except InvalidInput as error:
            problems += self.as_written(error.problems)
        developers = getattr(part, "developers", None) if DEVELOPER_KEYS in keys.given else None
        problems += self.as_written(keys.problems(developers))
        if problems:
            raise self.refused(problems) from None
        if part is None:
            self.tell_awaited(wire.unknown or [argument(DEVELOPER_KEYS, KEYS_OF_DEVELOPERS.wire_name)])
            return None
        for note in getattr(part, "notes", ()):
            pulumi.log.warn(self.written(note), resource=self.component)
        return Planned(part=part, declaration=Declaration(bundles=self.bundles(part), keys=keys, after=after))

    def known_problems(self, wire: Wire, of_keys: Mapping[str, Any] | None) -> list[Problem]:
        """Return what is wrong already, whatever the rest will be.

        Where only names are awaited, all is planned with others. Raises `InvalidInput` with what that finds.
        """
        stand_ins = with_stand_ins(self.arguments.section, wire.settings)
        if stand_ins is not None and of_keys is not None:
            self.plan(stand_ins, stack=pulumi.get_stack(), source=self.name, **of_keys)
            return []
        found = self.as_written(problems_of_form(self.arguments.section, wire.settings))
        return [problem for problem in found if not wire.follows(problem)]

    def tell_awaited(self, places: Sequence[str]) -> None:
        """Tell the reader of a preview why it shows no object of the component."""
        names = ", ".join(places)
        pulumi.log.info(
            f"waits for {names}: what is known is checked, and all is planned and declared once the rest is known",
            resource=self.component,
        )

    def written(self, text: str) -> str:
        return as_written(text, self.arguments.python_names)

    def as_written(self, problems: Sequence[Problem]) -> list[Problem]:
        return [
            replace(
                problem,
                where=self.written(problem.where),
                found=self.written(problem.found),
                why=self.written(problem.why),
                fix=self.written(problem.fix),
            )
            for problem in problems
        ]

    def refused(self, problems: Sequence[Problem]) -> Exception:
        """Return the end of the program."""
        return refusal(type(self.component).__name__, self.name, problems)


def _by_text(keys: Any) -> Any:
    """Return a map of keys by names that are text: a developer may be called 7."""
    return {str(name): each for name, each in keys.items()} if isinstance(keys, Mapping) else keys
