"""The catalogue loads whole, answers by any name, and refuses broken entries with all their problems."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from onprem_agents.catalog import load_catalog, loader
from onprem_agents.catalog.model import Model
from onprem_agents.errors import InvalidInput, UnknownFact

pytestmark = pytest.mark.unit

FOLDER = Path(loader.__file__).parent


def test_the_catalogue_holds_the_models_that_the_tiers_and_the_documents_name() -> None:
    names = {model.name for model in load_catalog().models}
    assert names >= {
        "Qwen3.6-27B",
        "Qwen3.6-35B-A3B",
        "gemma-4-E2B",
        "gemma-4-E4B",
        "gemma-4-12B",
        "gemma-4-26B-A4B",
        "gemma-4-31B",
        "Qwen3-Coder-30B-A3B",
        "Qwen3-Coder-480B-A35B",
        "gpt-oss-120b",
        "gpt-oss-20b",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen3.6-27B", "Qwen3.6-27B"),
        ("qwen3.6-27b", "Qwen3.6-27B"),
        ("qwen/QWEN3.6-27b", "Qwen3.6-27B"),
        ("Qwen/Qwen3.6-27B-FP8", "Qwen3.6-27B"),
        ("gemma-4-12b-it", "gemma-4-12B"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
    ],
)
def test_a_model_is_found_by_name_alias_or_hugging_face_id(name: str, expected: str) -> None:
    assert load_catalog().model(name).name == expected


def test_a_variants_own_id_names_the_variant_and_a_models_id_leaves_it_open() -> None:
    catalog = load_catalog()
    _, variant = catalog.model_and_variant("qwen/qwen3.6-27b-fp8")
    assert variant is not None
    assert variant.precision == "fp8"
    assert catalog.model_and_variant("Qwen/Qwen3.6-27B")[1] is None


@pytest.mark.parametrize("name", ["l40s", "NVIDIA-L40S", "nvidia l40s"])
def test_an_accelerator_is_found_by_name_alias_or_node_label(name: str) -> None:
    assert load_catalog().accelerator(name).name == "L40S"


def test_unknown_names_offer_the_nearest_ones() -> None:
    catalog = load_catalog()
    with pytest.raises(UnknownFact, match=r"did you mean .*Qwen3\.6-27B"):
        catalog.model("Qwen3.7-27B")
    with pytest.raises(UnknownFact, match="L40S"):
        catalog.accelerator("L40X")
    with pytest.raises(UnknownFact, match="24gb"):
        catalog.tier("25gb")
    with pytest.raises(UnknownFact, match="fp8"):
        catalog.model("Qwen3.6-27B").variant("fp-8")


def test_no_two_entries_answer_to_the_same_name() -> None:
    catalog = load_catalog()
    words = [
        word.casefold()
        for model in catalog.models
        for word in {
            model.name.casefold(),
            model.hf_id.casefold(),
            *(alias.casefold() for alias in model.aliases),
        }
    ]
    assert sorted(words) == sorted(set(words))
    ids = [
        variant.hf_id.casefold()
        for model in catalog.models
        for variant in model.variants
        if variant.hf_id != model.hf_id
    ]
    assert sorted(ids) == sorted(set(ids))
    assert not set(ids) & set(words)
    gpu_words = [
        word
        for gpu in catalog.accelerators
        for word in {gpu.name.casefold(), *(a.casefold() for a in gpu.aliases)}
    ]
    assert sorted(gpu_words) == sorted(set(gpu_words))
    # A 4090 refitted with 48 GB still calls itself a 4090.
    labels = [(gpu.product_label, gpu.memory_label_mib) for gpu in catalog.accelerators]
    assert sorted(labels) == sorted(set(labels))


def test_a_broken_entry_reports_every_problem_with_its_place(tmp_path: Path) -> None:
    entry = yaml.safe_load((FOLDER / "models" / "qwen3.6-27b.yaml").read_text())[0]
    entry["licence"] = "typo"
    entry["architecture"]["layers"] = -1
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump([entry]))
    with pytest.raises(InvalidInput) as caught:
        loader._read(broken, Model)
    places = {problem.where for problem in caught.value.problems}
    assert places == {"broken.yaml[0].licence", "broken.yaml[0].architecture.layers"}


def test_text_that_is_no_yaml_list_is_refused_by_file_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    for text in ("- name: [", "", "name: alone"):
        broken.write_text(text)
        with pytest.raises(InvalidInput, match=r"broken\.yaml"):
            loader._read(broken, Model)


def test_every_tier_names_a_model_a_checkpoint_and_an_accelerator_that_exist() -> None:
    catalog = load_catalog()
    for tier in catalog.tiers:
        assert catalog.model(tier.model).variant(tier.variant)
        assert catalog.accelerator(tier.accelerator)


def test_models_of_a_users_own_file_join_and_come_first(tmp_path: Path) -> None:
    entry = yaml.safe_load((FOLDER / "models" / "qwen3.6-27b.yaml").read_text())[0]
    entry["name"] = "Our-27B"
    entry["license"] = "ours alone"
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump([entry]))
    joined = load_catalog().joined(own)
    assert joined.model("our-27b").license == "ours alone"
    assert joined.model("Qwen/Qwen3.6-27B").name == "Our-27B"
    assert joined.model("gemma-4-31B").family == "gemma-4"
    assert len(joined.models) == len(load_catalog().models) + 1
    with pytest.raises(InvalidInput, match=r"absent\.yaml"):
        load_catalog().joined(tmp_path / "absent.yaml")


def _forget() -> None:
    for cached in (load_catalog, loader._all_models, loader._text, loader._read_once):
        cached.cache_clear()


def test_looking_up_one_model_reads_no_other_family() -> None:
    _forget()
    load_catalog().model_and_variant("Qwen/Qwen3.6-27B-FP8")
    assert loader._read_once.cache_info().currsize < 4


def test_an_accelerator_that_is_read_alone_is_the_one_of_the_whole_file() -> None:
    catalog = load_catalog()
    for gpu in catalog.accelerators:
        for name in (gpu.name, *gpu.aliases, gpu.product_label):
            first = next(
                one
                for one in catalog.accelerators
                if name.casefold() in map(str.casefold, (one.name, *one.aliases, one.product_label))
            )
            assert catalog.accelerator(name.upper()) == first, name
