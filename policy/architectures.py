"""Which releases of vLLM certainly cannot load a model: those whose registry has no class for its architecture.

Such a release stops at start: neither it nor the Transformers release beside it knows the architecture.
"""

from __future__ import annotations

from collections.abc import Mapping

from onprem_agents.catalog import Model
from onprem_agents.vllm import UNREADABLE, version_key

from .known import model_of
from .own_image import runs_published_release
from .serving import Server

# By the model type of config.json: the class that vLLM needs, and the newest release read without it
# (vllm/model_executor/models/registry.py of the wheels 0.10.2, 0.12.0, 0.13.0, 0.14.1, 0.16.0, 0.17.1, 0.18.1, 0.19.1,
# 0.20.2, 0.22.1, 0.23.0, 0.25.1, 0.27.0, 0.28.0 and 0.29.0, read 2026-11-29). What is older than 0.10.2 is left out.
_MISSING_IN: Mapping[str, tuple[str, str]] = {
    "deepseek_v32": ("DeepseekV32ForCausalLM", "0.10.2"),
    "deepseek_v4": ("DeepseekV4ForCausalLM", "0.19.1"),
    "gemma4": ("Gemma4ForConditionalGeneration", "0.18.1"),
    "glm4_moe_lite": ("Glm4MoeLiteForCausalLM", "0.14.1"),
    "glm_moe_dsa": ("GlmMoeDsaForCausalLM", "0.14.1"),
    "kimi_k25": ("KimiK25ForConditionalGeneration", "0.14.1"),
    "kimi_k3": ("KimiK3ForConditionalGeneration", "0.25.1"),
    "kimi_linear": ("KimiLinearForCausalLM", "0.10.2"),
    "laguna": ("LagunaForCausalLM", "0.20.2"),
    "mimo_v2_flash": ("MiMoV2FlashForCausalLM", "0.13.0"),
    "minimax_m2": ("MiniMaxM2ForCausalLM", "0.10.2"),
    "minimax_m3": ("MiniMaxM3SparseForCausalLM", "0.23.0"),
    "qwen3_5": ("Qwen3_5ForConditionalGeneration", "0.16.0"),
    "qwen3_5_moe": ("Qwen3_5MoeForConditionalGeneration", "0.16.0"),
    "qwen3_omni_moe": ("Qwen3OmniMoeForConditionalGeneration", "0.10.2"),
    "qwen3_vl": ("Qwen3VLForConditionalGeneration", "0.10.2"),
    "qwen3_vl_moe": ("Qwen3VLMoeForConditionalGeneration", "0.10.2"),
    "qwen4_exp": ("Qwen4ExpForConditionalGeneration", "0.28.0"),
    "step3p7": ("Step3p7ForConditionalGeneration", "0.22.1"),
}


def missing_architecture(model: Model, release: str) -> str | None:
    """Return the class that a release lacks for a model, None where it has it or where that is not known."""
    found = _MISSING_IN.get(model.architecture.model_type)
    if found is None or version_key(release) > version_key(found[1]):
        return None
    return found[0]


def missing_in(server: Server) -> str | None:
    """Return the class that a server's release certainly lacks for its model, None where it may have it.

    A release counts as it was published, and where nothing tells vLLM to load the model as another one.
    """
    known = model_of(server)
    if known is None or server.release is None or not runs_published_release(server):
        return None
    if server.parsed.read("hf_overrides") not in (None, UNREADABLE) or "--model-impl" in server.parsed.other:
        return None
    return missing_architecture(known.model, server.release)
