"""A decided role → the model server's flags, resources and probes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from onprem_agents.catalog import Model, load_catalog
from onprem_agents.contract.limits import output_cap_tokens
from onprem_agents.plan.cache import Cache, cache_notes
from onprem_agents.plan.choice import Choice
from onprem_agents.plan.extra_args import extra_flags
from onprem_agents.plan.loading import Loading, budget_notes
from onprem_agents.plan.maker import image_on, template_on
from onprem_agents.plan.pod_settings import pod_settings
from onprem_agents.plan.release_notes import release_notes
from onprem_agents.plan.remarks import because, licence_to_accept, notes_on, remarks_on
from onprem_agents.plan.rollout import Rollout
from onprem_agents.plan.sampling import SamplingPlan, sampling_of
from onprem_agents.plan.serving import (
    CHAT_TEMPLATE_PATH,
    KEEP_ALIVE_MIDDLEWARE,
    MODEL_PATH,
    ModelSource,
    PodResources,
    Probes,
    ServingPlan,
)
from onprem_agents.plan.start import start_of
from onprem_agents.plan.support import unsupported_reasons
from onprem_agents.plan.thinking import Thinking, reasoning_config, template_arguments, thinking_of
from onprem_agents.plan.timeouts import TimeoutChain
from onprem_agents.sizing import checkpoint_gib, needs_expert_parallel
from onprem_agents.stack.settings import ModelRole, Serving
from onprem_agents.units import GIB
from onprem_agents.vllm import Release, ServeFlags, image_cuda, nearest_release, option_of, to_argv

PORT = 8080
"""KServe's default container port (v0.20.0, 2026-08): Service and probes need no further setting."""

# Options that the plan adds for comfort or for what it reports: a release without them serves as well.
_CONVENIENCES = (
    "language_model_only",
    "enable_force_include_usage",
    "enable_prompt_tokens_details",
    "shutdown_timeout",
    "disable_fastapi_docs",
)
_MISSED = {
    "shutdown_timeout": "a server that is restarted ends the turns that it serves",
}
# Images come within the request: a server that fetches what a prompt names reaches whatever its pod reaches. The list
# must name a domain to keep out the others (vllm 0.33.0, multimodal/media/connector.py); RFC 2606 keeps this one free.
_NO_DOMAIN = ("no-download.invalid",)
# How releases before `--language-model-only` leave out the encoders (vLLM 0.9.2 to 0.33.0, read 2026-11).
_NO_ITEMS = {"audio": 0, "image": 0, "video": 0}


def serving_plan(
    role: ModelRole,
    *,
    choice: Choice,
    replicas: int,
    rollout: Rollout,
    timeouts: TimeoutChain,
    settings: Serving,
    release: str,
    cache: Cache | None,
) -> ServingPlan:
    """Return the whole plan of one role from what was decided about it.

    Raises `InvalidInput` naming the options that the release does not take.
    """
    source = source_of(role, choice)
    context_tokens = choice.request.context_tokens
    max_output_tokens = output_cap_tokens(context_tokens)
    control, judged_by = load_catalog().thinking_control(choice.model), nearest_release(release)
    thinking = thinking_of(role, choice.model, control, judged_by, max_output_tokens=max_output_tokens)
    sampling = sampling_of(role, choice.model, thinking, judged_by)
    flags = _thinking_flags(
        _flags(role, choice, timeouts, judged_by), choice.model, thinking, sampling, judged_by
    )
    derived = choice.own.merged_into(_known(flags, release))
    # vLLM takes the last of two equal options, so what a stack gives itself stands last.
    extra = extra_flags(role.extra_args, release)
    image = settings.image or image_on(choice.request.accelerator, release)
    loading = Loading(
        weights_gib=stored_gib(choice),
        downloads=source.leaves_the_cluster,
        kept=cache,
        mib_per_second=settings.download_mib_per_second,
        budget_seconds=timeouts.load_budget_seconds,
    )
    return ServingPlan(
        role=role.role,
        name=role.role,
        asked=role.model,
        because=because(role, choice.model, choice.variant),
        licence_to_accept=licence_to_accept(role, choice.model, choice.variant),
        model=choice.model,
        variant=choice.variant,
        pool=choice.pool,
        source=source,
        image_name=image,
        image=image,
        vllm_release=release,
        flags=replace(derived, **extra.given()),
        argv=(*to_argv(derived, release, beside=extra), *role.extra_args),
        pod=pod_settings(role),
        replicas=replicas,
        resources=_resources(choice, source, cache),
        probes=_probes(timeouts),
        rollout=rollout,
        fit=choice.fit,
        context_tokens=context_tokens,
        max_output_tokens=max_output_tokens,
        temperature=role.temperature,
        vision=choice.request.has_encoder,
        thinking=thinking,
        sampling=sampling,
        unsupported_reasons=unsupported_reasons(
            choice.model,
            context_tokens=context_tokens,
            max_output_tokens=max_output_tokens,
            tool_calling=derived.tool_call_parser is not None,
        ),
        chat_template=role.chat_template,
        timeouts=timeouts,
        notes=(
            *release_notes(release),
            *_missed(release),
            *notes_on(role, choice.model, choice.variant, settings),
            *budget_notes(loading),
            *cache_notes(cache),
        ),
        remarks=tuple(remarks_on(choice.model, choice.variant, thinking, sampling)),
        required_cuda=image_cuda(image, release).cuda if settings.cuda_affinity else None,
        start=start_of(role),
        loading=loading,
        cache=cache,
    )


