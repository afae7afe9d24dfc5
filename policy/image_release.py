"""The release of vLLM in an image: by its tag where its repository is known, never by the tag of any other."""

from __future__ import annotations

from onprem_agents.catalog import ServingImage, load_catalog, release_in_tag

from .graph import Value
from .images import read_image


def serving_image(reference: Value) -> ServingImage | None:
    """Return what is known of an image that brings vLLM, None for any other."""
    image = read_image(reference)
    path = "" if image is None else image.repository.casefold()
    return next((known for known in load_catalog().serving_images if known.means(path)), None)


def release_in(reference: Value, *, version: Value = None) -> str | None:
    """Return the release of vLLM in an image, None where its name does not tell; `version` replaces its tag."""
    image, known = read_image(reference), serving_image(reference)
    own = "" if image is None else image.tag or ""
    tag = version if isinstance(version, str) else own
    return (known.release(tag) if known is not None else None) or release_in_tag(tag)
