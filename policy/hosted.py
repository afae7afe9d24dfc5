"""Which hosts belong to providers of hosted models: what goes there leaves the premises."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# The providers' own documentation of their endpoints, read 2026-11. A leading dot means everything below.
HOSTS = (
    *("api.openai.com", ".openai.azure.com", ".services.ai.azure.com", "api.anthropic.com", "openrouter.ai"),
    *(
        "generativelanguage.googleapis.com",
        "aiplatform.googleapis.com",
        "api.mistral.ai",
        "codestral.mistral.ai",
    ),
    *(
        "api.deepseek.com",
        "api.groq.com",
        "api.together.xyz",
        "api.together.ai",
        "api.fireworks.ai",
        "api.x.ai",
    ),
    *(
        "api.cohere.com",
        "api.cohere.ai",
        "api.moonshot.ai",
        "api.moonshot.cn",
        "open.bigmodel.cn",
        "api.z.ai",
    ),
    *("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "api.perplexity.ai", "api.cerebras.ai"),
    *(
        "integrate.api.nvidia.com",
        "router.huggingface.co",
        "api.minimax.io",
        "api.sambanova.ai",
        "api.deepinfra.com",
    ),
    *("models.inference.ai.azure.com", "models.github.ai", "api.githubcopilot.com", "api.portkey.ai"),
)
REGIONAL = re.compile(
    r"^(?:bedrock-runtime\.[a-z0-9-]+\.amazonaws\.com|[a-z0-9-]+-aiplatform\.googleapis\.com)$"
)
# LiteLLM's prefixes of models that it sends to a provider, without a base of one's own (1.109, read 2026-11).
HOSTED_PREFIXES = frozenset(
    (
        *(
            "anthropic",
            "azure",
            "azure_ai",
            "bedrock",
            "cerebras",
            "cohere",
            "dashscope",
            "deepinfra",
            "deepseek",
        ),
        *("fireworks_ai", "gemini", "github_copilot", "groq", "minimax", "mistral", "moonshot", "nvidia_nim"),
        *("openrouter", "perplexity", "sambanova", "together_ai", "vertex_ai", "xai", "zai"),
    )
)
_HOSTED_MODEL = re.compile(r"^(?:openai/)?(?:gpt-[345]|o[134](?:-|$)|chatgpt-|codex-)|^claude-|^gemini-")


def is_hosted(host: str) -> bool:
    """Whether a host or the host of a URL is a provider's."""
    name = (urlsplit(host).hostname if "://" in host else host.split("/", 1)[0].split(":", 1)[0]) or ""
    name = name.lower().rstrip(".")
    if REGIONAL.match(name):
        return True
    return any(name == known or (known.startswith(".") and name.endswith(known)) for known in HOSTS)


def is_hosted_model(model: str, base: str | None) -> bool:
    """Whether LiteLLM sends a model of this name, with or without a base of its own, to a provider."""
    if base is not None:
        return is_hosted(base)
    return model.partition("/")[0] in HOSTED_PREFIXES or bool(_HOSTED_MODEL.match(model))
