"""What each vLLM release knows and how it behaves, read from `releases/<version>/`.

A release is one folder of three files: `options.json`, its own option parser and registries; `image.json`, its
container image; `memory.json`, the rules of its memory planner. `python -m tools.read_release` makes the folder from
the wheel. Each file names its source and the day it was read. A release without a folder is judged by the nearest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from onprem_agents.errors import UnknownFact

Scalar = bool | int | float | str | None

_FOLDER = Path(__file__).with_name("releases")

# `vllm serve` listens here when no --port is given (vLLM 0.33.0, option parser, read 2026-11-24).
DEFAULT_PORT = 8000


class Facts(BaseModel):
    """A frozen record, read from JSON, in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Image(Facts):
    """The container image of one release.

    A digest belongs to one build of one tag and moves with every rebuild: it is null while unknown, and a production
    stack gives the digest it has mirrored. `templates` are the chat templates that the image brings in
    `template_folder`; the non-root image starts in another folder, so only the absolute path works. `cuda` is the CUDA
    release that it brings, which `vllm/envs.py` calls the main one. `compat_libraries_first`: its linker finds CUDA's
    compatibility libraries before those of the node's driver, which ends in error 803 on drivers that are newer than
    they are (vllm-project/vllm#33992, gpustack/gpustack#4678).
    """

    repository: str
    tag: str
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    cuda: str = Field(pattern=r"^[0-9]{2}\.[0-9]$")
    compat_libraries_first: bool
    template_folder: str = Field(pattern=r"^/")
    templates: frozenset[str]
    source: str
    read: str

    def lacks(self, template: str) -> bool:
        """Whether a path lies in the folder of templates, but is none of those that the image brings."""
        folder, _, name = template.partition(f"{self.template_folder}/")
        return folder == "" and name != "" and name not in self.templates

    def reference(self) -> str:
        """Return what a pod names it by."""
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest is not None else "")


CompressedLayout = Literal["tuples", "slots", "slabs", "dense"]
"""How the caches of compressed attention share blocks; `sizing/kv_compressed.py` says what each means."""


class MemoryRules(Facts):
    """How one release plans its memory.

    `graphs_are_counted`: the profile run subtracts an estimate of the CUDA graphs. `batches_in_flight`: asynchronous
    scheduling plans that many batches at once. `hybrid_prefix_caching`: prefix caching of hybrid models is on by
    default, so a sequence holds two states. `prefill_checkpoints`: the Mamba 2 kernels write a checkpoint of the state
    from inside a prefill, one block more; `delta_checkpoints`: those of gated delta nets too, where FlashInfer runs
    them. `hybrid_latent_tokens`: what blocks of latent attention beside linear attention are multiples of.
    `compressed_layout`: how the caches of compressed attention share blocks. `item_raises_batch`: whether a batch
    that nobody told is raised to hold one item of a model that attends to whole images, with text alone as well or only
    where the encoder is loaded. `batch_holds_one_block`: with prefix caching, a batch below one block of a hybrid model
    is refused. `tokens_are_concurrency`: "GPU KV cache size" is concurrency x
    max-model-len. `sampler_sorts`: top-k and top-p sort the logits. `declared_kv_cache`: a checkpoint's own KV cache
    type counts. `reads_device_memory`: what is taken is read from the device, so buffers made before the
    profile run count.

    `v2_runner` names what Model Runner V2 runs by default: model types of config.json, "dense" for all models without
    experts or linear attention, "any"; with `v2_runner_bf16_only` unquantised ones alone. `v2_copies_logits`: it
    samples from an FP32 copy. `v2_counts_graphs`: it subtracts an estimate of the CUDA graphs.
    `largest_graph_blackwell`: the largest captured batch on data centre Blackwell.
    """

    graphs_are_counted: bool
    batches_in_flight: int = Field(ge=1)
    hybrid_prefix_caching: bool
    prefill_checkpoints: bool
    delta_checkpoints: bool
    hybrid_latent_tokens: int = Field(ge=1)
    compressed_layout: CompressedLayout
    item_raises_batch: Literal["never", "always", "with-encoder"]
    batch_holds_one_block: bool
    tokens_are_concurrency: bool
    sampler_sorts: bool
    declared_kv_cache: bool
    reads_device_memory: bool
    v2_runner: frozenset[str]
    v2_runner_bf16_only: bool
    v2_copies_logits: bool
    largest_graph_blackwell: int = Field(ge=1)
    v2_counts_graphs: bool
    source: str
    read: str


