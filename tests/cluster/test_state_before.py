"""A stack that was made while the package was called `onprem` and its labels `onprem.ai/…`.

`state_before` holds what version 0.1.0 of that name left: its stack file, and the engine's export without what
only the cluster or the source knew (uids, status, source positions). Two roles behind LiteLLM and two named nodes
have an object of every component. The keys in it are encrypted with a passphrase that was made for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded import plugins
from embedded.engine import Engine
from embedded.layout import Layout
from embedded.toolchain import NAMES, present
from onprem_agents.cluster import KubeClient
from tests.cluster.end_to_end.checkout import Checkout, Outcome

_BEFORE = Path(__file__).parent / "state_before"
_STACK = "before"
_PORT = 18443
"""The gateway's in the files."""
_ENVIRONMENT = {"PULUMI_CONFIG_PASSPHRASE": "made for a test"}
_UNTOUCHED = {"same", "update"}
# The key that marks a secret in a state (Pulumi SDK, resource.SigKey).
_SECRET = "4dabf18193072939515e22adb298388d"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Former]:
    missing = sorted(set(NAMES) - set(present(Layout.default())))
    if missing:
        pytest.skip(f"not built yet: {', '.join(missing)}; `./dev test cluster` brings them")
    former = Former(Checkout.copy(tmp_path_factory.mktemp("before")))
    former.lay()
    yield former
    assert former.dev("down").code == 0


class Former:
    """A checkout of today, whose cluster and engine hold what the former version left."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout

    def dev(self, *words: str) -> Outcome:
        return self.checkout.dev(*words, env=_ENVIRONMENT)

    def pulumi(self, *words: str) -> Outcome:
        done = self.dev("shell", "pulumi", *words, "--stack", _STACK, "--non-interactive", "--color", "never")
        assert done.code == 0, done.text
        return done

    def lay(self) -> None:
        """Start the cluster, empty of today's objects, and lay the former ones, in cluster and engine."""
        port = str(self.checkout.port)
        stack_file = (_BEFORE / "stack.yaml").read_text(encoding="utf-8").replace(str(_PORT), port)
        self.checkout.stack_file(_STACK).write_text(stack_file, encoding="utf-8")
        up = self.dev("up", _STACK)
        assert up.code == 0, up.text
        self.pulumi("destroy", "--yes", "--skip-preview")
        state = self.checkout.layout.state / "before.json"
        state.write_text(
            (_BEFORE / "state.json").read_text(encoding="utf-8").replace(str(_PORT), port), encoding="utf-8"
        )
        self.pulumi("stack", "import", "--file", str(state))
        provider, objects = self.engine().use_present_provider(_STACK)
        assert "for 4.34.2 is not installed" in provider
        assert "added to 33 objects" in objects
        assert self.engine().use_present_provider(_STACK) == ()
        with self.checkout.client() as client:
            for resource in self.objects(secrets=True):
                body = _in_the_clear(resource["inputs"])
                client.apply(body, field_manager=resource["outputs"]["__fieldManager"], force=True)

    def engine(self) -> Engine:
        """Return the engine as `./dev up` uses it."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in _ENVIRONMENT.items():
                patch.setenv(name, value)
            return Engine(self.checkout.layout, present(Layout.default(), plugins.PROGRAMS))

    def objects(self, *, secrets: bool = False) -> list[Document]:
        """Return the cluster's objects in the engine's state, in the order in which they were made."""
        exported = self.pulumi("stack", "export", *(["--show-secrets"] if secrets else []))
        resources = json.loads(exported.text)["deployment"]["resources"]
        return [resource for resource in resources if resource["type"].startswith("kubernetes:")]

    def changes(self) -> Counter[str]:
        """Return what an update would do: operation to number of resources."""
        told = self.pulumi("preview", "--json", "--policy-pack", "policy").text
        document = json.loads(told[told.index("{") : told.rindex("}") + 1])
        return Counter(step["op"] for step in document["steps"])

    def uids(self) -> dict[tuple[str, str], str]:
        """Return each object's uid in the cluster, by its type and id."""
        with self.checkout.client() as client:
            return {
                (resource["type"], resource["id"]): _live(client, resource["inputs"])["metadata"]["uid"]
                for resource in self.objects()
            }


def _live(client: KubeClient, body: Document) -> Document:
    metadata = body["metadata"]
    return client.get(body["apiVersion"], body["kind"], metadata["name"], metadata.get("namespace"))


def _in_the_clear(value: Any) -> Any:
    """Return inputs without the envelopes in which `--show-secrets` puts what is secret."""
    if isinstance(value, dict):
        if _SECRET in value:
            return json.loads(value["plaintext"])
        return {key: _in_the_clear(inner) for key, inner in value.items() if not key.startswith("__")}
    return [_in_the_clear(inner) for inner in value] if isinstance(value, list) else value


def test_a_stack_of_the_former_name_keeps_every_object_and_settles_in_one_update(former: Former) -> None:
    uids = former.uids()
    assert len(uids) == 33, "two roles behind LiteLLM, two named nodes"
    labelled = former.objects()[0]["inputs"]["metadata"]["labels"]
    assert "onprem.ai/stack" in labelled, "the state is the former version's"

    planned = former.changes()
    up = former.dev("up", _STACK)

    assert set(planned) <= _UNTOUCHED | {"create"}, "nothing is deleted or replaced"
    assert planned["update"], "labels change"
    assert up.code == 0, up.text
    after = former.uids()
    assert uids.items() <= after.items(), "the same objects, not new ones of the same name"
    made = Counter(type_.rpartition(":")[2] for type_, _ in after.keys() - uids.keys())
    assert made == {"ConfigMap": 2, "NetworkPolicy": 1, "HTTPRouteFilter": 1, "EnvoyExtensionPolicy": 1}, (
        "what servers keep streams alive by, the gateway's wall, opencode's login, names of hosted models"
    )
    types = {resource["urn"].split("::")[2].split("$")[0] for resource in former.objects()}
    assert types == {"onprem-coding-agents:index:CodingPlatform"}
    assert set(former.changes()) == {"same"}, "a second update has nothing to do"
