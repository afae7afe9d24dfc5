"""Which accelerator a free text such as "NVIDIA GeForce RTX 4090 (47.37 GiB)" means."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable

from onprem_agents.catalog import Accelerator, MigSlice

_SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s*(gib|gb)\b", re.IGNORECASE)
# A slice of a GPU in NVIDIA's names: "1g.5gb" is a seventh of the computing, 5 GB of the memory.
_PROFILE = re.compile(r"(?<![a-z0-9])(\d)g\.(\d+)gb\b", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9]+")
# Words of catalogue names and labels that tell nothing about which GPU it is.
_EMPTY_WORDS = frozenset({"nvidia", "geforce", "gpu", "generation", "gb", "edition"})

# What the driver keeps from a GPU whose total nobody printed: 1 to 2.5 % in the totals of the catalogue.
_UNSEEN_SHARE = 0.98
# Of what the name of a slice says this much is there: 0.95 to 0.98 in the totals of the catalogue.
_SLICE_SHARE, _PARTS = 0.95, 7
# A printed size this near to a catalogue entry's means that entry.
_SAME_SIZE = 0.06
# A size beyond this multiple of a GPU's is the host's ("GH200 480GB").
_OTHER_MEMORY = 3


def accelerator_named(
    text: str,
    accelerators: Iterable[Accelerator],
    *,
    total_gib: float | None = None,
    pipeline: bool = False,
) -> Accelerator | None:
    """Return the accelerator that the text means, None when nothing tells.

    The longest matching name wins, then the nearest memory; several GPUs joined by "+" mean the smallest, in a
    pipeline one of their mean memory, as whoever runs one over unequal GPUs gives each its share of layers. A size in
    the text, or `total_gib` as vLLM printed it, replaces the catalogue's; a GPU that is not in the catalogue
    is made from its size alone.
    """
    known = tuple(accelerators)
    found = [_one(part, known, total_gib) for part in text.split("+")]
    told = [gpu for gpu in found if gpu is not None]
    if not told or len(told) < len(found):
        return None
    smallest = min(told, key=lambda gpu: gpu.total_gib)
    mean_gib = statistics.fmean(gpu.total_gib for gpu in told)
    return smallest.model_copy(update={"total_gib": mean_gib}) if pipeline and len(told) > 1 else smallest


def _one(text: str, known: tuple[Accelerator, ...], total_gib: float | None) -> Accelerator | None:
    profile = _PROFILE.search(text)
    if profile is not None:
        return _slice(text, profile, known, total_gib)
    size = _SIZE.search(text)
    nominal = float(size[1]) if size else None
    words = set(_WORD.findall(_SIZE.sub(" ", text.casefold())))
    matches = [(_matched(gpu, words), gpu) for gpu in known]
    longest = max((length for length, _ in matches), default=0)
    candidates = [gpu for length, gpu in matches if length == longest and longest]
    if not candidates:
        return _unknown(text, known, total_gib, nominal)
    if nominal and nominal > _OTHER_MEMORY * max(gpu.nominal_gb for gpu in candidates):
        nominal = None
    wanted = total_gib or nominal
    gpu = (
        min(candidates, key=lambda gpu: abs(gpu.nominal_gb - wanted)) if wanted else _usual(candidates, words)
    )
    if total_gib:
        return gpu.model_copy(update={"total_gib": total_gib})
    if nominal and min(abs(nominal - gpu.nominal_gb), abs(nominal - gpu.total_gib)) > _SAME_SIZE * nominal:
        return gpu.model_copy(update={"total_gib": nominal * gpu.total_gib / gpu.nominal_gb})
    return gpu


def _slice(
    text: str, profile: re.Match[str], known: tuple[Accelerator, ...], total_gib: float | None
) -> Accelerator | None:
    """Return that slice of the GPU which the rest of the text names: never the whole card."""
    whole = _PROFILE.sub(" ", text).casefold().replace("mig", " ")
    parent = _one(whole, tuple(gpu for gpu in known if gpu.mig is None), None)
    if parent is None:
        return None
    name, parts, nominal = profile[0].casefold(), int(profile[1]), int(profile[2])
    for gpu in known:
        if gpu.mig is not None and gpu.mig.profile == name and parent.name.startswith(gpu.mig.parent):
            return gpu.model_copy(update={"total_gib": total_gib}) if total_gib else gpu
    told: dict[str, object] = {
        "name": text.strip(),
        "nominal_gb": nominal,
        "total_gib": total_gib or min(nominal * _SLICE_SHARE, parent.total_gib),
        "bandwidth_gb_per_second": parent.bandwidth_gb_per_second * nominal / parent.nominal_gb,
        "bf16_tflops": parent.bf16_tflops * parts / _PARTS,
        "fp8_tflops": parent.fp8_tflops and parent.fp8_tflops * parts / _PARTS,
        "nvlink": False,
        "mig": MigSlice(parent=parent.name, profile=name, compute_slices=parts),
    }
    return parent.model_copy(update=told)


def _matched(gpu: Accelerator, words: set[str]) -> int:
    """Return how many words of a name of this accelerator the text holds; 0 unless it holds all of one name."""
    best = 0
    for name in (gpu.name, *gpu.aliases, gpu.product_label):
        needed = set(_WORD.findall(_SIZE.sub(" ", name.casefold()))) - _EMPTY_WORDS
        needed -= {f"{gpu.nominal_gb}"} if len(needed) > 1 and f"{gpu.nominal_gb}" not in words else set()
        if needed and needed <= words:
            best = max(best, len(needed))
    return best


def _usual(candidates: list[Accelerator], words: set[str]) -> Accelerator:
    """Return the GPU that goes by that name alone; among several sizes the largest, as logs mean by it."""
    plain = [gpu for gpu in candidates if set(_WORD.findall(gpu.name.casefold())) <= words]
    return max(plain or candidates, key=lambda gpu: gpu.total_gib)


def _unknown(
    text: str, known: tuple[Accelerator, ...], total_gib: float | None, nominal: float | None
) -> Accelerator | None:
    total = total_gib or (nominal * _UNSEEN_SHARE if nominal else None)
    if total is None or not known:
        return None
    like = min(known, key=lambda gpu: abs(gpu.total_gib - total))
    return like.model_copy(update={"name": text.strip(), "total_gib": total, "nvlink": False})
