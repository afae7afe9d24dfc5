"""Every image that a stack's pods are made of: what a mirror must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from onprem_agents.catalog import KserveRelease, load_catalog
from onprem_agents.errors import Problem
from onprem_agents.plan.cache import ClaimCache
from onprem_agents.plan.parts import ProxySoftwareName
from onprem_agents.plan.serving import ServingPlan
from onprem_agents.stack.images import Images
from onprem_agents.stack.settings import Serving

PROXY_IMAGES: dict[ProxySoftwareName, str] = {
    # Non-root variant of the official image; its tags are bare versions since 1.84 (release notes, read 2026-11).
    "litellm": "docker.litellm.ai/berriai/litellm-non_root:1.109.1",
    "claude-code-router": "musistudio/claude-code-router:2.0.0",
}
# What Envoy Gateway starts by default (api/v1alpha1/shared_types.go, v1.9.0, read 2026-11).
ENVOY_IMAGE = "docker.io/envoyproxy/envoy:distroless-v1.39.0"


def download_image(kserve: KserveRelease) -> str:
    """Return the image that downloads weights: the storage initializer of the cluster's KServe.

    Its user is 1000, it has Debian's sh and flock, takes the arguments SOURCE TARGET, and reads HF_TOKEN and the AWS_*
    variables (v0.15.2 to v0.20.0, python/storage-initializer.Dockerfile and its entrypoint, read 2026-11).
    """
    return f"kserve/storage-initializer:v{kserve.release}"


@dataclass(frozen=True, kw_only=True)
class ImageUse:
    """One image: its name as the publisher or the stack gives it, and what pods name it by."""

    name: str
    reference: str
    purpose: str


def server_images(serving: ServingPlan, settings: Serving, images: Images) -> Iterator[ImageUse]:
    """Yield the images of one model server: its own, the download's, and weights that are an image."""
    yield ImageUse(name=serving.image_name, reference=serving.image, purpose=f"model server {serving.role}")
    if serving.pods_download or isinstance(serving.cache, ClaimCache):
        image = download_image(load_catalog().kserve(settings.kserve))
        yield _moved(image, images, "download of the weights")
    if serving.source.scheme == "oci":
        weights = serving.source.uri.removeprefix("oci://")
        yield ImageUse(name=weights, reference=images.said(weights), purpose=f"weights of {serving.role}")


def proxy_images(software: ProxySoftwareName, images: Images) -> Iterator[ImageUse]:
    """Yield the image of a translation proxy."""
    yield _moved(PROXY_IMAGES[software], images, "translation proxy")


def gateway_images(images: Images) -> Iterator[ImageUse]:
    """Yield Envoy's image. That of its companion, the shutdown manager, belongs to Envoy Gateway's installation."""
    yield _moved(ENVOY_IMAGE, images, "gateway")


def each_once(uses: Iterable[ImageUse]) -> tuple[ImageUse, ...]:
    """Return images by their names, each once, with all that they are for."""
    found: dict[str, ImageUse] = {}
    for use in uses:
        before = found.get(use.name)
        purposes = [] if before is None else before.purpose.split(", ")
        told = ", ".join(dict.fromkeys([*purposes, use.purpose]))
        found[use.name] = ImageUse(name=use.name, reference=use.reference, purpose=told)
    return tuple(found.values())


def digests_of_others(images: Images, uses: Sequence[ImageUse], *, where: str) -> Iterator[Problem]:
    """Yield the digests of images that nothing here uses: they would pin nothing."""
    used = [use.name for use in uses if "@" not in use.name]
    for name in images.digests:
        if name not in used:
            yield Problem(
                where=f"{where}.digests",
                cause="unknown-key",
                found=f"a digest of {name}",
                why="no pod of it is made of that image by its tag, so nothing would be pinned",
                fix=f"name one of its images ({', '.join(used)}), or remove the line",
            )


def _moved(name: str, images: Images, purpose: str) -> ImageUse:
    return ImageUse(name=name, reference=images.reference(name), purpose=purpose)
