"""How a server's container comes to start vLLM: by words that can be read, or by a program that may have its own."""

from __future__ import annotations

from .image_release import serving_image
from .serving import Server


def is_followed(server: Server) -> bool:
    """Whether all words that vLLM gets are read: no entrypoint of an image that nobody knows may add or take any."""
    image = serving_image(server.container.get("image"))
    by_image = image is not None and image.starts == "vllm" and not server.container.get("command")
    return not server.unseen and (server.parsed.command or by_image)
