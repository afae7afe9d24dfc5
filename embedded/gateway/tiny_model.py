"""A model small enough to make in an instant: shape, tokenizer and chat template, but no weights.

Its tokens are bytes and a few markers, so it reads anything. The template speaks ChatML as Qwen3 does, with thinking
closed unless a request switches it on: weights of chance never end it, a budget does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# The model can say bytes, the end, and the end of a thought, which vLLM forces on it where a budget is used up. The
# other markers lie behind its vocabulary, in the rows to which vLLM pads the embedding (a multiple of 64): prompts hold
# them, and no answer does by chance.
_END, _THOUGHT_END, _PAD = "<|im_end|>", "</think>", "<|endoftext|>"
_MARKERS = (_END, _THOUGHT_END, _PAD, "<|im_start|>", "<think>")

_TEMPLATE = """\
{%- if tools %}<|im_start|>system
Tools: {{ tools | tojson }}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}
{%- else %}{% for part in message.content or [] %}{{ part.text or '' }}{% endfor %}{% endif %}
{%- for call in message.tool_calls or [] %}
<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
<think>
{% if not enable_thinking %}

</think>

{% endif %}{% endif %}"""


def write_tiny_model(folder: Path, *, context_tokens: int) -> None:
    """Write a model folder that vLLM loads with `--load-format dummy`."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = _letters()
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    added = [_added(len(letters) + at, text) for at, text in enumerate(_MARKERS)]
    numbers = {token["content"]: token["id"] for token in added}
    files = {
        "config.json": _config(context_tokens, numbers),
        "generation_config.json": {"eos_token_id": numbers[_END], "pad_token_id": numbers[_PAD]},
        "tokenizer.json": _tokenizer(vocabulary, added),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": _END,
            "pad_token": _PAD,
            "model_max_length": context_tokens,
            "clean_up_tokenization_spaces": False,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(_TEMPLATE, encoding="utf-8")


def _letters() -> list[str]:
    """Return the letter that byte-level tokenizers write for each of the 256 bytes.

    Printable bytes of Latin-1 stand for themselves, the others for the letters from U+0100 on, in their order.
    """
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def _added(number: int, text: str) -> dict[str, Any]:
    return {
        "id": number,
        "content": text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _tokenizer(vocabulary: dict[str, int], added: list[dict[str, Any]]) -> dict[str, Any]:
    bytes_as_letters = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": bytes_as_letters,
        "post_processor": None,
        "decoder": bytes_as_letters,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [], "byte_fallback": False},
    }


def _config(context_tokens: int, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "torch_dtype": "bfloat16",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "hidden_act": "silu",
        "max_position_embeddings": context_tokens,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "tie_word_embeddings": True,
        "vocab_size": numbers[_THOUGHT_END] + 1,
        "eos_token_id": numbers[_END],
        "pad_token_id": numbers[_PAD],
    }
