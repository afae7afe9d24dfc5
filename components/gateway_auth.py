"""Temporary."""

from typing import Any

import pulumi

from .component import Component
from .planning import planning


class GatewayAuth(Component):
    """Temporary."""

    def __init__(self, name: str, args: Any, opts: pulumi.ResourceOptions | None = None) -> None:
        """Temporary."""
        plan = planning(self, name, args, plan=None, bundles=None)
        super().__init__(name, {}, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.register_attributes()
