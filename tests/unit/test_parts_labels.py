"""What a part declares when it stands alone is labelled as its own."""

from __future__ import annotations

import pytest

from onprem_agents.manifests import Bundle, ingress_bundles, proxy_bundles, server_bundles
from tests.unit.part_samples import ingress, proxy, proxy_told, server


@pytest.mark.parametrize(
    ("found", "component"),
    [
        (server_bundles(server()), "model-server"),
        (proxy_bundles(proxy()), "translation-proxy"),
        (ingress_bundles(ingress(proxy=proxy_told())), "external-ingress"),
    ],
)
def test_every_object_of_a_part_alone_is_labelled_as_of_that_part(
    found: tuple[Bundle, ...], component: str
) -> None:
    labels = {
        (each.manifest["kind"], each.manifest["metadata"]["name"]): each.manifest["metadata"]["labels"]
        for bundle in found
        for each in bundle.objects
    }

    assert {kind for kind, _ in labels} & {"Secret", "HTTPRouteFilter"}
    assert {each["app.kubernetes.io/component"] for each in labels.values()} == {component}
