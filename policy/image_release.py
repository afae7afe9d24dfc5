"""The release of vLLM in an image: by its tag where its repository is known, never by the tag of any other."""

from __future__ import annotations

from onprem_agents.catalog import ServingImage, load_catalog, release_in_tag

from .graph import Value

# Docker's reference grammar: the first part is a registry when it has a dot, a port, or is localhost.
_LOCALHOST = "localhost"


def serving_image(reference: Value) -> ServingImage | None:
    """Return what is known of an image that brings vLLM, None for any other."""
    path, _ = _parts(reference)
    return next((image for image in load_catalog().serving_images if image.means(path)), None)


def release_in(reference: Value, *, version: Value = None) -> str | None:
    """Return the release of vLLM in an image, None where its name does not tell; `version` replaces its tag."""
    _, tag = _parts(reference)
    tag = version if isinstance(version, str) else tag
    image = serving_image(reference)
    return (image.release(tag) if image is not None else None) or release_in_tag(tag)


def _parts(reference: Value) -> tuple[str, str]:
    """Return the name of an image without its registry, and its tag ("" without one)."""
    if not isinstance(reference, str):
        return "", ""
    folder, slash, last = reference.strip().partition("@")[0].rpartition("/")
    last, _, tag = last.partition(":")
    path = f"{folder}{slash}{last}"
    first, _, rest = path.partition("/")
    if rest and ("." in first or ":" in first or first == _LOCALHOST):
        path = rest
    return path.casefold(), tag
