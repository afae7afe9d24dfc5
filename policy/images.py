"""What the name of a container image tells: its registry, its tag and the release of the product in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .graph import Value

# Docker's reference grammar: the first part is a registry when it has a dot, a port, or is localhost.
_HUB = "docker.io"
RELEASE = re.compile(r"(?:^|[-_])(?:main-)?v?(\d+(?:\.\d+){1,3})")
PRODUCTS = (
    # repository's last part, the product whose releases its tags name (registries read 2026-11)
    (re.compile(r"^litellm(?:$|[-_])"), "litellm"),
    (re.compile(r"^claude-code-router$"), "claude-code-router"),
    (re.compile(r"^vllm-openai(?:$|-)"), "vllm"),
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A reference to an image; `tag` and `digest` are None where it has none."""

    text: str
    registry: str
    repository: str
    tag: str | None
    digest: str | None


def read_image(value: Value) -> Image | None:
    """Return an image by its reference, None where that is no text."""
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    name, _, digest = text.partition("@")
    path, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{path}/{last}" if path else last
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Image(text=text, registry=first, repository=rest, tag=tag or None, digest=digest or None)
    return Image(text=text, registry=_HUB, repository=repository, tag=tag or None, digest=digest or None)


def product_of(image: Image) -> str | None:
    """Return the product in an image, None for one that is not known here."""
    last = image.repository.rpartition("/")[2]
    return next((product for pattern, product in PRODUCTS if pattern.match(last)), None)


def version_in(text: str) -> tuple[int, ...] | None:
    """Return the release that a tag or a pinned requirement names, None without one."""
    found = RELEASE.search(text)
    return None if found is None else tuple(int(part) for part in found[1].split("."))
