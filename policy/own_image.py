"""Whether a server runs a release of vLLM as it was published, so that its number tells what is in it."""

from __future__ import annotations

import re

from .image_release import serving_image
from .readers.commands import argv_of
from .serving import Server

# Makers of other images put models, parsers and templates of later releases into earlier ones.
_OWN = ("vllm/vllm-openai", "vllm/vllm-openai-rocm", "vllm/vllm-openai-cpu", "vllm/vllm")
_INSTALLER = re.compile(
    r"\b(?:pip3?|uv|conda|apt(?:-get)?)\b[^;&|]*\binstall\b|\buv (?:sync|run)\b|\bgit clone\b"
)


# Its Dockerfile installs the published wheel (kserve v0.15.0 to v0.20.0, read 2026-11-29).
_OF_THE_WHEEL = ("kserve/huggingfaceserver",)


def runs_published_release(server: Server) -> bool:
    """Whether the image holds a release as published, and nothing is installed in it before the server starts."""
    return _runs(server, (*_OWN, *_OF_THE_WHEEL))


def runs_own_image(server: Server) -> bool:
    """Whether the image is vLLM's own, or a mirror of it, and nothing is installed in it before the server starts."""
    return _runs(server, _OWN)


def installs(server: Server) -> bool:
    """Whether its command brings other software into the container."""
    return _INSTALLER.search(" ".join(argv_of(server.container))) is not None


def _runs(server: Server, repositories: tuple[str, ...]) -> bool:
    image = serving_image(server.container.get("image"))
    return image is not None and image.repository in repositories and not installs(server)
