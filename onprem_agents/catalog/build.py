"""vLLM as it is built for each maker's accelerators: its image, its releases, and which checkpoints it runs there.

NVIDIA's build runs what the compute capability allows, which each checkpoint of the catalogue tells. The others have
kernels of their own: what is not listed here is refused, since nobody has read that it works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onprem_agents.catalog.device import Vendor
from onprem_agents.catalog.model import Precision


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The generations, by their `compute_capability`, that run checkpoints of one precision, and that compute in it."""

    on: tuple[float, ...]
    natively_on: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Build:
    """vLLM for one maker.

    `repository` is None where vLLM's own image of the release serves. `releases` are those of vLLM that it is published
    for, None for all from `least` on. `precisions` is None where the compute capability decides; `refusals` say why
    some are missing. `fp8_kv_cache` says whether it keeps a KV cache in FP8. `template_folder` is where its image has
    vLLM's chat templates, None where vLLM's own image has them. `prefixes_of` are the types of models with linear
    attention, as config.json tells them, whose prefix caching its makers list as working, None for all. `unproven` is
    what a reader should know.
    """

    title: str
    repository: str | None = None
    least: str = "0"
    releases: tuple[str, ...] | None = None
    precisions: Mapping[Precision, Runs] | None = None
    refusals: Mapping[Precision, str] = field(default_factory=dict)
    fp8_kv_cache: bool = True
    template_folder: str | None = None
    prefixes_of: frozenset[str] | None = None
    unproven: str = ""

    def refusal(self, precision: Precision) -> str:
        """Return why checkpoints of that precision do not run."""
        return self.refusals.get(precision, "nobody has read that it does")


# Compute capabilities as vLLM derives them of the architecture: gfx942 (CDNA 3) is 9.4, gfx950 (CDNA 4) is 9.5
# (0.33.0, platforms/rocm.py, read 2026-11-29).
_CDNA3, _CDNA4 = 9.4, 9.5
_CDNA = (_CDNA3, _CDNA4)
# Ascend has no such number; the catalogue writes 0.
_ASCEND = (0.0,)

BUILDS: Mapping[Vendor, Build] = {
    "nvidia": Build(title="vLLM"),
    # vLLM 0.33.0: platforms/rocm.py (supported_quantization), kernels/linear/__init__.py (kernels listed for ROCM; the
    # INT4 ones since 0.22), fused_moe/oracle/{fp8,int_wna16,mxfp4,nvfp4}.py, v1/attention/backends/{rocm_attn,
    # triton_attn,mla/triton_mla}.py (FP8 KV cache). Image: tags v0.14.0 to v0.30.0 seen in public scripts, which run
    # gpt-oss-120b on one MI300X with v0.24.0. Templates: docker/Dockerfile.rocm, which copies vLLM's examples below its
    # COMMON_WORKDIR, in versions of 2025 and of autumn 2026. Read 2026-11-29.
    "amd": Build(
        title="vLLM for ROCm",
        repository="docker.io/vllm/vllm-openai-rocm",
        least="0.22.0",
        precisions={
            "bf16": Runs(on=_CDNA, natively_on=_CDNA),
            "fp8": Runs(on=_CDNA, natively_on=_CDNA),
            "int4": Runs(on=_CDNA),
            "mxfp4": Runs(on=_CDNA),
        },
        refusals={
            "int8": "vLLM's code lists a Triton kernel for it, its table of supported hardware says no",
            "nvfp4": "vLLM only emulates it there, in BF16 at each step",
            "native": "how much memory DeepSeek V4 takes there is not known",
            "bnb4": "bitsandbytes is none of the methods that the build takes",
        },
        template_folder="/app/vllm/examples",
        unproven="memory is counted by the rules of NVIDIA's build: no log of vLLM on these GPUs was held against them",
    ),
    # vLLM Ascend: docs, "Release compatibility matrix" of v0.23.0 (final releases for vLLM 0.18.0 and 0.23.0), and
    # gpustack/runner v0.1.32.post2 (final 0.30.0). Quantisation: quantization/configs/compressed_tensors_config.py
    # (W8A8; its FP8 and MX schemes are for the Ascend 950). Templates: its Dockerfile clones vLLM's tag (the same in
    # v0.18.0, v0.23.0 and on main at 0.27.1). Prefix caching: docs, "Supported models" of v0.18.0 and v0.23.0, which
    # tick Qwen3.5 and 3.6 (since vllm-ascend#7103), not Qwen3-Next, and list no other hybrid. Read 2026-11-29.
    "huawei": Build(
        title="vLLM Ascend",
        repository="quay.io/ascend/vllm-ascend",
        least="0.18.0",
        releases=("0.18.0", "0.23.0", "0.30.0"),
        precisions={
            "bf16": Runs(on=_ASCEND, natively_on=_ASCEND),
            "int8": Runs(on=_ASCEND, natively_on=_ASCEND),
        },
        refusals={
            "fp8": "the 910B has no FP8 units, and vLLM Ascend's FP8 schemes are for the Ascend 950",
            "int4": "vLLM Ascend takes some W4A16 checkpoints, but which of them nobody has read",
        },
        fp8_kv_cache=False,
        template_folder="/vllm-workspace/vllm/examples",
        prefixes_of=frozenset({"qwen3_5", "qwen3_5_moe"}),
        unproven="memory is counted by the rules of NVIDIA's build: no log of vLLM Ascend was held against them; "
        "its own list says which models it runs",
    ),
}
