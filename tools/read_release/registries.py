"""What the source of an unpacked wheel lists: parsers, quantisation methods, endpoints, CUDA. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_METHODS = frozenset({"get", "post", "api_route", "mount", "Mount"})
# Of all paths those that clients, gateways and probes call; the rest is for administrators and other tasks.
_KEPT = frozenset({"/health", "/metrics", "/version"})


def tool_parsers(folder: Path) -> frozenset[str]:
    """Return the names that `--tool-call-parser` takes."""
    return _parsers(folder, "tool_parsers", "_TOOL_PARSERS_TO_REGISTER")


def reasoning_parsers(folder: Path) -> frozenset[str]:
    """Return the names that `--reasoning-parser` takes."""
    return _parsers(folder, "reasoning", "_REASONING_PARSERS_TO_REGISTER")


def quantization_methods(folder: Path) -> frozenset[str]:
    """Return the names that `--quantization` takes."""
    file = folder / "vllm" / "model_executor" / "layers" / "quantization" / "__init__.py"
    value = _assigned(file, "QuantizationMethods")
    if not isinstance(value, ast.Subscript):
        raise LookupError(f"{file}: QuantizationMethods is no Literal")  # noqa: TRY004  the source changed
    return frozenset(_texts(value.slice))


def endpoints(folder: Path) -> frozenset[str]:
    """Return the fixed paths below /v1, and those of probes, that some router of the server answers to."""
    found = {
        path
        for file in (folder / "vllm" / "entrypoints").rglob("*.py")
        for path in _paths(ast.parse(file.read_text(encoding="utf-8")))
    }
    return frozenset(p for p in found if p in _KEPT or (p.startswith("/v1/") and "{" not in p))


def main_cuda(folder: Path) -> str:
    """Return the CUDA release that the wheel, and the image with it, is built for, such as "13.0"."""
    file = folder / "vllm" / "envs.py"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "VLLM_MAIN_CUDA_VERSION":
            return "".join(_texts(node.value)) if node.value is not None else ""
    raise LookupError(f"{file} does not say VLLM_MAIN_CUDA_VERSION")


def _parsers(folder: Path, package: str, name: str) -> frozenset[str]:
    for file in sorted((folder / "vllm").rglob(f"{package}/__init__.py")):
        if name in file.read_text(encoding="utf-8"):
            value = _assigned(file, name)
            if not isinstance(value, ast.Dict):
                raise LookupError(f"{file}: {name} is no dict")
            return frozenset(text for key in value.keys if key is not None for text in _texts(key))
    raise LookupError(f"no {package}/__init__.py says {name}")


def _assigned(file: Path, name: str) -> ast.expr:
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if value is not None:
                return value
    raise LookupError(f"{file} does not assign {name}")


def _texts(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _paths(tree: ast.Module) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        first = call.args[0]
        if called in _METHODS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
