"""What the stack declares for its translation proxy, as a process of this machine: the same but for its places."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.gateway import litellm, translation
from embedded.gateway.container import container
from embedded.layout import Layout
from embedded.process import Process
from embedded.progress import Progress
from onprem_agents.errors import InvalidInput
from onprem_agents.manifests.litellm import LITELLM
from onprem_agents.manifests.translation_proxy import translation_proxy
from onprem_agents.plan import PROXY_KEY_SECRET, SERVER_KEY_SECRET
from tests.unit.manifest_samples import planned, proxy_part

KEYS = {PROXY_KEY_SECRET: "proxys", SERVER_KEY_SECRET: "servers"}
HERE = "http://127.0.0.1:21000"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(checkout=tmp_path / "checkout", state=tmp_path / "state", cache=tmp_path / "cache")


def declared_process(layout: Layout, seconds: int = 600) -> Process:
    plan = planned(translation="litellm", timeouts={"longestTurnSeconds": seconds})
    return litellm.declared_process(layout, container(translation_proxy(proxy_part(plan)), KEYS), HERE)


def test_a_container_is_read_from_its_deployment_config_map_and_keys() -> None:
    found = container(translation_proxy(proxy_part(planned(translation="litellm"))), KEYS)

    assert found.arguments == LITELLM.args
    assert (found.port, found.health_path) == (4000, "/health/liveliness")
    assert list(found.files) == ["/etc/onprem/litellm/config.yaml"]
    assert found.environment["LITELLM_MASTER_KEY"] == "proxys"
    assert found.environment["VLLM_API_KEY"] == "servers"
    assert {name: found.environment[name] for name in LITELLM.environment} == dict(LITELLM.environment)


def test_only_address_port_and_paths_are_this_machines(layout: Layout) -> None:
    process = declared_process(layout)
    folder = Path(process.argv[2]).parent

    assert folder.is_relative_to(layout.state)
    assert process.argv[1:] == (
        *("--config", f"{folder}/config.yaml"),
        *("--host", "127.0.0.1", "--port", "21000", "--num_workers", "1"),
    )
    changed = {name for name, value in LITELLM.environment.items() if process.env[name] != value}
    assert changed == {"HOME", "LITELLM_MIGRATION_DIR"}
    assert process.env["LITELLM_MIGRATION_DIR"] == f"{folder}/scratch/migrations"
    assert set(process.env) == {*LITELLM.environment, "LITELLM_MASTER_KEY", "VLLM_API_KEY"}


def test_no_key_stands_in_its_words_or_files(layout: Layout) -> None:
    process = declared_process(layout)

    assert not any(key in word for key in KEYS.values() for word in process.argv)
    text = Path(process.argv[2]).read_text()
    assert "os.environ/VLLM_API_KEY" in text
    assert not any(f'"{key}"' in text for key in KEYS.values())


def test_another_configuration_is_another_command_and_the_old_one_goes(layout: Layout) -> None:
    one, other = declared_process(layout), declared_process(layout, seconds=900)

    assert one.argv[2] != other.argv[2]
    assert not Path(one.argv[2]).exists()
    assert declared_process(layout, seconds=900) == other


def test_a_stack_without_a_proxy_needs_nothing_of_it(layout: Layout) -> None:
    assert translation.prepare(layout, planned(), Progress()) is None
    assert not layout.cache.exists()


def test_a_proxy_that_only_runs_in_a_cluster_is_refused_before_anything_starts(layout: Layout) -> None:
    with pytest.raises(
        InvalidInput, match=r"(?s)claude-code-router.*try the stack here with 'translation: litellm'"
    ):
        translation.prepare(layout, planned(translation="claude-code-router"), Progress())
