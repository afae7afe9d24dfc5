"""Which model a checkpoint that the catalogue does not list is a copy of, told by its name alone.

Makers of quantised and fine-tuned checkpoints keep the name of the model that they start from:
`unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit`, `RedHatAI/Qwen3-8B-quantized.w4a16`. Its shape is that model's, its
precision is in the name. A name that hints at another shape (another size, a pruned or a draft model) is no copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onprem_agents.catalog.model import Model, Precision


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that say nothing about the shape: how a checkpoint was trained and who made it.
_TRAINING = _set(
    "instruct base it chat thinking reasoning hf meta nvidia unsloth preview latest exp text pt sft dpo"
)
_DATED = re.compile(r"\d{4}")
_REVISED = re.compile(r"v\d+")
# Words of formats, which say nothing beyond the precision.
_FORMAT = _set(
    "fp8 nvfp4 mxfp4 fp4 int4 int8 awq gptq autoround auto round bnb nf4 4bit 8bit bit w4a16 w8a8 w8a16 w4a4"
    " quantized dynamic block tensor channel e4m3 bf16 fp16 g128 g32 sym mixed qat ct"
)
# Another shape or another use, whatever else the name says.
_OTHER_MODEL = _set(
    "vl omni vision audio asr tts ocr reap pruned prune draft eagle eagle3 dflash dspark speculator lora adapter"
    " embedding reranker moe"
)
# Files of other engines, whose layouts are not counted here.
_OTHER_FORMATS = _set("gguf mlx exl2 exl3")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)b")
_ACTIVE = re.compile(r"a(\d+(?:\.\d+)?)b")
# Names round sizes, and count embeddings or not.
_SAME_SIZE, _SAME_ACTIVE = 0.06, 0.25

_PRECISIONS: tuple[tuple[frozenset[str], Precision], ...] = (
    (_set("nvfp4 fp4"), "nvfp4"),
    (_set("mxfp4"), "mxfp4"),
    (_set("bnb nf4"), "bnb4"),
    (_set("int8 8bit w8a8 w8a16"), "int8"),
    (_set("int4 4bit w4a16 awq gptq autoround"), "int4"),
    (_set("fp8"), "fp8"),
    (_set("bf16 fp16"), "bf16"),
)


@dataclass(frozen=True, kw_only=True)
class Resemblance:
    """The model whose shape a checkpoint has; `precision` None where its name does not say one."""

    model: Model
    precision: Precision | None


def resembling(name: str, models: Iterable[Model]) -> Resemblance | None:
    """Return the model that this checkpoint was made from, None where its name does not tell."""
    words = _words(name)
    if _OTHER_FORMATS & {*words, *_words(name.partition("/")[0])}:
        return None
    best: tuple[tuple[int, ...], Model] | None = None
    for model in models:
        for key in (model.hf_id, model.name, *model.aliases, *model.same_shape):
            score = _score(words, _words(key), model)
            if score is not None and (best is None or score > best[0]):
                best = score, model
    return None if best is None else Resemblance(model=best[1], precision=_precision(words))


def _words(name: str) -> tuple[str, ...]:
    text = re.sub(r"(\d)_(\d)", r"\1.\2", name.rpartition("/")[2].casefold())
    text = re.sub(r"(?<![\d])\.|\.(?!\d)", "-", text.replace("_", "-"))
    text = re.sub(r"\b([a-z]{3,}?)(\d+(?:\.\d+)?)(?=-|$)", _apart, text)
    return tuple(word for word in text.split("-") if word)


def _apart(match: re.Match[str]) -> str:
    whole = match[0]
    return whole if whole in _FORMAT | _OTHER_MODEL | _OTHER_FORMATS else f"{match[1]}-{match[2]}"


def _precision(words: Sequence[str]) -> Precision | None:
    return next((precision for marks, precision in _PRECISIONS if marks & set(words)), None)


def _score(words: Sequence[str], key: Sequence[str], model: Model) -> tuple[int, ...] | None:
    """Return how well the name fits that of the model, None where it is another one."""
    needed = [word for word in key if not _idle(word)]
    if not needed or not _in_order(needed, words):
        return None
    rest = list(words)
    for word in needed:
        rest.remove(word)
    extra = [word for word in rest if not _idle(word) and not _REVISED.fullmatch(word)]
    if any(word in _OTHER_MODEL for word in extra) or not all(_size_fits(word, model) for word in extra):
        return None
    told_size = any(_SIZE.fullmatch(word) for word in needed)
    if not told_size and any(not _SIZE.fullmatch(word) and not _ACTIVE.fullmatch(word) for word in extra):
        return None
    together = tuple(needed) in {tuple(words[at : at + len(needed)]) for at in range(len(words))}
    shared = len(set(key) & set(words))
    return int(together), len(needed), shared, -len(set(key) - set(words))


def _idle(word: str) -> bool:
    return word in _TRAINING or word in _FORMAT or _DATED.fullmatch(word) is not None


def _in_order(needed: Sequence[str], words: Sequence[str]) -> bool:
    remaining = iter(words)
    return all(word in remaining for word in needed)


def _size_fits(word: str, model: Model) -> bool:
    """Return whether a size in the name is the model's; other words are no sizes."""
    active, total = _ACTIVE.fullmatch(word), _SIZE.fullmatch(word)
    if active:
        return abs(float(active[1]) - model.active_params_b) <= _SAME_ACTIVE * model.active_params_b
    if total:
        own = model.total_params / 1e9
        return abs(float(total[1]) - own) <= max(_SAME_SIZE * own, 0.1)
    return True
