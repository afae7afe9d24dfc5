"""Stand-ins for what vLLM imports and this machine lacks: torch, transformers, CUDA bindings and the like.

vLLM's option parser is plain argparse over dataclasses; it needs the names of such packages, not what they do. A
module that is not installed becomes a stand-in whose every attribute is a stand-in class. A module of vLLM itself is
executed; where that fails on a stand-in, it becomes one as well and is named in `stood_in`.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType

# Packages whose absence vLLM notices and takes for a machine without that hardware.
_ABSENT = frozenset(
    {"pynvml", "amdsmi", "libtpu", "torch_xla", "tpu_inference", "intel_extension_for_pytorch"}
)


class _Anything(type):
    """A class for which every attribute, index and operator gives another one."""

    def __getattr__(cls, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        made = stand_in(f"{cls.__name__}.{name}")
        setattr(cls, name, made)
        return made

    def __call__(cls, *args: object, **_: object) -> object:
        # As a decorator it leaves what it decorates as it is.
        if len(args) == 1 and (isinstance(args[0], type) or callable(args[0])):
            return args[0]
        return cls

    def __iter__(cls) -> Iterator[object]:
        return iter(())

    def __len__(cls) -> int:
        return 0

    def __bool__(cls) -> bool:
        return False

    def __int__(cls) -> int:
        return 0

    def __float__(cls) -> float:
        return 0.0

    def __index__(cls) -> int:
        return 0

    def __contains__(cls, item: object) -> bool:
        return False

    def __getitem__(cls, item: object) -> object:
        return cls

    def __setitem__(cls, key: object, value: object) -> None:
        pass

    def __enter__(cls) -> object:
        return cls

    def __exit__(cls, *_: object) -> None:
        pass

    def _less(cls, _: object) -> bool:
        return False

    __lt__ = __gt__ = __le__ = __ge__ = _less


def stand_in(name: str) -> type:
    """Return a stand-in class; pydantic takes any value for it."""

    def schema(_cls: type, _source: object, _handler: object) -> dict[str, str]:
        return {"type": "any"}

    return _Anything(
        name,
        (),
        {
            "__module__": "stand_in",
            "__class_getitem__": classmethod(lambda cls, _: cls),
            "__get_pydantic_core_schema__": classmethod(schema),
            "__mro_entries__": lambda _self, _bases: (),
        },
    )


class _StandInModule(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        if name == "__version__":
            return "99.0.0"
        made = stand_in(name)
        setattr(self, name, made)
        return made


def _asked_by_vllm() -> bool:
    """Whether the import that runs stands in vLLM's code: an installed package is left to find what it lacks."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  there is no other way to the caller
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith("importlib") and name != __name__:
            return name.partition(".")[0] == "vllm"
        frame = frame.f_back
    return False


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last finder on the meta path: whatever no other finds, it stands in for."""

    def __init__(self) -> None:
        self.stood_in: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        root = fullname.partition(".")[0]
        if root in _ABSENT or root in sys.stdlib_module_names or not _asked_by_vllm():
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        if spec.name.startswith("vllm"):
            self.stood_in.append(spec.name)
        module = _StandInModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass


class Lenient(importlib.abc.MetaPathFinder):
    """The first finder for vLLM's own modules: executes them, and stands in for those that fail."""

    def __init__(self, finder: Finder, *, needed: Callable[[str], bool]) -> None:
        self.finder = finder
        self.needed = needed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != "vllm":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        if spec.origin is not None and not spec.origin.endswith(".py"):
            return None
        if not self.needed(fullname):
            spec.loader = _LenientLoader(spec.loader, self.finder)
        return spec


class _LenientLoader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, finder: Finder) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        strict = ModuleType(module.__name__)
        strict.__dict__.update(module.__dict__)
        try:
            self.loader.exec_module(module)
        except Exception as error:  # noqa: BLE001  whatever vLLM's code makes of a stand-in
            self.finder.stood_in.append(f"{module.__name__} ({type(error).__name__}: {error})")
        else:
            # A module that ran knows its own names; one that did not answers to any.
            module.__class__ = ModuleType


def install(folder: Path, *, needed: frozenset[str]) -> list[str]:
    """Import vLLM from an unpacked wheel from now on; returns the growing list of its modules that failed.

    A failure in one of the `needed` modules is raised.
    """
    finder = Finder()
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, Lenient(finder, needed=needed.__contains__))
    sys.meta_path.append(finder)
    return finder.stood_in
