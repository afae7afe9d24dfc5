"""What the catalogue knows about a server: its model, variant and accelerator."""

from __future__ import annotations

from onprem_agents.catalog import Accelerator, Catalog, load_catalog
from onprem_agents.errors import UnknownFact
from onprem_agents.vllm import load_release, newest_release

from .checkpoints import KnownModel, first_known
from .graph import UNKNOWN
from .serving import Server


def read_facts() -> None:
    """Read what every server is judged by, so that nothing waits for it once there is a server to judge."""
    load_release(newest_release())


def model_of(server: Server) -> KnownModel | None:
    """Return the catalogue's model for the first name of the server that it knows, or None."""
    return first_known(server.model_names)


def only_known_at_run_time(server: Server) -> bool:
    """Whether the model can't be told because its name is an Output or a variable."""
    return model_of(server) is None and (
        UNKNOWN in server.model_names or (server.parsed.opaque and not server.unseen)
    )


def accelerator_of(server: Server) -> Accelerator | None:
    """Return the accelerator that the server may land on; of several, the one with the least memory.

    None where it is not known, or how much of its memory the server gets.
    """
    if server.shared_gib is UNKNOWN:
        return None
    found = []
    for told in server.accelerators:
        accelerator = None if told is UNKNOWN else _accelerator(load_catalog(), str(told))
        if accelerator is None:
            return None
        found.append(accelerator)
    least = min(found, key=lambda accelerator: accelerator.total_gib, default=None)
    if least is None or server.shared_gib is None:
        return least
    return least.model_copy(update={"total_gib": min(least.total_gib, server.shared_gib)})


def _accelerator(catalog: Catalog, told: str) -> Accelerator | None:
    """Look up a product label or name; a pool of ours is called after its tier or its accelerator."""
    tiers = {
        name.casefold(): tier.accelerator for tier in catalog.tiers for name in (tier.name, *tier.aliases)
    }
    try:
        return catalog.accelerator(tiers.get(told.casefold(), told))
    except UnknownFact:
        return None
