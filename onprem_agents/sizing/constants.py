"""Constants of the overhead that no code tells: fitted to start-up logs, each with the runs it comes from.

`./dev bench sizing` fits them anew with one source left out at a time and reports how far that one is then missed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Constants:
    """Read November 2026. GiB on each GPU, or shares.

    `graph_gib_*`: one captured batch size of one layer. In logs at TP 1: 0.50 (67 sizes, 28 layers), 0.79 (51, 48),
    0.52 (51, 36); TP 2: 0.65 (67, 28), 1.22 (51, 80); TP 4 and 8: 1.88 (67, 36), 2.04 (51, 64), 0.32 (11, 94), 3.45
    (67, 94). Those are of releases up to 0.19. Later ones subtract an extrapolated trial capture, `graph_estimate`
    times these figures: 0.07 (RTX 3060, 0.53 by them) and 0.36 to 0.64 in four logs of one and two GPUs.

    `non_torch_gib`: kernels' workspaces; 0.07 to 0.27 in logs of one GPU. `together_gib`: what comes on top since 0.20
    where several GPUs share a model: 0.5 to 1 GiB in five logs of 2 to 8 GPUs, 0 to 0.3 before. `context_growth_share`:
    what comes on top since 0.20, as a share of the GPU's memory: kernels' code and stacks grow with the number of
    processors, which goes with memory. `kernels_gib`: what kernels that are compiled or tried out on the spot leave
    there: 0 (L4), 0.4 (RTX 5090, RTX 3060), 0.6 GiB (Quadro RTX 8000) more than those of a warm start.
    `unified_gib`: what loader and page cache take of a memory that the host shares (GB10 and Thor, three sources).
    """

    graph_gib_one: float = 2.9e-4
    graph_gib_two: float = 3.3e-4
    graph_gib_more: float = 5.5e-4
    graph_estimate: float = 0.5
    non_torch_gib: float = 0.1
    together_gib: float = 0.6
    context_growth_share: float = 0.003
    kernels_gib: float = 0.2
    kernels_desktop_blackwell_gib: float = 0.5
    unified_gib: float = 2.0

    def graph_gib(self, tensor_parallel: int) -> float:
        """Return the GiB of one captured batch size of one layer."""
        known = {1: self.graph_gib_one, 2: self.graph_gib_two}
        return known.get(tensor_parallel, self.graph_gib_more)

    def context_gib(self, gpus: int, *, recent: bool) -> float:
        """Return the GiB of the context where that many GPUs share a model; `recent`: since 0.20."""
        return self.non_torch_gib + (self.together_gib if gpus > 1 and recent else 0.0)


CONSTANTS = Constants()
