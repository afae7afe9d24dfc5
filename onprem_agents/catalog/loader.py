"""Reads the catalogue's YAML, file by file and once per process, and answers by name."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from onprem_agents.catalog.accelerator import Accelerator
from onprem_agents.catalog.agent_check import AgentCheck
from onprem_agents.catalog.cluster_software import ClusterSoftware
from onprem_agents.catalog.conflict import Conflict
from onprem_agents.catalog.fact import Fact
from onprem_agents.catalog.former import FormerModel, FormerSetting
from onprem_agents.catalog.kserve import KserveRelease, release_named
from onprem_agents.catalog.model import Model, Variant
from onprem_agents.catalog.platform import ClusterPlatform
from onprem_agents.catalog.resembling import Resemblance, resembling
from onprem_agents.catalog.server_option import ServerOption, ServerVariable
from onprem_agents.catalog.serving_image import ServingImage
from onprem_agents.catalog.serving_runtime import BuiltInRuntime
from onprem_agents.catalog.thinking import ThinkingControl, control_of
from onprem_agents.catalog.tier import Tier
from onprem_agents.errors import FormerName, InvalidInput, Problem, UnknownFact

_FOLDER = Path(__file__).parent
_ACCELERATORS = _FOLDER / "accelerators.yaml"

# The C parser is several times faster; PyYAML 6 wheels carry it on every platform we run on.
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_AnyFact = TypeVar("_AnyFact", bound=Fact)
_LISTED_BY = "onprem-agents catalog"


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything known, each file read and checked when it is first asked for. Look-ups ignore case.

    `model_files` hold one or more models each; the first that answers to a name wins. Whatever is asked of a broken
    file raises InvalidInput.
    """

    model_files: tuple[Path, ...]

    @property
    def models(self) -> tuple[Model, ...]:
        """All models, in the order of the files."""
        return _all_models(self.model_files)

    @property
    def accelerators(self) -> tuple[Accelerator, ...]:
        """All accelerators, the smallest first."""
        return _read_once(_ACCELERATORS, Accelerator)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The hardware tiers, the smallest first."""
        return _read_once(_FOLDER / "tiers.yaml", Tier)

    @property
    def platforms(self) -> tuple[ClusterPlatform, ...]:
        """The makes of cluster that a stack can name."""
        return _read_once(_FOLDER / "platforms.yaml", ClusterPlatform)

    def platform(self, name: object) -> ClusterPlatform | None:
        """Return the make of cluster of that name, None where there is none."""
        return next((each for each in self.platforms if each.name == name), None)

    def joined(self, *files: Path) -> Catalog:
        """Return a catalogue in which the models of these files come first. Raises InvalidInput."""
        for file in files:
            _read_once(file, Model)
        return Catalog(model_files=(*files, *self.model_files))

    @property
    def former_models(self) -> tuple[FormerModel, ...]:
        """Names of models that are not served, and what to take instead."""
        return _read_once(_FOLDER / "former-models.yaml", FormerModel)

    @property
    def former_settings(self) -> tuple[FormerSetting, ...]:
        """Keys and values of other manifests, and what to write here."""
        return _read_once(_FOLDER / "former-settings.yaml", FormerSetting)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Options of vLLM that do harm together, or with some models."""
        return _read_once(_FOLDER / "conflicts.yaml", Conflict)

    @property
    def server_options(self) -> tuple[ServerOption, ...]:
        """Options of vLLM that a stack may not give by itself, or not without knowing something."""
        return _read_once(_FOLDER / "server-options.yaml", ServerOption)

    @property
    def server_variables(self) -> tuple[ServerVariable, ...]:
        """Variables of the server that a stack may not give by itself, or not without knowing something."""
        return _read_once(_FOLDER / "server-variables.yaml", ServerVariable)

    def server_option(self, option: str) -> ServerOption | None:
        """Return what is said of an option, such as `--max-model-len`; the first entry that means it counts."""
        return next((entry for entry in self.server_options if entry.means(option)), None)

    def server_variable(self, name: str) -> ServerVariable | None:
        """Return what is said of a variable; the first entry that means it counts."""
        return next((entry for entry in self.server_variables if entry.means(name)), None)

    @property
    def serving_images(self) -> tuple[ServingImage, ...]:
        """Images that bring vLLM."""
        return _read_once(_FOLDER / "serving-images.yaml", ServingImage)

    @property
    def serving_runtimes(self) -> tuple[BuiltInRuntime, ...]:
        """Runtimes that KServe and OpenShift AI bring."""
        return _read_once(_FOLDER / "serving-runtimes.yaml", BuiltInRuntime)

    @property
    def cluster_software(self) -> tuple[ClusterSoftware, ...]:
        """What stacks need in a cluster, by releases."""
        return _read_once(_FOLDER / "cluster-software.yaml", ClusterSoftware)

    @property
    def kserve_releases(self) -> tuple[KserveRelease, ...]:
        """The releases of KServe that are known, the oldest first."""
        return _read_once(_FOLDER / "kserve.yaml", KserveRelease)

    @property
    def agent_checks(self) -> tuple[AgentCheck, ...]:
        """What was seen of releases of the agents beside the pinned ones."""
        return _read_once(_FOLDER / "agent-releases.yaml", AgentCheck)

    def software(self, name: str) -> ClusterSoftware:
        """Return the entry of that name. Raises UnknownFact."""
        for each in self.cluster_software:
            if each.name == name:
                return each
        raise UnknownFact("software", name, [each.name for each in self.cluster_software])

    def kserve(self, version: str | None) -> KserveRelease:
        """Return the release of KServe of that version, the newest that was tried for None. Raises UnknownFact."""
        software = self.software("KServe")
        found = release_named(
            self.kserve_releases, version or software.newest, least=software.least or software.tried
        )
        if found is None:
            raise UnknownFact("KServe release", str(version), [each.release for each in self.kserve_releases])
        return found

    def thinking_control(self, model: Model) -> ThinkingControl | None:
        """Return what steers a model's thinking, None for one that does not think or that nobody has looked into."""
        return control_of(model, _read_once(_FOLDER / "thinking.yaml", ThinkingControl))

    def model(self, name: str) -> Model:
        """Return the model of that name, alias or Hugging Face id (a variant's too). Raises UnknownFact."""
        return self.model_and_variant(name)[0]

    def model_and_variant(self, name: str) -> tuple[Model, Variant | None]:
        """Return the model, and the variant when the name is a variant's own id.

        Raises UnknownFact, and its kind FormerName where it is known what became of the name.
        """
        found = self._found(name)
        if found is not None:
            return found
        former = next((each for each in self.former_models if each.means(name.strip())), None)
        if former is not None:
            instead = former.instead or self._told_by(former.stripped(name.strip()))
            source = f"{former.source.where}, read {former.source.read}"
            raise FormerName("model", name, former.became, instead, source=source, listed_by=_LISTED_BY)
        # Models without a tool-call parser are of no use to agents, so they are not offered.
        able = [model for model in self.models if model.tool_call_parser is not None]
        known = [word for model in able for word in (model.name, *(v.hf_id for v in model.variants))]
        raise UnknownFact("model", name, known, listed_by=_LISTED_BY)

    def _found(self, name: str) -> tuple[Model, Variant | None] | None:
        wanted = "-".join(name.split()).casefold()
        # A file that does not hold the name need not be parsed: that is most of the time of a look-up.
        for file in self.model_files:
            if wanted and wanted in _text(file):
                found = _named_in(_read_once(file, Model), wanted)
                if found is not None:
                    return found
        return None

    def _told_by(self, rest: str) -> tuple[str, ...]:
        """Return the model that the rest of a name tells, none where agents could not work with it."""
        found, alike = self._found(rest), self.resembling(rest)
        model = found[0] if found is not None else alike.model if alike is not None else None
        return (model.name,) if model is not None and model.tool_call_parser is not None else ()

    def resembling(self, name: str) -> Resemblance | None:
        """Return the model of which a checkpoint of that name is a copy, None where its name does not tell."""
        return resembling(name, self.models)

    def accelerator(self, name: str) -> Accelerator:
        """Return the accelerator of that name, alias or product label. Raises UnknownFact."""
        wanted = name.casefold()
        # An entry that does not hold the name need not be parsed: the whole file takes 15 ms (measured, 2026-11).
        for entry in _entries(_ACCELERATORS):
            if wanted and wanted in entry.casefold():
                gpu = _accelerator(entry)
                if wanted in _fold((gpu.name, *gpu.aliases, gpu.product_label)):
                    return gpu
        raise UnknownFact("accelerator", name, [gpu.name for gpu in self.accelerators], listed_by=_LISTED_BY)

    def tier(self, name: str) -> Tier:
        """Return the hardware tier of that name or alias. Raises UnknownFact."""
        wanted = name.casefold()
        for tier in self.tiers:
            if wanted in _fold((tier.name, *tier.aliases)):
                return tier
        raise UnknownFact("hardware tier", name, [tier.name for tier in self.tiers], listed_by=_LISTED_BY)


