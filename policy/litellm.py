"""LiteLLM's configurations in the ConfigMaps of a program: which models it offers, and whom it asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .graph import Graph, Resource, Value, dig, items, once
from .hosted import is_hosted_model
from .pods import is_proxy, pods
from .serving import servers

# Prefixes that only say in which wire format LiteLLM asks a server of one's own (1.109.1, run 2026-11).
_WIRES = ("hosted_vllm", "openai", "anthropic", "text-completion-openai", "custom_openai")

# Behind the prefix: to be asked by /v1/responses (LiteLLM docs, read 2026-11).
_BRIDGE = "responses/"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """LiteLLM's configuration as a ConfigMap holds it."""

    resource: Resource
    key: str
    content: Mapping[str, Any]

    def hosted(self) -> set[str]:
        """Return the models that go to a provider."""
        return {name for name, hosted in self._models() if hosted}

    def own(self) -> set[str]:
        """Return the models that go to servers of one's own."""
        return {name for name, hosted in self._models() if not hosted}

    def _models(self) -> Iterator[tuple[str, bool]]:
        for entry in items(self.content.get("model_list")):
            model, base = dig(entry, "litellm_params", "model"), dig(entry, "litellm_params", "api_base")
            if isinstance(model, str):
                name = dig(entry, "model_name")
                yield str(name or model), is_hosted_model(model, base if isinstance(base, str) else None)

    def asked(self) -> Iterator[tuple[str, str, str]]:
        """Yield what LiteLLM asks for: its own name of a model, the server's, and the URL; not what it may ask."""
        for entry in items(self.content.get("model_list")):
            model, base = dig(entry, "litellm_params", "model"), dig(entry, "litellm_params", "api_base")
            if isinstance(model, str) and isinstance(base, str):
                provider, _, rest = model.partition("/")
                asked = rest.removeprefix(_BRIDGE) or model
                if (provider in _WIRES or not rest) and "*" not in asked:
                    yield str(dig(entry, "model_name") or model), asked, base

    def fallbacks(self) -> Iterator[tuple[str, str]]:
        """Yield each model of one's own and what it falls back to."""
        own = self.own()
        for part in ("litellm_settings", "router_settings"):
            for key in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
                for entry in items(dig(self.content, part, key)):
                    for model, targets in entry.items() if isinstance(entry, Mapping) else ():
                        for target in items(targets) if model in own or model == "*" else ():
                            yield str(model), str(target)
            for target in items(dig(self.content, part, "default_fallbacks")) if own else ():
                yield "every model", str(target)


@once
def configurations(graph: Graph) -> tuple[Configuration, ...]:
    """Return LiteLLM's configurations in a program that serves models or runs the proxy."""
    return tuple(_read(graph))


def _read(graph: Graph) -> Iterator[Configuration]:
    if not any(servers(graph)) and not any(is_proxy(pod) for pod in pods(graph)):
        return
    for resource in graph.of_kind("core", "ConfigMap"):
        data = dig(resource.props, "data")
        for key, text in data.items() if isinstance(data, Mapping) else ():
            content = _content(text)
            if content is not None:
                yield Configuration(resource=resource, key=f"data[{key}]", content=content)


def _content(text: Value) -> Mapping[str, Any] | None:
    if not isinstance(text, str) or "model_list" not in text or "litellm_params" not in text:
        return None
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return None
    return content if isinstance(content, Mapping) else None
