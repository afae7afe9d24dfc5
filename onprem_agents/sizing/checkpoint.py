"""Which checkpoint a name and a precision mean: one of the catalogue, or one that is counted from a known shape."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from onprem_agents.catalog import Catalog, Model, Part, Variant
from onprem_agents.errors import FormerName, OnpremError, UnknownFact
from onprem_agents.sizing.precision import precision_named
from onprem_agents.sizing.weights import MAKERS_WITH_QUANT_CONFIG, all_agree_on, checkpoint_gib, computed_gib

# Precisions in which makers leave different parts in BF16.
_MAKERS_DIFFER = frozenset({"int4", "nvfp4", "bnb4"})
# Makers who quantise to INT4 in groups of 32 elements (checkpoints of both in the catalogue); others take 128.
_MAKERS_OF_SMALL_GROUPS, _SMALL_GROUP = frozenset({"cyankiwi", "cpatonn"}), 32
_USUAL_GROUP = 128
# What an NVFP4 checkpoint of an unknown maker keeps in FP8: BF16, FP8 and FP4 are all seen there, FP8 is the middle.
# In INT4 all nine mixtures with linear attention of the catalogue, by six makers, keep these parts in BF16, or take
# small groups, and so are 5 to 17 % above a checkpoint that quantises all: FP8 is the middle there too.
_MIDDLE_IN_FP8: Mapping[str, tuple[Part, ...]] = {
    "nvfp4": ("attention", "linear-attention"),
    "int4": ("attention", "linear-attention", "shared-experts"),
}
# Other words for the precisions of the catalogue.
_SPELLED = {
    "awq": "int4", "gptq": "int4", "w4a16": "int4", "autoround": "int4", "4bit": "int4", "w8a8": "int8", "fp16": "bf16",
    "float16": "bf16", "bfloat16": "bf16", "half": "bf16", "bitsandbytes": "bnb4", "nf4": "bnb4", "fp4": "nvfp4",
}  # fmt: skip


class UnknownPrecision(OnpremError, ValueError):
    """A precision whose bytes nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint to size. `uncertainty` is the share by which its weights may differ on top, `note` says what is not
    told by the catalogue, empty where it lists the checkpoint."""

    model: Model
    variant: Variant
    uncertainty: float = 0.0
    note: str = ""


def checkpoint_named(name: str, precision: str, catalog: Catalog, *, repository: str = "") -> Checkpoint:
    """Return the checkpoint of that Hugging Face id in that precision, "" where nobody told it.

    `repository` may name the checkpoint more closely than `name` does. Raises `UnknownFact` for a model that is
    neither listed nor a copy of a listed one, `UnknownPrecision`.
    """
    precision = _SPELLED.get(precision.casefold(), precision.casefold())
    model, named, note = _model(name, catalog)
    if note:
        alike = catalog.resembling(name)
        precision = precision or (alike.precision if alike and alike.precision else "")
    for variant in model.variants:
        if variant.hf_id.casefold() == repository.casefold() and precision in ("", variant.precision):
            return Checkpoint(model=model, variant=variant, note=note)
    if named is not None and precision in ("", named.precision):
        return Checkpoint(model=model, variant=named)
    if not precision:
        return _copy_of(model, model.variants[0], note)
    listed = [variant for variant in model.variants if variant.precision == precision]
    vendors_own = bool(listed) and not note and _maker(listed[0].hf_id) == _maker(model.hf_id)
    if listed and (vendors_own or precision not in _MAKERS_DIFFER):
        return _copy_of(model, listed[0], note)
    group = _group_of(name, repository, model, listed=bool(listed)) if precision == "int4" else None
    if group is not None:
        return Checkpoint(model=model, variant=_computed(model, precision, group), note=note)
    return _of_any_maker(model, precision, listed, note, maker=_maker(name))


def _model(name: str, catalog: Catalog) -> tuple[Model, Variant | None, str]:
    """Return the model, its checkpoint if the name is one's, and what to say where the name is not listed."""
    try:
        return *catalog.model_and_variant(name), ""
    except FormerName:
        raise
    except UnknownFact:
        alike = catalog.resembling(name)
        if alike is None:
            raise
        note = f"{name} is not in the catalogue; by its name it has the shape of {alike.model.name}"
        return alike.model, None, note


