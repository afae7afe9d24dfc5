"""From the options of `onprem-agents fit` to a sizing request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from onprem_agents.catalog import Accelerator, Catalog, Model, load_catalog
from onprem_agents.errors import UnknownFact
from onprem_agents.sizing import Checkpoint, FitRequest, accelerator_named, checkpoint_named, release_rules
from onprem_agents.sizing.config_json import model_from_config
from onprem_agents.sizing.request import default_batch_tokens, default_sequences
from onprem_agents.vllm import (
    known_releases,
    nearest_release,
    newest_release,
    version_key,
)

# As many as NVIDIA's HGX boards have, and as NVLink joins in a server (A100 to B300); links between nodes are for
# pipelines.
_GPUS_OF_A_NODE = 8

ANY_RELEASE = "any"
"""The value of --vllm for a server of which nobody knows the release: the band then spans all that may run."""


def request_from(name: str | None, options: Mapping[str, Any]) -> FitRequest:
    """Return the request that the options mean. Raises `UnknownFact`, or `UsageError` for options that clash."""
    catalog = load_catalog()
    checkpoint = _checkpoint(name, options["config_json"], options["precision"], catalog)
    model = checkpoint.model
    gpu = _gpu(options["gpu"], catalog)
    tensor, pipeline = _spread(options)
    _check_layers(pipeline, model)
    told = None if options["vllm"] == ANY_RELEASE else options["vllm"]
    rules = release_rules(_release(told))
    if version_key(told or newest_release()) < version_key(model.min_vllm):
        click.echo(
            f"{model.name} needs vLLM {model.min_vllm} or newer: {told} does not start it, and what follows "
            "is its memory alone.",
            err=True,
        )
    batched, sequences = options["max_num_batched_tokens"], options["max_num_seqs"]
    if batched is None:
        has_encoder = model.multimodal and options["images"]
        batched = default_batch_tokens(model, gpu, rules, has_encoder=has_encoder)
    return FitRequest(
        model=model,
        variant=checkpoint.variant,
        weights_uncertainty=checkpoint.uncertainty,
        accelerator=gpu,
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        data_parallel=options["data_parallel"],
        expert_parallel=options["expert_parallel"],
        context_tokens=options["context"] or model.architecture.max_context_tokens,
        max_num_seqs=default_sequences(gpu, batched) if sequences is None else sequences,
        max_num_seqs_told=sequences is not None,
        max_num_batched_tokens=batched,
        gpu_memory_utilization=rules.default_gpu_memory_utilization
        if options["utilization"] is None
        else options["utilization"],
        kv_cache_dtype=options["kv_cache_dtype"],
        speculative_tokens=options["speculative_tokens"],
        enforce_eager=options["enforce_eager"],
        prefix_caching=options["prefix_caching"],
        language_model_only=not options["images"],
        start=options["start"],
        vllm=None if options["vllm"] == ANY_RELEASE else told or newest_release(),
    )


def _checkpoint(
    name: str | None, config_json: Path | None, precision: str | None, catalog: Catalog
) -> Checkpoint:
    if (name is None) == (config_json is None):
        raise click.UsageError("Name a MODEL, or give its --config-json; not both and not neither.")
    if config_json is not None:
        own = model_from_config(config_json, precision=precision)
        return Checkpoint(model=own, variant=own.variants[0])
    try:
        model, named = catalog.model_and_variant(str(name))
    except UnknownFact:
        copy = checkpoint_named(str(name), precision or "", catalog)
        told = f"sized in {copy.variant.precision}; its own files may differ, for which the band is wider"
        click.echo(f"{copy.note}, {told}.", err=True)
        return copy
    if precision is not None and (named is None or precision.casefold() != named.precision):
        return Checkpoint(model=model, variant=model.variant(precision))
    return Checkpoint(model=model, variant=named or model.variants[0])


def _release(version: str | None) -> str | None:
    """Return the release as given, after saying which one its memory is counted by where that is another."""
    if version is None:
        return None
    if not re.fullmatch(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?", version):
        raise click.UsageError(
            f"--vllm {version!r} is no release: give its number, such as {newest_release()}, or '{ANY_RELEASE}'."
        )
    first, newest = known_releases()[0], newest_release()
    if version_key(version)[0] > version_key(newest)[0] or version_key(version) < (0, 1):
        raise click.UsageError(
            f"--vllm {version}: there is no such release; {first} to {newest} are known, give one of them."
        )
    told = nearest_release(version).release
    if told != version.removeprefix("v") and version_key(version) > version_key(known_releases()[0]):
        click.echo(f"vLLM {version} is not in the catalogue: its memory is counted as in {told}.", err=True)
    return version


def _gpu(name: str | None, catalog: Catalog) -> Accelerator:
    if name is None:
        raise click.UsageError(
            "Name the accelerator: --gpu, e.g. --gpu L40S ('onprem-agents catalog' lists them)."
        )
    try:
        return catalog.accelerator(name)
    except UnknownFact:
        gpu = accelerator_named(name, catalog.accelerators)
        if gpu is None:
            raise
        if gpu.name not in {known.name for known in catalog.accelerators}:
            click.echo(
                f"{gpu.name} is not in the catalogue: counted by its memory of {gpu.total_gib:.1f} GiB alone; what it "
                "computes in, and how fast, is that of the card nearest in memory.",
                err=True,
            )
        return gpu


def _spread(options: Mapping[str, Any]) -> tuple[int, int]:
    """Return tensor and pipeline parallel size: what was said, else tensor parallel within a node, stages across."""
    count, tensor, pipeline = options["count"], options["tensor_parallel"], options["pipeline_parallel"]
    if tensor is not None:
        together = tensor * (pipeline or 1) * options["data_parallel"]
        if count not in (1, together):
            click.echo(f"sized on {together} GPUs, as the parallel sizes say, not on {count}.", err=True)
        return tensor, pipeline or 1
    if pipeline is None:
        several_nodes = count > _GPUS_OF_A_NODE and count % _GPUS_OF_A_NODE == 0
        pipeline = count // _GPUS_OF_A_NODE if several_nodes and options["data_parallel"] == 1 else 1
    ranks = pipeline * options["data_parallel"]
    if ranks < 1 or count % ranks:
        raise click.UsageError(
            f"{count} GPUs cannot be shared out over {ranks} pipeline stages and data ranks; "
            "give a multiple of it as --count."
        )
    return count // ranks, pipeline


def _check_layers(stages: int, model: Model) -> None:
    layers = model.architecture.layers
    if stages > layers:
        raise click.UsageError(
            f"--pipeline-parallel-size {stages}: {model.name} has {layers} layers, and a stage has one at least; give "
            f"{layers} or less."
        )