class Options(Facts):
    """The option parser and registries of one release.

    `switches` maps an on/off option to the option that says the opposite and its default (None: decided at
    start); `one_way_switches` have no opposite. `values` take one value and hold its default where that is
    a plain one; `lists` take one or more, `optional_values` none or one. `choices` are kept for the options
    that `ServeFlags` models. `endpoints` are the paths that the server answers to.
    """

    release: str
    source: str
    read: str
    switches: Mapping[str, tuple[str, bool | None]]
    one_way_switches: frozenset[str]
    values: Mapping[str, Scalar]
    lists: frozenset[str]
    optional_values: frozenset[str]
    aliases: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]
    tool_parsers: frozenset[str]
    reasoning_parsers: frozenset[str]
    quantization_methods: frozenset[str]
    endpoints: frozenset[str]

    def options(self) -> frozenset[str]:
        """Return the canonical spelling of every option, without aliases and opposites."""
        return (
            frozenset({*self.switches, *self.values})
            | self.one_way_switches
            | self.lists
            | self.optional_values
        )

    def default(self, option: str) -> Scalar:
        """Return the default of an option; None when there is none or when the server decides at start."""
        if option in self.switches:
            return self.switches[option][1]
        if option in self.one_way_switches:
            return False
        return self.values.get(option)

    def opposite(self, option: str) -> str | None:
        """Return the spelling that switches `option` off, valid in this release; None if it has none."""
        if option not in self.switches:
            return None
        # 0.33.0 lists --disable-x as the opposite of --enable-x, yet takes --no-enable-x (run 2026-11-24).
        return f"--no-{option[2:]}" if option.startswith("--enable-") else self.switches[option][0]


class Release(Options):
    """One vLLM release: its options, its image and its memory rules."""

    image: Image
    memory: MemoryRules


@cache
def known_releases() -> tuple[str, ...]:
    """Return the releases that have a folder, oldest first."""
    return tuple(sorted((path.parent.name for path in _FOLDER.glob("*/memory.json")), key=version_key))


def newest_release() -> str:
    """Return the newest release that has a folder: what a stack gets that names none."""
    return known_releases()[-1]


@cache
def load_release(version: str) -> Release:
    """Return the facts of one release such as "0.33.0"; raises UnknownFact for one without a folder."""
    if version not in known_releases():
        raise UnknownFact("vLLM release", version, known_releases())
    folder = _FOLDER / version
    options, image, memory = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("options", "image", "memory")
    )
    return Release.model_validate({**options, "image": image, "memory": memory})


@cache
def nearest_release(version: str | None) -> Release:
    """Return the facts to judge `version` by: its own, another patch of its minor, the newest older, the oldest.

    None, or a text that is no version (an image tagged "latest"), gives the newest.
    """
    asked = version_key(version or "")
    if not asked:
        return load_release(newest_release())
    older = [known for known in known_releases() if version_key(known) <= asked]
    same_minor = [known for known in known_releases() if version_key(known)[:2] == asked[:2]]
    if older and older[-1] in same_minor:
        return load_release(older[-1])
    return load_release((same_minor or older[-1:] or known_releases())[0])


def releases_around(version: str) -> tuple[str, ...]:
    """Return the releases with facts between which `version` lies: itself alone, its two neighbours, or none.

    What both neighbours have in common it has too; older or newer than all of them, or no version at all, gives none.
    """
    asked = version_key(version)
    older = [known for known in known_releases() if version_key(known) <= asked]
    newer = [known for known in known_releases() if version_key(known) >= asked]
    if not asked or not older or not newer:
        return ()
    return (older[-1],) if older[-1] == newer[0] else (older[-1], newer[0])


def image_of(version: str) -> str:
    """Return the image of a release; one without a folder is tagged as all are, `v` and its version."""
    nearest = nearest_release(version)
    if nearest.release == version:
        return nearest.image.reference()
    return f"{nearest.image.repository}:v{version}"


def version_key(version: str) -> tuple[int, ...]:
    """Return a sortable key of a version: "0.33.0", "v0.11.1", "0.33.1rc1" (as 0.33.1); else ()."""
    parts: list[int] = []
    for part in version.removeprefix("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        parts.append(int(digits))
        if digits != part:
            break
    return tuple(parts)
