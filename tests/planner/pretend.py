"""Runs in vLLM's Python: makes vLLM believe in an H100, so that it builds models as it would there.

Nothing is computed. Models live on PyTorch's meta device, kernels that a build for the CPU lacks are names that
nobody calls, and a process group of N ranks is one object that says N. What is left is vLLM's own reading of a
model's configuration and its own planning of the cache. Written for vLLM 0.32.0, November 2026.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

_EXTENSIONS = ("_C_stable_libtorch", "_moe_C_stable_libtorch", "_flashmla_C", "_flashmla_extension_C")
_FLASH_ATTENTION = ("vllm_flash_attn._vllm_fa2_C", "vllm_flash_attn._vllm_fa3_C")
_INTERFACES = ("third_party.flashmla.flash_mla_interface",)
# Compiled for the CPU too, so missing beside the Python files of a wheel only.
_COMPILED = ("_C", "_moe_C")
_LANGUAGES = ("cutlass", "quack")
_BESIDE_OLDER = ("gguf", "humming", "tilelang")
_GROUPS = ("_WORLD", "_TP", "_PP", "_DP", "_EP", "_EPLB", "_PCP", "_DCP")
_SPLIT_GROUPS = ("_WORLD", "_TP", "_EP", "_EPLB")


class Kernel:
    """A kernel that is not there: whether it supports something is answered with no."""

    def __call__(self, *_arguments: object, **_named: object) -> bool:
        return False

    def __getattr__(self, name: str) -> Kernel:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __or__(self, _other: object) -> Kernel:
        return self  # in annotations


class Word(Kernel):
    """A word of a language in which kernels are written: applied to something it leaves another word."""

    def __call__(self, *_arguments: object, **_named: object) -> Kernel:  # type: ignore[override]
        return self


class Ranks:
    """What is asked of PyTorch's own group."""

    def __init__(self, world_size: int) -> None:
        self._world_size = world_size

    def size(self) -> int:
        return self._world_size

    def rank(self) -> int:
        return 0


class Group:
    """A process group of `world_size` ranks seen from rank 0."""

    unique_name = "pretended"
    rank = rank_in_group = local_rank = first_rank = 0
    is_first_rank = is_last_rank = True
    device_communicator = mq_broadcaster = None
    use_device_communicator = False

    def __init__(self, world_size: int) -> None:
        self.world_size = world_size
        self.ranks = list(range(world_size))
        self.last_rank = world_size - 1
        self.device_group = self.cpu_group = Ranks(world_size)


class Stream:
    """A CUDA stream or event on which nothing runs."""

    def __init__(self, *_arguments: object, **_named: object) -> None:
        pass