def source_of(role: ModelRole, choice: Choice) -> ModelSource:
    """Return where the weights come from."""
    uri = role.source or f"hf://{choice.variant.hf_id}"
    scheme = uri.split("://", 1)[0]
    if scheme not in ("hf", "pvc", "oci", "s3"):
        raise ValueError(f"{uri}: scheme {scheme}")
    return ModelSource(scheme=scheme, uri=uri, revision=role.revision)  # type: ignore[arg-type]


def _flags(role: ModelRole, choice: Choice, timeouts: TimeoutChain, release: Release) -> ServeFlags:
    model, request = choice.model, choice.request
    tensor_parallel = choice.tensor_parallel
    tool_call_parser = role.tool_call_parser or model.tool_call_parser
    speculative = None
    if role.speculative_tokens and model.speculative is not None:
        speculative = {**model.speculative, "num_speculative_tokens": role.speculative_tokens}
    return ServeFlags(
        model=MODEL_PATH,
        served_model_name=(role.role,),
        host="0.0.0.0",  # noqa: S104  the pod's own address; NetworkPolicy decides who reaches it
        port=PORT,
        tensor_parallel_size=tensor_parallel if tensor_parallel > 1 else None,
        enable_expert_parallel=True
        if needs_expert_parallel(model, choice.variant, tensor_parallel)
        else None,
        max_model_len=request.context_tokens,
        max_num_seqs=request.max_num_seqs,
        max_num_batched_tokens=request.max_num_batched_tokens,
        gpu_memory_utilization=request.gpu_memory_utilization,
        kv_cache_dtype=None if request.kv_cache_dtype == "auto" else request.kv_cache_dtype,
        quantization=choice.variant.quantization,
        enable_prefix_caching=request.prefix_caching,
        enable_chunked_prefill=True,
        enable_auto_tool_choice=True if tool_call_parser is not None else None,
        tool_call_parser=tool_call_parser,
        reasoning_parser=role.reasoning_parser or model.reasoning_parser,
        chat_template=CHAT_TEMPLATE_PATH
        if role.chat_template is not None
        else template_on(request.accelerator, model.chat_template, release),
        language_model_only=True if request.language_model_only else None,
        allowed_media_domains=_NO_DOMAIN if request.has_encoder else None,
        speculative_config=speculative,
        enable_force_include_usage=True,
        enable_prompt_tokens_details=True,
        middleware=KEEP_ALIVE_MIDDLEWARE,
        shutdown_timeout=timeouts.server_seconds,
        disable_fastapi_docs=True,
    )


def _thinking_flags(
    flags: ServeFlags, model: Model, thinking: Thinking | None, sampling: SamplingPlan, release: Release
) -> ServeFlags:
    """Return the flags with what holds where a request says nothing of thinking and sampling."""
    return replace(
        flags,
        reasoning_config=reasoning_config(thinking, release),
        default_chat_template_kwargs=template_arguments(thinking, model, release),
        override_generation_config=sampling.overrides(),
    )


def _lacking(version: str) -> list[str]:
    known = nearest_release(version).options()
    return [name for name in _CONVENIENCES if option_of(name) not in known]


def _missed(version: str) -> Iterator[str]:
    """Yield what a release costs that lacks an option which the plan gives others."""
    for name in _lacking(version):
        if name in _MISSED:
            yield f"vLLM {version} has no {option_of(name)}: {_MISSED[name]}"


def _known(flags: ServeFlags, version: str) -> ServeFlags:
    """Return the flags without the conveniences that the release does not have yet."""
    lacking = _lacking(version)
    older = _NO_ITEMS if "language_model_only" in lacking and flags.language_model_only else None
    return replace(flags, **dict.fromkeys(lacking), limit_mm_per_prompt=older)


def _resources(choice: Choice, source: ModelSource, cache: Cache | None) -> PodResources:
    gpus = choice.tensor_parallel
    host = choice.request.accelerator.host
    weights_gib = checkpoint_gib(choice.model, choice.variant)
    # NCCL and the workers exchange through shared memory; 1 GPU needs it only for the API server's queue.
    shm_gib = 2 if gpus == 1 else 4 * gpus
    tables_gib = _tables_gib(choice)
    wanted_gib = 12 + math.ceil(0.25 * weights_gib) + shm_gib + tables_gib
    return PodResources(
        cpus=min(host.cpus_per_gpu * gpus, 2 + 2 * gpus),
        memory_gib=min(host.memory_gib_per_gpu * gpus, wanted_gib),
        shm_gib=shm_gib,
        gpus=gpus,
        download_gib=math.ceil(1.15 * weights_gib) + 4 + tables_gib
        if source.leaves_the_cluster and cache is None
        else 0,
    )


def stored_gib(choice: Choice) -> float:
    """Return the checkpoint's size on a disk."""
    return checkpoint_gib(choice.model, choice.variant) + _tables_gib(choice)


def _tables_gib(choice: Choice) -> int:
    # Tables that stay in the host's memory, a byte a parameter (Qwen3.8-Flash-Next: 48 GiB of 51 billion, 2026-11).
    return math.ceil(choice.model.architecture.host_params / GIB)


def _probes(timeouts: TimeoutChain) -> Probes:
    period = 10
    return Probes(
        startup_period_seconds=period,
        startup_failures=math.ceil(timeouts.load_budget_seconds / period),
        readiness_period_seconds=10,
        readiness_failures=3,
        liveness_period_seconds=20,
        liveness_failures=6,
    )
