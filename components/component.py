"""What all components have in common: their type tokens, and which of their options reach their children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import get_annotations
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

PACKAGE = "onprem-coding-agents"
_FORMER_PACKAGE = "onprem"
# What the SDK and the engine leave to a component (pulumi 3.272 and engine 3.259, read 2026-11): they pass on
# `protect`, `provider`, `providers`, `aliases`, `transforms` and `transformations` themselves, and nothing else.
_PASSED_ON = (
    "depends_on",
    "ignore_changes",
    "delete_before_replace",
    "custom_timeouts",
    "replace_on_changes",
    "retain_on_delete",
    "deleted_with",
)


class Component(pulumi.ComponentResource):
    """A component of this package: `onprem-coding-agents:index:<class name>`.

    States that were made while the package was called `onprem` know it by that alias, and its children with it.
    """

    def __init__(
        self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the component; `props` are what state and policies see of it."""
        noun = type(self).__name__
        former = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"{_FORMER_PACKAGE}:index:{noun}")])
        own = pulumi.ResourceOptions.merge(opts, former)
        self._passed_on = pulumi.ResourceOptions(**{each: getattr(own, each) for each in _PASSED_ON})
        super().__init__(f"{PACKAGE}:index:{noun}", name, dict(props), own)

    def register_attributes(self) -> None:
        """Register every attribute of the component as an output of it: the last thing that its constructor does."""
        names = [name for name in get_annotations(type(self)) if not name.startswith("_")]
        self.register_outputs({to_camel(name): getattr(self, name) for name in names})

    def child_options(
        self, depends_on: Sequence[pulumi.Input[pulumi.Resource]] = ()
    ) -> pulumi.ResourceOptions:
        """Return the options of a child that comes after these: the component's own where they reach children."""
        child = pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))
        return pulumi.ResourceOptions.merge(self._passed_on, child)