@functools.cache
def load_catalog() -> Catalog:
    """Return the catalogue of this package. Its files are read when they are needed, once per process."""
    return Catalog(model_files=tuple(sorted((_FOLDER / "models").glob("*.yaml"))))


@functools.cache
def _all_models(files: tuple[Path, ...]) -> tuple[Model, ...]:
    return tuple(model for file in files for model in _read_once(file, Model))


@functools.cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").casefold()


@functools.cache
def _entries(path: Path) -> tuple[str, ...]:
    """Return the entries of a YAML list as the texts of lists with one entry."""
    _, *entries = f"\n{path.read_text(encoding='utf-8')}".split("\n- ")
    return tuple(f"- {entry}" for entry in entries)


@functools.cache
def _accelerator(entry: str) -> Accelerator:
    return _parsed(entry, _ACCELERATORS.name, Accelerator)[0]


def _named_in(models: Iterable[Model], wanted: str) -> tuple[Model, Variant | None] | None:
    """Look for a name; an id may leave out its owner where that is the model's maker, as others copy such names."""
    for model in models:
        if wanted in _fold((model.name, model.hf_id, _bare(model.hf_id), *model.aliases)):
            return model, None
        for variant in model.variants:
            own = variant.hf_id.partition("/")[0] == model.hf_id.partition("/")[0]
            if wanted in _fold((variant.hf_id, *((_bare(variant.hf_id),) if own else ()))):
                return model, variant
    return None


