"""What the catalogue knows about a server: its model, variant and accelerator."""

from __future__ import annotations

from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Catalog, Model, Variant, load_catalog
from onprem_agents.errors import UnknownFact
from onprem_agents.vllm import load_release, newest_release

from .graph import UNKNOWN
from .serving import Server


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A model of the catalogue; `variant` is None when only the model, not the checkpoint, could be told."""

    model: Model
    variant: Variant | None


def read_facts() -> None:
    """Read what every server is judged by, so that nothing waits for it once there is a server to judge."""
    load_release(newest_release())


def model_of(server: Server) -> KnownModel | None:
    """Return the catalogue's model for the first name of the server that it knows, or None."""
    catalog = load_catalog()
    for name in server.model_names:
        if name is not UNKNOWN:
            found = _named(catalog, str(name))
            if found is not None:
                return found
    return None


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


def _named(catalog: Catalog, name: str) -> KnownModel | None:
    try:
        model, variant = catalog.model_and_variant(name)
    except UnknownFact:
        return _by_repository(catalog, name)
    if variant is None and model.has_variant(name):
        variant = model.variant(name)
    return KnownModel(model=model, variant=variant)


def _by_repository(catalog: Catalog, name: str) -> KnownModel | None:
    """Find a checkpoint by its repository name alone, as in a path on a volume or in a registry."""
    for model in catalog.models:
        for variant in model.variants:
            if variant.hf_id.rsplit("/", 1)[-1].casefold() == name.casefold():
                return KnownModel(model=model, variant=variant)
    return None
