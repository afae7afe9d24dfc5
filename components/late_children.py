"""Children that are declared after their component: what comes after the component comes after them too."""

from __future__ import annotations

import pulumi
from pulumi.resource import DependencyResource


class LateChildren(DependencyResource):
    """Stands among a component's children until they are declared.

    The SDK takes `depends_on` of a component as its children at that moment (3.272, `runtime/rpc.py`, read 2026-11),
    and waits for the URN of each. This one's comes when all of them are there.
    """

    def __init__(self, parent: pulumi.Resource, last: pulumi.Output[str]) -> None:
        """Stand there until `last` is known, the URN of the last child; it is empty where there is none yet."""
        super().__init__("")
        self.__dict__["urn"] = last
        parent._childResources.add(self)  # noqa: SLF001 - the SDK has no other way to add a child
