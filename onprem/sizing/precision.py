"""What a parameter costs in each precision, scales included, and how far such a sum may be off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Bytes of one parameter of a quantised layer.

    `uncertainty` is the share by which weights computed with it may be off: which layers a checkpoint leaves in
    BF16 differs from one maker to the next.
    """

    bytes_per_param: float
    uncertainty: float


# Formats: two bytes; one byte and a scale per channel or block of 128 x 128; half a byte and FP16 scale and
# zero for groups of 128 (AWQ, GPTQ); half a byte and an FP8 scale for every 16 (NVFP4) or 32 (MXFP4) elements;
# half a byte and an FP32 maximum for every 64 (bitsandbytes NF4). Uncertainties: spread of the loaded sizes in the
# logs of one model in one precision (27B in NVFP4: 18 to 26 GiB).
_COSTS = {
    "bf16": Cost(bytes_per_param=2.0, uncertainty=0.02),
    "fp8": Cost(bytes_per_param=1.0, uncertainty=0.04),
    "int8": Cost(bytes_per_param=1.0, uncertainty=0.05),
    "int4": Cost(bytes_per_param=0.52, uncertainty=0.10),
    "fp8+int4": Cost(bytes_per_param=0.54, uncertainty=0.10),
    "nvfp4": Cost(bytes_per_param=0.5625, uncertainty=0.15),
    "mxfp4": Cost(bytes_per_param=0.53125, uncertainty=0.10),
    "bnb4": Cost(bytes_per_param=0.5625, uncertainty=0.10),
    "native": Cost(bytes_per_param=1.0, uncertainty=0.10),
}


def cost_of(precision: str) -> Cost | None:
    """Return the cost of a precision, None for an unknown one."""
    return _COSTS.get(precision)
