"""What the parameters of each part cost in each precision, scales included, and how far such a sum may be off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onprem_agents.catalog import Variant

# Bytes of one parameter. FP8: one byte, the scale of a channel or of a block of 128 x 128 is lost in rounding.
# Four bits: half a byte, and a BF16 scale for a group (INT4, see `_int4_bytes`), an FP8 scale for 16 (NVFP4) or 32
# (MXFP4), a maximum for 64 that is quantised once more (bitsandbytes NF4 as unsloth publishes it: 0.523 in a log of
# Llama 3.1 8B, 0.529 in one of Phi-4).
BF16_BYTES, FP8_BYTES = 2.0, 1.0
_INT4_BYTES, _NVFP4_BYTES, _MXFP4_BYTES, _NF4_BYTES = 0.52, 0.5625, 0.53125, 0.525
_SCALE_BYTES, _ZERO_BYTES = 2.0, 0.5

# Parts that quantised checkpoints leave in BF16.
KEPT_PARTS = ("embedding", "head", "routers", "vision", "extra")


@dataclass(frozen=True, kw_only=True)
class Precision:
    """Bytes of one parameter of a quantised part, and the parts that cost something else.

    `uncertainty` is the share by which weights computed with it may be off: which layers a checkpoint leaves in
    BF16 differs from one maker to the next (one 27B model in NVFP4 loads 18 to 26 GiB).
    """

    bytes_per_param: float
    uncertainty: float
    parts: Mapping[str, float] = field(default_factory=dict)


_BF16_BUT_EXPERTS = dict.fromkeys(
    ("attention", "latent_down", "linear_attention", "shared_experts"), BF16_BYTES
)
_FP8_BUT_EXPERTS = dict.fromkeys(_BF16_BUT_EXPERTS, FP8_BYTES)
PRECISIONS: Mapping[str, Precision] = {
    "bf16": Precision(bytes_per_param=BF16_BYTES, uncertainty=0.02),
    "fp8": Precision(bytes_per_param=FP8_BYTES, uncertainty=0.04),
    "int8": Precision(bytes_per_param=FP8_BYTES, uncertainty=0.05),
    "int4": Precision(bytes_per_param=_INT4_BYTES, uncertainty=0.08),
    "fp8+int4": Precision(bytes_per_param=_INT4_BYTES, uncertainty=0.05, parts=_FP8_BUT_EXPERTS),
    "nvfp4": Precision(bytes_per_param=_NVFP4_BYTES, uncertainty=0.16),
    "mxfp4": Precision(bytes_per_param=_MXFP4_BYTES, uncertainty=0.05, parts=_BF16_BUT_EXPERTS),
    "bnb4": Precision(bytes_per_param=_NF4_BYTES, uncertainty=0.06),
    "native": Precision(bytes_per_param=_MXFP4_BYTES, uncertainty=0.05, parts=_FP8_BUT_EXPERTS),
}

# Words of the catalogue for parts, and the parts that are counted.
_NAMED_PARTS = {
    "attention": ("attention", "latent_down"),
    "linear-attention": ("linear_attention",),
    "feed-forward": ("feed_forward",),
    "shared-experts": ("shared_experts",),
    "head": ("head",),
}


def precision_named(name: str) -> Precision | None:
    """Return the precision of that name, None for an unknown one."""
    return PRECISIONS.get(name)


def part_bytes(variant: Variant, part: str) -> float:
    """Return the bytes of one parameter of a part in that checkpoint."""
    precision = PRECISIONS[variant.precision]
    quantized = precision.bytes_per_param
    if quantized == _INT4_BYTES and variant.weight_block:
        quantized = _int4_bytes(variant, variant.weight_block)
    if _among(part, variant.quantized_parts):
        return quantized
    if part in KEPT_PARTS or _among(part, variant.kept_bf16):
        return BF16_BYTES
    if _among(part, variant.fp8_parts):
        return FP8_BYTES
    return precision.parts.get(part, quantized)


def _int4_bytes(variant: Variant, group: int) -> float:
    """Return half a byte and what a group of elements shares: a scale, and a zero point in all AWQ but mixed ones."""
    has_zeros = variant.precision == "int4" and "awq" in variant.hf_id.casefold()
    shared = _SCALE_BYTES + (_ZERO_BYTES if has_zeros else 0.0)
    return 0.5 + shared / group


def _among(part: str, named: tuple[str, ...]) -> bool:
    return any(part in _NAMED_PARTS.get(name, ()) for name in named)
