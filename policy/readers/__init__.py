"""One reader a kind: what people declare to serve a model, as one record for all of them.

A reader takes the graph and yields a `Declared` for each container that may be a model server, or an `Unread` for
an object that declares one but cannot be read. Whether a container really starts vLLM is told
afterwards, alike for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..graph import Graph
from .declared import Declared, Unread
from .inference_service import inference_services
from .llm_inference_service import llm_inference_services
from .others import others
from .workloads import workloads

__all__ = ["READERS", "Declared", "Unread"]

READERS: tuple[Callable[[Graph], Iterator[Declared | Unread]], ...] = (
    inference_services,
    llm_inference_services,
    workloads,
    others,
)
