"""Settings that every pod of a stack shares, and those of a platform that is told by its name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onprem_agents.stack.images import Images

PodIds = Annotated[
    Literal["fixed", "platform"],
    Field(
        description="User and group of every pod: 1000 and, for Envoy, what Envoy Gateway sets (fixed), or what the "
        "platform assigns, as OpenShift's restricted-v2 does (platform). No pod runs as root in either case: where "
        "nothing assigns a user, an image whose own one is root does not start."
    ),
]
PulledImages = Annotated[
    Images,
    Field(
        description="Where all images come from, when they are pulled, which bytes they have. Left out: the defaults "
        "below."
    ),
]
PlatformName = Annotated[
    Literal["upstream", "openshift-ai", "alauda"],
    Field(
        description="What the cluster is made of: its name sets other settings that nobody says, and 'onprem-agents "
        "plan STACK' tells which and why."
    ),
]
