"""What a platform engineer must see to, or should know, about a model that is planned: from the catalogue's facts."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Model, Sampling, Variant
from onprem_agents.stack.settings import ModelRole, Serving

_THINKING = {
    "on": "it thinks before it answers, unless a request switches that off",
    "off": "it can think, but only where a request asks for it",
    "effort": "it thinks as long as the effort in a request says",
}


def notes_on(role: ModelRole, model: Model, variant: Variant, settings: Serving) -> Iterator[str]:
    """Yield what must be done by hand before the weights can be loaded, and which others are loaded than were named."""
    asked = role.model.casefold()
    if "/" in asked and asked != variant.hf_id.casefold():
        yield (
            f"asked for {role.model}, serves {variant.hf_id}: of the checkpoints of {model.name} that these GPUs run, "
            f"the preferred one in {variant.precision}"
        )
    downloaded = role.source is None or role.source.startswith("hf://")
    if not (model.gated and downloaded and _maker(variant.hf_id) == _maker(model.hf_id)):
        return
    yield f"{variant.hf_id} is gated: accept its licence ({model.license}) on its Hugging Face page"
    if settings.storage_secret is None:
        yield "name the Secret with that account's token in platform.serving.storageSecret, or the download is refused"


def remarks_on(role: ModelRole, model: Model, variant: Variant) -> Iterator[str]:
    """Yield what is worth knowing about the model as this role serves it."""
    if model.thinking in _THINKING:
        yield _THINKING[model.thinking]
    if model.sampling is not None:
        yield _sampling(model.sampling, role.temperature)
    yield from model.notes
    yield from variant.notes


def _sampling(sampling: Sampling, temperature: float | None) -> str:
    recommended = ", ".join(f"{name} {value:g}" for name, value in sampling.values().items())
    if temperature is not None and temperature != sampling.temperature:
        return f"the stack's temperature {temperature:g} stands before its maker's sampling ({recommended})"
    # vLLM 0.33.0: `--generation-config auto` reads generation_config.json beside the weights (read 2026-11).
    return (
        f"its maker recommends {recommended}; vLLM takes it from the checkpoint where a request says nothing"
    )


def _maker(hf_id: str) -> str:
    return hf_id.partition("/")[0]
