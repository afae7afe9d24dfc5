"""One start: what was said of it and what vLLM printed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tools.verify_gpu.command import Temperature
from tools.verify_gpu.start import Start

_ROUNDING_GIB = 0.005


@dataclass(frozen=True, kw_only=True)
class Row:
    """`said` are the engine's figures under the names of what vLLM prints; `changed` what the plan's command lost."""

    model: str
    precision: str
    tensor_parallel: int
    temperature: Temperature
    said: dict[str, Any]
    start: Start
    argv: tuple[str, ...]
    changed: list[str]

    @property
    def inside(self) -> bool | None:
        """Whether the printed pool lies in the band, to a hundredth of a GiB; None where none was printed."""
        printed = self.start.printed.available_kv_gib
        if printed is None:
            return None
        low, high = self.said["available_kv_gib_low"], self.said["available_kv_gib_high"]
        return bool(low - _ROUNDING_GIB <= printed <= high + _ROUNDING_GIB)

    def to_wire(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return asdict(self) | {"inside": self.inside}
