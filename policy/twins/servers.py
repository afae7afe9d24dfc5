"""Twins of the pack `serving`: servers that start vLLM in plain words."""

from __future__ import annotations

from ..operation import MODE, modes
from ..rules.memory_headroom import MOST_UTILIZATION
from .scope import PODS, not_for_agents, words_of
from .twin import Resources, Twin, get, text, texts

_SERVICES = (Resources(group="serving.kserve.io", plurals=("inferenceservices",)),)

_SWITCH = '.exists(w, w.replace("_", "-").startsWith("--enable-a"))'
_PARSER = '.exists(w, w.replace("_", "-").startsWith("--tool-"))'
_OPTION = r"^--gpu[-_]memory[-_]utilization"
_NUMBER = r"^[0-9]*[.]?[0-9]+$"


def _faults_of_tools() -> str:
    words = words_of("c")
    switched_off = f'{words}.exists(w, w.replace("_", "-").startsWith("--no-enable-a"))'
    missing = (
        f'(!{words}{_SWITCH} || {switched_off}) ? "starts vLLM without --enable-auto-tool-choice" : '
        f'!{words}{_PARSER} ? "has --enable-auto-tool-choice but no --tool-call-parser" : ""'
    )
    return f'({not_for_agents()}) ? [] : variables.serving.map(c, {missing}).filter(t, t != "")'


def _faults_of_memory() -> str:
    """One value that is written out, as a word of its own or behind a sign of equality."""
    words = words_of("c")
    options = f"{words}.filter(w, w.matches({text(_OPTION)}))"
    # Lists of words can't be walked by place: what follows the option is the word behind it in one joined text.
    joined = f'{words}.join("\\n")'
    behind = text(r"(?:^|\n)--gpu[-_]memory[-_]utilization[=\n][0-9]*[.]?[0-9]+(?:\n|$)")
    value = f'{joined}.find({behind}).trim().replace("\\n", "=").split("=")'
    return (
        f"variables.serving.filter(c, {options}.size() == 1).map(c, {value})"
        f".filter(v, v.size() == 2 && v[1].matches({text(_NUMBER)}) && double(v[1]) > {MOST_UTILIZATION})"
        '.map(v, "gives vLLM " + v[1] + " of each GPU")'
    )


def _faults_of_eager() -> str:
    words = words_of("c")
    told = f'{words}.exists(w, w.replace("_", "-") == "--enforce-eager")'
    taken_back = f'{words}.exists(w, w.replace("_", "-").startsWith("--no-enf"))'
    return f'variables.serving.exists(c, {told} && !{taken_back}) ? ["has --enforce-eager"] : []'


def _faults_of_mode() -> str:
    said = f'{get("object", "metadata", "annotations", default="{}")}[?{text(MODE)}].orValue("Standard")'
    known = texts(sorted({*modes(), *modes().values()}))
    return f"variables.serving.size() > 0 && !({said} in {known}) ? [{text(f'has {MODE}: ')} + {said}] : []"


def _faults_of_scale() -> str:
    least = get("object", "spec", "predictor", "minReplicas", default="1")
    return (
        f"!({not_for_agents()}) && variables.serving.size() > 0 && {least} == 0"
        ' ? ["has spec.predictor.minReplicas 0"] : []'
    )


TWINS = (
    Twin(
        policy="tool-calling-is-on",
        on=PODS,
        about_pods=True,
        faults=_faults_of_tools(),
        why="agents can chat but neither edit files nor run commands. Add --enable-auto-tool-choice and"
        " --tool-call-parser with the parser of the model's family.",
    ),
    Twin(
        policy="memory-headroom-is-left",
        on=PODS,
        about_pods=True,
        faults=_faults_of_memory(),
        why="the CUDA context and the sampler's warm-up come on top and end in 'CUDA out of memory'. Set"
        " --gpu-memory-utilization to 0.85 to 0.92.",
    ),
    Twin(
        policy="eager-mode-is-off",
        on=PODS,
        about_pods=True,
        faults=_faults_of_eager(),
        why="vLLM compiles nothing and captures no CUDA graphs, so each token takes up to several times as long. Remove"
        " it.",
    ),
    Twin(
        policy="deployment-modes-exist",
        on=_SERVICES,
        about_pods=True,
        faults=_faults_of_mode(),
        why="no KServe knows that mode: it takes the cluster's default instead and refuses each later change. Write"
        " Standard.",
    ),
    Twin(
        policy="servers-stay-up",
        on=_SERVICES,
        about_pods=True,
        faults=_faults_of_scale(),
        why="the next turn would wait until the model is loaded again. Set it to 1 or more.",
    ),
)
