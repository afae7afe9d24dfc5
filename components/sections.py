"""What each component's arguments are made of: settings of the product, and keys, which are secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from onprem_agents.stack.parts import (
    AuthArguments,
    CheckArguments,
    IngressArguments,
    PoolArguments,
    ProxyArguments,
    ServerArguments,
)
from onprem_agents.stack.section import Section
from onprem_agents.stack.settings import Platform

from .wire import python_names


@dataclass(frozen=True, kw_only=True)
class KeyArgument:
    """An argument that is a secret, or a map of them."""

    name: str
    wire_name: str
    by_developer: bool
    required: bool
    description: str


DEVELOPER_KEYS, SERVER_KEY, DEVELOPER_KEY = "developer_keys", "server_key", "developer_key"
KEYS_OF_DEVELOPERS = KeyArgument(
    name=DEVELOPER_KEYS,
    wire_name="developerKeys",
    by_developer=True,
    required=True,
    description="Each developer's key by name, or a list of two while a key is exchanged; at least 32 characters "
    "each. They stand in Secrets alone.",
)
KEY_OF_SERVERS = KeyArgument(
    name=SERVER_KEY,
    wire_name="serverKey",
    by_developer=False,
    required=True,
    description="The key between gateway and model servers, at least 32 characters. It stands in Secrets alone.",
)
_KEY_OF_A_PROXY = replace(
    KEY_OF_SERVERS,
    description="The key between gateway and proxy, at least 32 characters. It stands in Secrets alone.",
)


KEY_OF_A_DEVELOPER = KeyArgument(
    name=DEVELOPER_KEY,
    wire_name="developerKey",
    by_developer=False,
    required=True,
    description="A developer's key, by which the models are asked. It stands in no object, state or log.",
)


@dataclass(frozen=True)
class Arguments:
    """The arguments of one component."""

    section: type[Section]
    keys: tuple[KeyArgument, ...] = ()

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """How Python writes what the wire form writes otherwise."""
        return python_names(self.section) | {key.wire_name: key.name for key in self.keys}


ARGUMENTS: Mapping[str, Arguments] = {
    "GpuNodePool": Arguments(PoolArguments),
    "InferenceService": Arguments(ServerArguments, (replace(KEY_OF_SERVERS, required=False),)),
    "ExternalIngress": Arguments(IngressArguments),
    "GatewayAuth": Arguments(AuthArguments, (KEYS_OF_DEVELOPERS,)),
    "TranslationProxy": Arguments(ProxyArguments, (_KEY_OF_A_PROXY,)),
    "ServiceCheck": Arguments(CheckArguments, (KEY_OF_A_DEVELOPER,)),
    "CodingPlatform": Arguments(Platform, (KEYS_OF_DEVELOPERS, KEY_OF_SERVERS)),
}
