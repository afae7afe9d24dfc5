"""`tools.read_release` on a small made wheel: what vLLM's own code says becomes the folder of a release."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from onprem_agents.vllm import known_releases, load_release, newest_release
from onprem_agents.vllm.release import Image, MemoryRules, Options
from tools.read_release.__main__ import main
from tools.read_release.wheel import templates_in

pytestmark = pytest.mark.unit

# The shape of vLLM's own modules, in few words: dataclasses typed with torch's names, an enum, a JSON default.
ARG_UTILS = """
import enum
from dataclasses import dataclass
from typing import Literal

import torch
from not_installed_anywhere import helper
from torch.nn import Module

import vllm.kernels
from vllm.platforms import current_platform

class Backend(enum.Enum):
    TRITON = "triton"

@dataclass
class Config:
    dtype: torch.dtype | None = None
    layer: type[Module] | None = None
    device: str = current_platform.device_type

def add_options(parser):
    parser.add_argument("--dtype", choices=["auto", "half", None], default="auto")
    parser.add_argument("--block-size", type=int, choices=[8, 16, 128, None], default=None)
    parser.add_argument("--tensor-parallel-size", "-tp", type=int, default=1)
    parser.add_argument("--compilation-config", type=helper, default=Config())
    parser.add_argument("--mamba-backend", default=Backend.TRITON)
    parser.add_argument("--device", default=Config().device)
    parser.add_argument("--hidden", default=__import__("argparse").SUPPRESS)
    parser.add_argument("--gpu-memory-utilization", type=float, default=0.92)
"""
CLI_ARGS = """
import argparse

from vllm.engine.arg_utils import add_options

