"""All that is known of one model, accelerator, tier or platform, as rows of words with the source of each part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onprem_agents.catalog import Accelerator, Catalog, ClusterPlatform, Model, Source, Tier, Variant
from onprem_agents.errors import FormerName, UnknownFact
from onprem_agents.units import GB

Entry = Model | Accelerator | Tier | ClusterPlatform

_UNRATED = {
    "before-agents": "no public figure: it is older than the benchmarks that agents solve",
    "none-found": "no public figure was found, of its maker or of a board",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that is known; `source` where the figures of the row, and those above it, are from."""

    title: str
    text: str
    source: Source | None = None


def entry_named(name: str, catalog: Catalog) -> Entry:
    """Return whatever has that name. Raises `UnknownFact` with the nearest of all of them."""
    platform = catalog.platform(name.casefold())
    if platform is not None:
        return platform
    known = [each.name for each in catalog.platforms]
    for look_up in (catalog.tier, catalog.accelerator, catalog.model):
        try:
            return look_up(name)
        except FormerName:
            raise
        except UnknownFact as error:
            known += error.known
    raise UnknownFact("model, accelerator, tier or platform", name, known, listed_by="onprem-agents catalog")


def rows_of(entry: Entry, catalog: Catalog) -> Iterator[Row]:
    """Yield what is known of an entry, row by row."""
    if isinstance(entry, Model):
        yield from _model(entry, catalog)
    elif isinstance(entry, Accelerator):
        yield from _accelerator(entry)
    elif isinstance(entry, ClusterPlatform):
        yield from _platform(entry)
    else:
        yield from _tier(entry)


def _model(model: Model, catalog: Catalog) -> Iterator[Row]:
    yield Row(title="model", text=f"{model.name} ({model.family}), {model.hf_id}")
    if model.aliases:
        yield Row(title="also called", text=_listed(model.aliases))
    if model.same_shape:
        yield Row(title="same shape", text=_listed(model.same_shape))
    gated = ", gated: its licence must be accepted before the download" if model.gated else ""
    yield Row(title="licence", text=model.license + gated, source=model.license_source)
    yield from _quality(model)
    yield from _shape(model)
    parsers = f"tool calls {model.tool_call_parser or 'none'}, reasoning {model.reasoning_parser or 'none'}"
    yield Row(title="parsers", text=parsers)
    yield Row(title="chat template", text=model.chat_template or "of the model")
    yield from _thinking(model, catalog)
    yield Row(title="input", text="text and images" if model.multimodal else "text")
    needed = " ".join(model.extra_args) or "none"
    yield Row(title="own options", text=needed)
    if model.speculative is not None:
        yield Row(title="speculation", text=_pairs(model.speculative.items()))
    yield Row(title="vLLM", text=f"{model.min_vllm} or newer", source=model.serving_source)
    if model.sampling is not None:
        yield Row(
            title="sampling", text=_pairs(model.sampling.values().items()), source=model.sampling.source
        )
    if model.sampling_off is not None:
        text = _pairs(model.sampling_off.values().items())
        yield Row(title="without thinking", text=text, source=model.sampling_off.source)
    for agent, support in model.agents.items():
        yield Row(title=agent, text=f"{support.works}: {support.why}", source=support.source)
    for note in model.notes:
        yield Row(title="note", text=note)
    for variant in model.variants:
        yield from _variant(variant)


def _quality(model: Model) -> Iterator[Row]:
    for figure in model.quality:
        yield Row(title="quality", text=figure.said, source=figure.source)
    if model.unrated is not None:
        yield Row(title="quality", text=_UNRATED[model.unrated])


def _thinking(model: Model, catalog: Catalog) -> Iterator[Row]:
    control = catalog.thinking_control(model)
    if control is None:
        yield Row(
            title="thinking", text=f"by default {model.thinking}" if model.reasoning else "it does not think"
        )
        return
    told = [f"by default {model.thinking}"]
    told.append(f"switched by {control.switch}" if control.switch is not None else "nothing switches it off")
    told.append(f"efforts {' '.join(control.efforts)}" if control.efforts else "no efforts")
    told.append("takes a budget" if control.takes_budgets else "takes no budget")
    yield Row(title="thinking", text=_listed(told), source=control.source)


def _shape(model: Model) -> Iterator[Row]:
    shape = model.architecture
    yield Row(
        title="parameters",
        text=f"{model.total_params / GB:.1f} billion, {model.active_params_b:g} at work on a token",
    )
    yield Row(title="context", text=f"{shape.max_context_tokens} tokens")
    layers = [f"{group.layers} {group.kind}" for group in shape.attention]
    if shape.experts is not None:
        layers.append(f"{shape.experts.per_token} of {shape.experts.count} experts at work")
    if shape.mtp_layers:
        layers.append(f"{shape.mtp_layers} that draft tokens")
    if shape.host_params:
        layers.append(f"{shape.host_params / GB:.1f} billion parameters in the host's memory")
    text = f"{shape.model_type}, {shape.layers} of width {shape.hidden_size}: {_listed(layers)}"
    yield Row(title="layers", text=text, source=shape.source)


