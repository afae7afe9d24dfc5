"""What all components have in common: their type tokens, and the ones by which older states know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

PACKAGE = "onprem-coding-agents"
_FORMER_PACKAGE = "onprem"


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
        super().__init__(f"{PACKAGE}:index:{noun}", name, dict(props), own)
