"""What a platform engineer must see to, or should know, about a model that is planned: from the catalogue's facts."""

from __future__ import annotations

from collections.abc import Iterator

from onprem_agents.catalog import Model, Variant, load_catalog
from onprem_agents.plan.sampling import SamplingPlan
from onprem_agents.plan.thinking import Thinking
from onprem_agents.stack.settings import ModelRole, Serving

CREDENTIAL_STEPS = (
    "put that account's token as HF_TOKEN into a Secret of the stack's namespace, and name the Secret in "
    "platform.serving.storageSecret"
)
"""How the token gets to the container that downloads."""
ACCOUNT_STEPS = (
    "put that account's token as HF_TOKEN into a Secret of a ServiceAccount in the namespace of KServe's download "
    "jobs, and name that ServiceAccount in platform.models[].cache.localModelCache.serviceAccount"
)
"""How it gets to KServe's own download."""


def served_id(role: ModelRole, variant: Variant) -> str:
    """Return what the server loads: a Hugging Face id, or the URI of weights that are elsewhere."""
    return variant.hf_id if role.source is None else role.source.removeprefix("hf://")


def because(role: ModelRole, model: Model, variant: Variant) -> str | None:
    """Return why something else is served than the id that was asked for; None where it is that id."""
    asked = "-".join(role.model.split()).casefold()
    if asked == served_id(role, variant).casefold():
        return None
    if role.source is not None:
        return f"platform.models[].source names it; it is sized as {variant.hf_id} ({variant.precision})"
    if asked == variant.hf_id.casefold().partition("/")[2]:
        return "that id leaves out its owner"
    if role.precision is not None:
        return f"it is the first checkpoint of {model.name} in {role.precision}, which the stack asks for"
    if asked == model.hf_id.casefold():
        return (
            f"the id of {model.name} leaves its precision open, and of the checkpoints that these GPUs run the one in "
            f"{variant.precision} is preferred; platform.models[].precision keeps to another"
        )
    return (
        f"it is a name of {model.hf_id}, and of the checkpoints that these GPUs run the one in {variant.precision} is "
        "preferred"
    )


def notes_on(role: ModelRole, model: Model, variant: Variant, settings: Serving) -> Iterator[str]:
    """Yield what must be done by hand before the weights can be loaded, and which others are loaded than were named."""
    why = because(role, model, variant)
    if why is not None:
        yield f"asked {role.model}, serves {served_id(role, variant)}, because {why}"
    kserve = load_catalog().kserve(settings.kserve)
    if settings.mode in kserve.faults:
        fault, source = kserve.faults[settings.mode], kserve.source
        yield f"KServe {kserve.release} in mode {settings.mode}: {fault} ({source.where}, read {source.read})"
    licence = licence_to_accept(role, model, variant)
    if licence is not None:
        yield f"{variant.hf_id} is gated: {licence}"
        by_kserve = role.cache.local_model_cache if role.cache is not None else None
        if (settings.storage_secret if by_kserve is None else by_kserve.service_account) is None:
            steps = CREDENTIAL_STEPS if by_kserve is None else ACCOUNT_STEPS
            yield f"without a token the download is refused: {steps}"


def licence_to_accept(role: ModelRole, model: Model, variant: Variant) -> str | None:
    """Return how the licence is accepted without which the weights are not handed out; None where nothing is asked.

    Copies that others make are not gated; weights on a volume or in an image are there already.
    """
    downloaded = role.source is None or role.source.startswith("hf://")
    if not (model.gated and downloaded and _maker(served_id(role, variant)) == _maker(model.hf_id)):
        return None
    page = f"https://huggingface.co/{served_id(role, variant)}"
    return f"accept its licence ({model.license}) on {page} with the account whose token downloads it"


def remarks_on(
    model: Model, variant: Variant, thinking: Thinking | None, sampling: SamplingPlan
) -> Iterator[str]:
    """Yield what is worth knowing about the model as it is served."""
    if thinking is not None and thinking.budget_tokens is not None:
        # vLLM 0.33.0: chat requests and Anthropic's have a budget, the Responses API has none (read 2026-11).
        yield "opencode and Claude Code send the budget of thinking with each request; Codex has no field for it"
    if sampling.card is not None:
        yield _sampling(sampling)
    yield from model.notes
    yield from variant.notes


def _sampling(sampling: SamplingPlan) -> str:
    card = sampling.card.values() if sampling.card is not None else {}
    recommended = ", ".join(f"{name} {value:g}" for name, value in card.items())
    own = ", ".join(f"{name} {value:g}" for name, value in sampling.said.items() if value != card.get(name))
    if own:
        return f"the stack's {own} stands before its maker's sampling ({recommended})"
    # vLLM 0.33.0: `--generation-config auto` reads generation_config.json beside the weights (read 2026-11).
    return (
        f"its maker recommends {recommended}; vLLM takes it from the checkpoint where a request says nothing"
        if not sampling.applied
        else f"its maker recommends {recommended}; where a request says nothing, the server keeps to it"
    )


def _maker(hf_id: str) -> str:
    return hf_id.partition("/")[0]
