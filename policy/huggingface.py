"""KServe's Hugging Face server: what of its arguments vLLM gets, and whether a language model runs in it at all.

Source: kserve v0.20.0, python/huggingfaceserver/huggingfaceserver/__main__.py and python/kserve/kserve/model_server.py,
read 2026-11-29: vLLM serves where its backend is not `huggingface` and vLLM knows the architecture; options that
neither knows are passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onprem_agents.vllm.holes import HOLE
from onprem_agents.vllm.shell import script_of, simple_commands

from .writes_text import writes_no_text

_MODULE = "huggingfaceserver"
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
# Its own name of an option of vLLM's.
_RENAMED = {
    "model_id": "model",
    "model_name": "served-model-name",
    "model_revision": "revision",
    "max_length": "max-model-len",
}
_OWN_SWITCHES = frozenset(
    {
        *("disable_lower_case", "disable_special_tokens", "return_token_type_ids", "return_offsets_mapping"),
        *("return_probabilities", "return_raw_logits", "disable_log_requests", "predictor_use_ssl"),
        "enable_predictor_health_check",
    }
)
_OWN_VALUES = frozenset(
    {
        *(
            "model_dir",
            "backend",
            "task",
            "tensor_input_names",
            "http_port",
            "grpc_port",
            "workers",
            "max_threads",
        ),
        *(
            "max_asyncio_workers",
            "enable_grpc",
            "enable_docs_url",
            "enable_latency_logging",
            "configure_logging",
        ),
        *(
            "log_config_file",
            "access_log_format",
            "event_loop",
            "timeout_keep_alive",
            "predictor_host",
            "protocol",
        ),
        *("predictor_protocol", "predictor_request_timeout_seconds", "predictor_request_retries"),
        *("grpc_max_send_message_length", "grpc_max_receive_message_length"),
    }
)
_GENERATING = ("text_generation", "text2text_generation", "generate")


@dataclass(frozen=True, kw_only=True)
class HuggingFaceServer:
    """`words` are what vLLM gets after `vllm serve`; `generates` is None where nothing tells whether it does."""

    words: tuple[str, ...]
    generates: bool | None
    model: str | None


def huggingface_server(
    argv: Sequence[str], env: Mapping[str, str], *, by_entrypoint: bool
) -> HuggingFaceServer | None:
    """Return the server that a container's words start, None if they start another program.

    `by_entrypoint` tells that the image starts it by itself, so that all words are its arguments.
    """
    argv = [_REFERENCE.sub(lambda found: env.get(found[1], HOLE), word) for word in argv]
    words = _arguments(argv, env)
    if words is None and not by_entrypoint:
        return None
    return _read(argv if words is None else words)


def _arguments(argv: Sequence[str], env: Mapping[str, str]) -> list[str] | None:
    script = script_of(argv)
    commands = [list(argv)] if script is None else simple_commands(script[0], env, script[1])
    for words in commands:
        for at, word in enumerate(words):
            if word == _MODULE and words[at - 1 : at] == ["-m"]:
                return words[at + 1 :]
    return None


def _read(words: Sequence[str]) -> HuggingFaceServer:
    passed: list[str] = []
    own: dict[str, str] = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        option, equals, value = word.partition("=")
        name = option[2:].replace("-", "_") if option.startswith("--") else ""
        if name in _OWN_SWITCHES:
            continue
        if name in _OWN_VALUES or name in _RENAMED:
            if not equals and at < len(words):
                value, at = words[at], at + 1
            own[name] = value
            if name in _RENAMED:
                passed.append(f"--{_RENAMED[name]}={value}")
        else:
            passed.append(word)
    model = own.get("model_id")
    return HuggingFaceServer(words=tuple(passed), generates=_generates(own, passed), model=model)


def _generates(own: Mapping[str, str], passed: Sequence[str]) -> bool | None:
    task = own.get("task")
    if task is not None and task not in _GENERATING:
        return False
    if own.get("backend") == "huggingface":
        return False  # not by vLLM, at least
    if writes_no_text([own.get("model_id")]):
        return False
    plain = {f"--{new}" for new in _RENAMED.values()} | {"--trust-remote-code", "--dtype"}
    of_vllm = any(
        word.startswith("--") and word.partition("=")[0].replace("_", "-") not in plain for word in passed
    )
    return True if own.get("backend") == "vllm" or of_vllm else None