def _bare(hf_id: str) -> str:
    return hf_id.partition("/")[2]


@functools.cache
def _read_once(path: Path, kind: type[_AnyFact]) -> tuple[_AnyFact, ...]:
    return _read(path, kind)


def _read(path: Path, kind: type[_AnyFact]) -> tuple[_AnyFact, ...]:
    """Read one YAML list of facts. Raises InvalidInput with every problem in the file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        problem = Problem(
            where=path.name,
            cause="unreadable",
            found=str(error),
            why="it cannot be read",
            fix="name a readable file",
        )
        raise InvalidInput(f"catalogue file {path.name}", [problem]) from error
    return _parsed(text, path.name, kind)


def _parsed(text: str | bytes, name: str, kind: type[_AnyFact]) -> tuple[_AnyFact, ...]:
    source = f"catalogue file {name}"
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
    except yaml.YAMLError as error:
        problem = Problem(
            where=name,
            cause="broken-syntax",
            found=str(error),
            why="it is not YAML",
            fix="mend the file",
        )
        raise InvalidInput(source, [problem]) from error
    if not isinstance(content, list):
        raise InvalidInput(
            source,
            [
                Problem(
                    where=name,
                    cause="wrong-shape",
                    found=type(content).__name__,
                    why="it holds no list",
                    fix="mend the file",
                )
            ],
        )
    facts: list[_AnyFact] = []
    problems: list[Problem] = []
    for index, item in enumerate(content):
        try:
            facts.append(kind.model_validate(item))
        except ValidationError as error:
            problems.extend(_problems(f"{name}[{index}]", error))
    if problems:
        raise InvalidInput(source, problems)
    return tuple(facts)


def _problems(where: str, error: ValidationError) -> Sequence[Problem]:
    return [
        Problem(
            where=".".join((where, *(str(part) for part in item["loc"]))),
            cause="bad-value",
            found=repr(item["input"])[:200],
            why=item["msg"],
            fix="correct this entry of the catalogue",
        )
        for item in error.errors()
    ]


def _fold(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