def make_arg_parser(parser):
    parser.add_argument("--enable-lora", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--enable-x", "--disable-x", action="store_true")
    parser.add_argument("--headless", action="store_true")
    parser.add_argument("--served-model-name", nargs="+")
    parser.add_argument("--hf-token", nargs="?")
    parser.add_argument("--model")
    add_options(parser)
    return parser
"""
FILES = {
    "vllm/__init__.py": "import transformers\n",
    "vllm/kernels.py": "raise RuntimeError('no GPU')\n",
    "vllm/_C.abi3.so": "not read",
    "vllm/platforms/__init__.py": "_current_platform = None\n"
    "def __getattr__(name):\n    if name == 'current_platform':\n        return _current_platform\n"
    "    raise AttributeError(name)\n",
    "vllm/platforms/interface.py": "import enum\nclass PlatformEnum(enum.Enum):\n    CUDA = 1\nclass Platform: ...\n",
    "vllm/envs.py": "if TYPE_CHECKING:\n    VLLM_MAIN_CUDA_VERSION: str = '14.1'\n",
    "vllm/utils/__init__.py": "",
    "vllm/utils/argparse_utils.py": "import argparse\nclass FlexibleArgumentParser(argparse.ArgumentParser): ...\n",
    "vllm/engine/__init__.py": "",
    "vllm/engine/arg_utils.py": ARG_UTILS,
    "vllm/entrypoints/__init__.py": "",
    "vllm/entrypoints/serve/__init__.py": "",
    "vllm/entrypoints/serve/cli_args.py": CLI_ARGS,
    "vllm/entrypoints/serve/api_router.py": '@router.post(\n    "/v1/messages", dependencies=[])\ndef messages(): ...\n'
    '@router.get("/v1/responses/{id}")\ndef one(): ...\n@router.get("/sleep")\ndef sleep(): ...\n'
    '@router.get("/health")\ndef health(): ...\nroute = Mount("/metrics", app)\n',
    "vllm/tool_parsers/__init__.py": '_TOOL_PARSERS_TO_REGISTER = {"b": ("m", "C"), "a": ("m", "D")}\n',
    "vllm/reasoning/__init__.py": '_REASONING_PARSERS_TO_REGISTER = {"r": ("m", "C")}\n',
    "vllm/model_executor/layers/quantization/__init__.py": "from typing import Literal\n"
    'QuantizationMethods = Literal["fp8", "awq"]\n',
    "vllm-9.1.0.dist-info/METADATA": "Metadata-Version: 2.4\nName: vllm\nVersion: 9.1.0\n",
}


def _wheel(folder: Path, **changed: str) -> Path:
    wheel = folder / "vllm-9.1.0-cp38-abi3-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in (FILES | changed).items():
            archive.writestr(name, text)
    return wheel


def _read(folder: Path, wheel: Path, *options: str, version: str = "9.1.0") -> Any:
    argv = [version, "--wheel", str(wheel), "--into", str(folder), *options]
    return CliRunner().invoke(main, argv)


def test_a_wheel_becomes_the_folder_of_a_release(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "examples" / "pooling").mkdir(parents=True)
    for name in ("tool_chat_template_x.jinja", "pooling/rank.jinja", "readme.md"):
        (source / "examples" / name).write_text("")

    result = _read(tmp_path, _wheel(tmp_path), "--source", str(source))

    assert result.exit_code == 0, result.output
    assert "stood in for vllm.kernels (RuntimeError: no GPU)" in result.output
    options = json.loads((tmp_path / "9.1.0" / "options.json").read_text())
    assert options.pop("read")
    assert options == {
        "release": "9.1.0",
        "source": "option parser, registries and routers in the wheel of vLLM 9.1.0",
        "switches": {"--enable-lora": ["--no-enable-lora", None], "--enable-x": ["--disable-x", False]},
        "one_way_switches": ["--headless"],
        "values": {
            "--block-size": None,
            "--compilation-config": None,
            "--device": "cuda",
            "--dtype": "auto",
            "--gpu-memory-utilization": 0.92,
            "--hidden": None,
            "--mamba-backend": "Backend.TRITON",
            "--model": None,
            "--tensor-parallel-size": 1,
        },
        "lists": ["--served-model-name"],
        "optional_values": ["--hf-token"],
        "aliases": {"-tp": "--tensor-parallel-size"},
        "choices": {"--block-size": ["8", "16", "128"], "--dtype": ["auto", "half"]},
        "tool_parsers": ["a", "b"],
        "reasoning_parsers": ["r"],
        "quantization_methods": ["awq", "fp8"],
        "endpoints": ["/health", "/metrics", "/v1/messages"],
    }
    image = Image.model_validate_json((tmp_path / "9.1.0" / "image.json").read_text())
    assert image.reference() == "docker.io/vllm/vllm-openai:v9.1.0"
    assert image.templates == {"tool_chat_template_x.jinja"}
    assert image.cuda == "14.1"


def test_memory_rules_are_taken_over_once_and_said_to_be(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path)
    memory = tmp_path / "9.1.0" / "memory.json"

    assert _read(tmp_path, wheel).exit_code == 0
    taken = MemoryRules.model_validate_json(memory.read_text())
    assert f"taken over from vLLM {newest_release()}" in taken.source
    assert taken.model_copy(update={"source": "", "read": ""}) == load_release(
        newest_release()
    ).memory.model_copy(update={"source": "", "read": ""})

    memory.write_text("looked up since\n")
    assert _read(tmp_path, wheel).exit_code == 0
    assert memory.read_text() == "looked up since\n"


def test_without_a_source_archive_the_templates_are_those_of_the_nearest_release(tmp_path: Path) -> None:
    assert _read(tmp_path, _wheel(tmp_path)).exit_code == 0

    image = Image.model_validate_json((tmp_path / "9.1.0" / "image.json").read_text())
    assert image.templates == load_release(newest_release()).image.templates
    assert image.source.endswith(f"of vLLM {newest_release()}")


@pytest.mark.parametrize(
    ("changed", "version", "told"),
    [
        ({}, "9.2.0", "is the wheel of vLLM 9.1.0, not of 9.2.0"),
        (
            {"vllm/tool_parsers/__init__.py": ""},
            "9.1.0",
            "no tool_parsers/__init__.py says _TOOL_PARSERS_TO_REG",
        ),
        ({"vllm/engine/arg_utils.py": "raise ValueError('moved')"}, "9.1.0", "ValueError: moved"),
        ({"vllm/envs.py": ""}, "9.1.0", "does not say VLLM_MAIN_CUDA_VERSION"),
        ({"vllm/entrypoints/serve/cli_args.py": ""}, "9.1.0", "no cli_args.py below vllm/entrypoints says"),
    ],
)
def test_a_wheel_that_can_t_be_read_is_said_to_be_and_writes_nothing(
    tmp_path: Path, changed: dict[str, str], version: str, told: str
) -> None:
    result = _read(tmp_path, _wheel(tmp_path, **changed), version=version)

    assert result.exit_code == 1
    assert told in result.output
    assert not (tmp_path / version).exists()


def test_templates_of_an_unpacked_tree_exclude_those_of_other_tasks(tmp_path: Path) -> None:
    (tmp_path / "examples" / "pooling").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    for name in ("examples/template_chatml.jinja", "examples/pooling/rank.jinja", "tests/other.jinja"):
        (tmp_path / name).write_text("")

    assert templates_in(tmp_path) == ["template_chatml.jinja"]


@pytest.mark.parametrize("release", known_releases())
def test_a_committed_folder_has_the_form_that_the_tool_writes(release: str) -> None:
    facts = load_release(release)
    assert facts.source == f"option parser, registries and routers in the wheel of vLLM {release}"
    assert set(facts.aliases.values()) <= facts.options()
    assert set(Options.model_fields) <= set(type(facts).model_fields)
    assert facts.default("--gpu-memory-utilization") in (0.9, 0.92)