def _variant(variant: Variant) -> Iterator[Row]:
    seen = "seen in a log" if variant.measured else "computed"
    ranks = [f"{gib:g} each on {gpus} GPUs" for gpus, gib in variant.loaded_gib_per_gpu.items()]
    if variant.measured_tower is not None:
        ranks.append("with the image encoder" if variant.measured_tower else "without the image encoder")
    text = f"{variant.hf_id}: {variant.weights_gib:g} GiB ({_listed([seen, *ranks])})"
    yield Row(title=variant.precision, text=text, source=variant.source)
    parts = {
        "in BF16": variant.kept_bf16,
        "in FP8": variant.fp8_parts,
        "quantised too": variant.quantized_parts,
    }
    details = [f"{what} {_listed(named)}" for what, named in parts.items() if named]
    if variant.weight_block is not None:
        details.append(f"blocks of {variant.weight_block}")
    if variant.quantization is not None:
        details.append(f"--quantization {variant.quantization}")
    if variant.kv_cache_dtype is not None:
        details.append(f"KV cache in {variant.kv_cache_dtype}")
    if variant.extra_args is not None:
        details.append(f"own options {' '.join(variant.extra_args) or 'none'}")
    if variant.min_vllm is not None:
        details.append(f"vLLM {variant.min_vllm} or newer")
    native = _listed(f"{capability:g}" for capability in variant.native_compute_capability) or "nowhere"
    details.append(f"compute capability {variant.min_compute_capability:g} or newer, native on {native}")
    for detail in (*details, *variant.notes):
        yield Row(title="", text=detail)


def _accelerator(gpu: Accelerator) -> Iterator[Row]:
    yield Row(title="accelerator", text=gpu.name)
    if gpu.aliases:
        yield Row(title="also called", text=_listed(gpu.aliases))
    seen = "seen in a log" if gpu.total_seen else "an estimate"
    shared = ", shared with the host" if gpu.unified_memory else ""
    memory = f"{gpu.total_gib:g} GiB of nominal {gpu.nominal_gb} GB, {seen}{shared}"
    yield Row(title="memory", text=memory, source=gpu.total_source)
    natively = _listed([name for name, has in (("FP8", gpu.native_fp8), ("FP4", gpu.native_fp4)) if has])
    capability = f"{gpu.compute_capability:g}" if gpu.compute_capability else "its maker has no such number"
    yield Row(title="compute capability", text=capability + (f", computes in {natively}" if natively else ""))
    rates = [f"memory {gpu.bandwidth_gb_per_second} GB/s", f"BF16 {gpu.bf16_tflops:g} TFLOPS"]
    if gpu.fp8_tflops is not None:
        rates.append(f"FP8 {gpu.fp8_tflops:g} TFLOPS")
    if gpu.fp4_tflops is not None:
        rates.append(f"FP4 {gpu.fp4_tflops:g} TFLOPS")
    link = gpu.device.link if gpu.nvlink else "PCI Express"
    rates.append(f"{link} {gpu.interconnect_gb_per_second} GB/s")
    yield Row(title="rates", text=_listed(rates), source=gpu.source)
    if gpu.mig is not None:
        sliced = f"{gpu.mig.profile} of {gpu.mig.parent}, {gpu.mig.compute_slices} of 7 compute slices"
        yield Row(title="slice", text=sliced)
    host = gpu.host
    typical = (
        f"{host.gpus_per_node} GPUs, {host.cpus_per_gpu} CPUs and {host.memory_gib_per_gpu} GiB for each"
    )
    yield Row(title="typical server", text=typical)
    labels = _listed(f"{label}={value}" for label, value in gpu.node_labels.items())
    yield Row(title="node labels", text=labels)
    yield Row(title="put forward", text="yes" if gpu.proposed else "no: known so that it can be read")


def _tier(tier: Tier) -> Iterator[Row]:
    yield Row(title="tier", text=f"{tier.name}: {tier.title}")
    if tier.aliases:
        yield Row(title="also called", text=_listed(tier.aliases))
    yield Row(title="hardware", text=f"{tier.nodes} × {tier.gpus_per_node} {tier.accelerator}")
    spread = " with expert parallel" if tier.expert_parallel else ""
    yield Row(
        title="start with", text=f"{tier.variant} of {tier.model} over {tier.tensor_parallel} GPUs{spread}"
    )
    settings = (
        f"context {tier.context_tokens}, max-num-seqs {tier.max_num_seqs}, max-num-batched-tokens "
        f"{tier.max_num_batched_tokens}, kv-cache-dtype {tier.kv_cache_dtype}"
    )
    yield Row(title="settings", text=settings, source=tier.source)
    if tier.corrects:
        yield Row(title="mind", text=tier.corrects)


def _platform(platform: ClusterPlatform) -> Iterator[Row]:
    yield Row(title="platform", text=f"{platform.name}: {platform.title}")
    for preset in platform.settings:
        text = f"platform.{preset.setting} {preset.value}, because {preset.because}"
        yield Row(title="sets", text=text, source=preset.source)
    shared = platform.shared_resource
    if shared is not None:
        yield Row(title="shares", text=f"{shared.name}, because {shared.because}", source=shared.source)
    for title, marks in (("label", platform.labels), ("annotation", platform.annotations)):
        for mark in marks:
            yield Row(
                title=title, text=f"{mark.name}={mark.value}, because {mark.because}", source=mark.source
            )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _pairs(items: Iterable[tuple[str, object]]) -> str:
    return _listed(f"{name} {value}" for name, value in items)
