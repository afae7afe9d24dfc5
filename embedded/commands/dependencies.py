"""What the code imports next to what `pyproject.toml` declares.

Each package may import what its lists declare: `onprem_agents` the dependencies, and those of the extras for its
users only where the import is deferred (inside a function, or for types), so that a laptop without them can start the
command; `components`, `policy` and `examples` those of `platform` too; everything else those of `dev` too.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PRODUCT, _PLATFORM = "onprem_agents", ("components", "policy", "examples", "__main__.py")
_SKIPPED = {".git", ".onprem", ".venv", "build", "docs", "node_modules"}
# Namespaces of several distributions: one level deeper tells them apart.
_NAMESPACES = {"google": {"google.protobuf": "protobuf"}}


@dataclass(frozen=True, kw_only=True)
class Import:
    """One imported module; `deferred` where nothing imports it when the file is imported."""

    module: str
    file: Path
    line: int
    deferred: bool


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The lists of `pyproject.toml`, by canonical names; modules that are this project's, and those of elsewhere."""

    base: frozenset[str]
    extras: Mapping[str, frozenset[str]]
    not_imported: frozenset[str]
    installed: frozenset[str]
    elsewhere: frozenset[str]

    @classmethod
    def read(cls, checkout: Path) -> Declared:
        """Read the lists; modules that mypy is told not to look for are those of another environment.

        What is installed under another name than its folder's is named by `package-dir` of setuptools.
        """
        document = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
        project, tool = document["project"], document["tool"]
        return cls(
            base=_names(project["dependencies"]),
            extras={extra: _names(lines) for extra, lines in project["optional-dependencies"].items()},
            not_imported=_names(tool["declared-dependencies"]["not-imported"]),
            installed=frozenset(tool["setuptools"]["package-dir"]),
            elsewhere=frozenset(
                pattern.removesuffix(".*")
                for override in tool["mypy"]["overrides"]
                if override.get("ignore_missing_imports")
                for pattern in override["module"]
            ),
        )

    @property
    def everything(self) -> frozenset[str]:
        return self.base.union(*self.extras.values())

    @property
    def _optional(self) -> list[frozenset[str]]:
        return [names for extra, names in self.extras.items() if extra != "dev"]

    def allowed(self, found: Import) -> frozenset[str]:
        """Return what the file of an import may import there."""
        room = found.file.parts[0]
        if room == _PRODUCT:
            return self.base.union(*self._optional) if found.deferred else self.base
        return self.base | self.extras["platform"] if room in _PLATFORM else self.everything


def undeclared(checkout: Path) -> Iterator[str]:
    """Yield a sentence for each import that no fitting list declares, and each declaration without an import."""
    declared = Declared.read(checkout)
    distributions = {
        module: frozenset(map(canonicalize_name, names)) for module, names in packages_distributions().items()
    }
    used: set[str] = set()
    for found in _imports(checkout, declared.installed | declared.elsewhere):
        providers = _providers(found.module, distributions)
        used |= providers & declared.everything
        if not providers & declared.allowed(found):
            named = " or ".join(sorted(providers)) or found.module
            yield f"{found.file}:{found.line}: imports {found.module}, and no list for this file declares {named}"
    for name in sorted(declared.everything - used - declared.not_imported):
        yield f"pyproject.toml: {name} is declared, and nobody imports it"
    for name in sorted(declared.not_imported & (used | (declared.not_imported - declared.everything))):
        yield f"pyproject.toml: {name} stands under not-imported without need"


def _providers(module: str, distributions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    top = module.partition(".")[0]
    for prefix, distribution in _NAMESPACES.get(top, {}).items():
        if module == prefix or module.startswith(prefix + "."):
            return frozenset({distribution})
    return distributions.get(top, frozenset())


def _imports(checkout: Path, known: frozenset[str]) -> Iterator[Import]:
    """Yield the imports of what is neither known, nor the standard library's, nor a file of the checkout."""
    files = [file.relative_to(checkout) for file in sorted(checkout.rglob("*.py"))]
    files = [file for file in files if _SKIPPED.isdisjoint(file.parts)]
    own = {part.removesuffix(".py") for file in files for part in (file.parts[0], file.name)} | known
    for file in files:
        tree = ast.parse((checkout / file).read_text(encoding="utf-8"))
        for node, deferred in _statements(tree, deferred=False):
            for module in _modules(node):
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in own:
                    yield Import(module=module, file=file, line=node.lineno, deferred=deferred)


def _statements(node: ast.AST, *, deferred: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, deferred
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types(child)
        yield from _statements(child, deferred=deferred or later)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level or node.module is None:
        return []
    if node.module in _NAMESPACES:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [node.module]


def _names(lines: Iterator[str] | list[str] | Mapping[str, str]) -> frozenset[str]:
    return frozenset(canonicalize_name(Requirement(line).name) for line in lines)