class Extension(types.ModuleType):
    """A compiled module that is not there; whatever is imported from it is a kernel."""

    def __getattr__(self, name: str) -> Kernel:
        if name.startswith("__"):
            raise AttributeError(name)
        return Word() if self.__name__.partition(".")[0] in _BESIDE_OLDER else Kernel()


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of kernel languages that only builds for a GPU bring."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in (*_LANGUAGES, *_BESIDE_OLDER):
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> Extension:
        return Extension(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _Namespaces:
    """Lets PyTorch's operator namespaces of vLLM answer for operators that do not exist."""

    everything = False

    @classmethod
    def install(cls) -> None:
        from torch._ops import _OpNamespace

        own = _OpNamespace.__getattr__

        def look_up(namespace: Any, name: str) -> Any:
            try:
                return own(namespace, name)
            except AttributeError:
                ours = namespace.name.startswith(("_C", "_moe", "_vllm", "_flash"))
                if ours and not name.startswith("__") and (cls.everything or "supports" in name):
                    return Kernel()
                raise

        _OpNamespace.__getattr__ = look_up


def pretend_a_gpu(total_bytes: int = 85 * 10**9) -> None:
    """Prepare this process; must run before anything of vLLM is imported."""
    os.environ.update(
        VLLM_LOGGING_LEVEL="ERROR",
        HF_HUB_OFFLINE="1",
        CUDA_VISIBLE_DEVICES="",
        VLLM_ALLOW_LONG_MAX_MODEL_LEN="1",
    )
    for name in (*_EXTENSIONS, *_FLASH_ATTENTION):
        sys.modules[f"vllm.{name}"] = types.ModuleType(f"vllm.{name}")
    for name in _COMPILED:
        if importlib.util.find_spec(f"vllm.{name}") is None:
            sys.modules[f"vllm.{name}"] = types.ModuleType(f"vllm.{name}")
    for name in _INTERFACES:
        sys.modules[f"vllm.{name}"] = Extension(f"vllm.{name}")
    sys.meta_path.append(_Absent())
    _Namespaces.install()
    _platform(total_bytes)
    _triton()
    _libraries()
    import vllm.v1.worker.gpu.attn_utils  # noqa: F401 - imports all that is decided at import

    _look_at_classes_here()
    _read_configurations_as_before()
    _Namespaces.everything = True


def _read_configurations_as_before() -> None:
    """Let a layer's width be read from the whole model's config, where the release knows no other way (to 0.27)."""
    from vllm.transformers_utils import model_arch_config_convertor

    if "per_layer" in Path(model_arch_config_convertor.__file__).read_text(encoding="utf-8"):
        return
    from transformers.integrations.heterogeneity.configuration_utils import (
        HeterogeneousConfigMixin,
    )

    HeterogeneousConfigMixin.allow_global_per_layer_attribute_access = True
    _give_gemma_its_names_back()
    # Transformers 5 renames the kinds of layers that such a release looks up by their former names.
    from vllm.model_executor.models import granitemoehybrid

    kinds = granitemoehybrid.ALL_DECODER_LAYER_TYPES
    kinds |= {"full_attention": kinds["attention"], "linear_attention": kinds["mamba"]}


def _give_gemma_its_names_back() -> None:
    """Let Gemma 4's full layers be read by the names of its config.json, which Transformers 5 takes apart by layer."""
    from transformers.models.gemma4.configuration_gemma4 import (
        Gemma4TextConfig,
    )

    def of_full_layers(name: str) -> Any:
        def read(config: Any) -> Any:
            return getattr(config.per_layer_config[config.layer_types.index("full_attention")], name)

        return property(read)

    Gemma4TextConfig.global_head_dim = of_full_layers("head_dim")
    Gemma4TextConfig.num_global_key_value_heads = of_full_layers("num_key_value_heads")


def _look_at_classes_here() -> None:
    """Read a model's class in this process; vLLM would start one of its own, which pretends nothing."""
    from vllm.model_executor.models import registry

    registry._LazyRegisteredModel.inspect_model_cls = lambda entry: registry._ModelInfo.from_model_cls(
        entry.load_model_cls()
    )


def meta_device() -> contextlib.ExitStack:
    """Return a context in which all tensors, those meant for a GPU as well, are made on the meta device."""
    import torch
    from torch.overrides import TorchFunctionMode

    class NoGpu(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, function: Any, _types: Any, arguments: Any = (), named: Any = None
        ) -> Any:
            named = dict(named or {})
            if str(named.get("device")).startswith("cuda"):
                named["device"] = "meta"
            return function(*arguments, **named)

    stack = contextlib.ExitStack()
    stack.enter_context(torch.device("meta"))
    stack.enter_context(NoGpu())
    return stack


def pretend_ranks(tensor_parallel: int) -> None:
    """Make this process rank 0 of so many."""
    from vllm.distributed import parallel_state

    for name in _GROUPS:
        if hasattr(parallel_state, name):
            setattr(parallel_state, name, Group(tensor_parallel if name in _SPLIT_GROUPS else 1))


def _platform(total_bytes: int) -> None:
    import vllm.platforms
    from vllm.platforms.cuda import NonNvmlCudaPlatform
    from vllm.platforms.interface import DeviceCapability

    answers: dict[str, Any] = {
        "get_device_capability": DeviceCapability(9, 0),
        "get_device_name": "NVIDIA H100 80GB HBM3",
        "get_device_total_memory": total_bytes,
        "is_fully_connected": True,
        "device_count": 8,
        "num_compute_units": 132,
        "import_kernels": None,
        "is_integrated_gpu": False,
        "is_pin_memory_available": False,
        "current_device": "meta",
    }
    methods: dict[str, Any] = {name: classmethod(_always(answer)) for name, answer in answers.items()}
    vllm.platforms._current_platform = type("PretendedGpu", (NonNvmlCudaPlatform,), methods)()


def _always(answer: object) -> Any:
    return lambda *_arguments, **_named: answer


def _libraries() -> None:
    import torch
    import vllm.utils.import_utils

    torch.cuda.Stream = torch.cuda.Event = Stream
    vllm.utils.import_utils.has_deep_gemm = lambda: True
    from vllm.v1.worker import workspace

    workspace.init_workspace_manager(torch.device("meta"))


def _triton() -> None:
    """Let the modules of Triton kernels be imported; vLLM's build for the CPU switches Triton off."""
    from triton.backends import backends

    backends["cpu"] = types.SimpleNamespace(driver=None)
    import vllm.triton_utils  # noqa: F401 - decides at import

    del backends["cpu"]