def _maker(hf_id: str) -> str:
    return hf_id.partition("/")[0].casefold()


def _group_of(name: str, repository: str, model: Model, *, listed: bool) -> int | None:
    """Return how many elements share a scale where the maker of an INT4 checkpoint tells it, None elsewhere."""
    if {_maker(name), _maker(repository)} & _MAKERS_OF_SMALL_GROUPS:
        return _SMALL_GROUP
    told = "/" in repository and not listed and all_agree_on(model)
    return _USUAL_GROUP if told else None


def _copy_of(model: Model, variant: Variant, note: str) -> Checkpoint:
    """Return a listed checkpoint, or one that is like it: sized as it is, and sure of no more than its precision."""
    precise = precision_named(variant.precision) if note else None
    if precise is None:
        return Checkpoint(model=model, variant=variant, note=note)
    return Checkpoint(model=model, variant=variant, uncertainty=precise.uncertainty, note=note)


def _of_any_maker(
    model: Model, precision: str, listed: list[Variant], note: str, *, maker: str
) -> Checkpoint:
    """Return a checkpoint whose maker is not told: the middle of those known, if a log showed one, else a computed one.

    Known are those of logs, and those whose maker says which parts it quantises.
    """
    seen = [checkpoint_gib(model, variant) for variant in listed if variant.measured]
    if not seen:
        return Checkpoint(model=model, variant=_computed(model, precision, None), note=note)
    seen += [
        variant.weights_gib
        for variant in listed
        if not variant.measured and _maker(variant.hf_id) in MAKERS_WITH_QUANT_CONFIG
    ]
    middle = statistics.median(seen)
    precise = precision_named(precision)
    spread = statistics.pstdev(seen) / middle if len(seen) > 1 else precise.uncertainty if precise else 0.0
    # What the first listed one, the vendor's own or the best known, says about its cache is most likely, but for a
    # copy by somebody else: asking for FP8 takes scales that a community's tools do not make unless told.
    another = bool(note) and maker != _maker(listed[0].hf_id)
    dtype = None if another else listed[0].kv_cache_dtype
    told = {
        "weights_gib": middle,
        "loaded_gib_per_gpu": {},
        "measured_tower": True if model.multimodal else None,
        "kv_cache_dtype": dtype,
    }
    variant = listed[0].model_copy(update={**told, "measured": True})
    return Checkpoint(model=model, variant=variant, uncertainty=spread, note=note)


def _middle_in_fp8(model: Model, precision: str, group: int | None) -> tuple[Part, ...]:
    """Return the parts that FP8 is the middle of; none where the size of the groups says how a maker quantises."""
    shape = model.architecture
    if precision == "int4" and (group or not (shape.experts and shape.is_hybrid)):
        return ()
    return _MIDDLE_IN_FP8.get(precision, ())


def _computed(model: Model, precision: str, group: int | None) -> Variant:
    """Return a checkpoint that the catalogue does not list, its weights counted from the architecture."""
    if precision_named(precision) is None:
        raise UnknownPrecision(f"precision {precision!r} is unknown, {model.name} cannot be sized in it")
    variant = model.variants[0].model_copy(
        update={
            "hf_id": f"{model.hf_id} ({precision})",
            "precision": precision,
            "measured": False,
            "loaded_gib_per_gpu": {},
            "measured_tower": None,
            "weight_block": group,
            "kept_bf16": (),
            "fp8_parts": _middle_in_fp8(model, precision, group),
            "quantized_parts": (),
            "kv_cache_dtype": None,
        }
    )
    return variant.model_copy(update={"weights_gib": computed_gib(model, variant)})
