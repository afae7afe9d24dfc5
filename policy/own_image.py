"""Whether a server runs vLLM's own image as it was published, so that its release tells what is in it."""

from __future__ import annotations

from .image_release import serving_image
from .readers.commands import argv_of
from .serving import Server

# Makers of other images put models, parsers and templates of later releases into earlier ones.
_OWN = ("vllm/vllm-openai", "vllm/vllm-openai-rocm", "vllm/vllm-openai-cpu", "vllm/vllm")
_INSTALLERS = ("pip", "uv ", "git clone", "wget", "curl")


def runs_own_image(server: Server) -> bool:
    """Whether the image is vLLM's own, or a mirror of it, and nothing is installed in it before the server starts."""
    image = serving_image(server.container.get("image"))
    return image is not None and image.repository in _OWN and not installs(server)


def installs(server: Server) -> bool:
    """Whether its command seems to bring other software or files into the container."""
    text = " ".join(argv_of(server.container))
    return any(word in text for word in _INSTALLERS)
