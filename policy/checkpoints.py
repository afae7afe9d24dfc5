"""The model and checkpoint of the catalogue that a name stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from onprem_agents.catalog import Catalog, Model, Variant, load_catalog
from onprem_agents.errors import UnknownFact

from .graph import UNKNOWN, Unknown


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A model of the catalogue; `variant` is None when only the model, not the checkpoint, could be told."""

    model: Model
    variant: Variant | None


@cache
def first_known(names: tuple[str | Unknown, ...]) -> KnownModel | None:
    """Return the catalogue's model for the first of these names that it knows, or None."""
    catalog = load_catalog()
    for name in names:
        if name is not UNKNOWN:
            found = _named(catalog, str(name))
            if found is not None:
                return found
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
