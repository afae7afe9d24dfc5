"""What a role's pods get beside what is derived: words of the server, variables, labels, and where they may run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from onprem_agents.errors import Finding
from onprem_agents.stack.labels import PREFIX
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.untrusted import Shape, has_key_prefix, refusal

# Keys and values of labels and annotations (Kubernetes 1.36).
_NAME = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}"

# What KServe v0.20.0, Knative 1.22 and Kueue 0.15 read on pods or pick them out by (read 2026-11), and ours: the
# beginning of a key → why nobody else may set it, and the setting that says it.
_RESERVED = {
    f"{PREFIX}/": ("the stack knows its own objects by it", "leave it out"),
    "app.kubernetes.io/component": (
        "routes and policies pick out the pods by it",
        "take app.kubernetes.io/instance",
    ),
    "serving.kserve.io/": ("KServe reads it, and the plan decides it", "set 'mode' or 'replicas'"),
    "networking.kserve.io/": ("the only way to the servers is the gateway", "leave it out"),
    "kueue.x-k8s.io/": (
        "Kueue reads it, and the plan decides it",
        "set 'queue' (a server alone: 'localQueue')",
    ),
    "serving.knative.dev/": (
        "Knative reads it, and the plan decides it",
        "set 'loadBudgetSeconds'",
    ),
    "autoscaling.knative.dev/": ("Knative reads it, and the plan decides it", "set 'replicas'"),
    "networking.knative.dev/": ("the only way to the servers is the gateway", "leave it out"),
    "pulumi.com/": ("Pulumi reads it on what a stack declares, never on pods", "leave it out"),
}
# KServe's Deployments pick out their pods by these (v0.20.0, 2026-11).
_OF_DEPLOYMENTS = ("app", "component", "pod-template-hash")


def _quoted(value: object) -> object:
    if isinstance(value, bool | int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        raise refusal(
            Finding(
                cause="bad-value",
                found=text,
                why="a text is due, and YAML reads this as a number or a truth value",
                fix=f'write it in quotes: "{text}"',
            )
        )
    return value


def _word(word: str) -> str:
    """Return a word of an argument list that Kubernetes hands on as it is and everybody may read."""
    if has_key_prefix(word):
        raise refusal(
            Finding(
                cause="looks-like-key",
                found="a text that looks like a key (not shown)",
                why="settings stand in the clear in files, states and manifests",
                fix="take it out: the credentials of a download belong into the Secret that 'storageSecret' names, the "
                "servers' key is 'serverKey'",
            )
        )
    if not word.isprintable():
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="it holds characters that nobody can see",
                fix="write plain text in one line",
            )
        )
    if "$(" in word:
        raise refusal(
            Finding(
                cause="bad-value",
                found="",
                why="Kubernetes replaces $(…) when the pod starts, so nobody could check it before",
                fix="write the value itself",
            )
        )
    return word


def _not_reserved(entries: Mapping[str, str]) -> Mapping[str, str]:
    """Return labels or annotations, or refuse all of them that somebody else sets."""
    findings = list(_reserved(entries))
    if findings:
        raise refusal(*findings)
    return entries


def _reserved(entries: Mapping[str, str]) -> Iterator[Finding]:
    for key in entries:
        if key in _OF_DEPLOYMENTS:
            yield Finding(
                cause="contradiction",
                found=key,
                why="the Deployment picks out its pods by it",
                fix="take a key with a prefix, such as example.com/app",
            )
        for beginning, (why, fix) in _RESERVED.items():
            if key.startswith(beginning):
                yield Finding(cause="contradiction", found=key, why=why, fix=fix)


LabelKey = Annotated[
    str,
    Field(max_length=317),
    Shape(_LABEL_KEY, "a label's key: a name, with or without a prefix", "example.com/team", published=False),
]
LabelText = Annotated[
    str,
    BeforeValidator(_quoted),
    Shape(
        f"({_NAME})?", "a label's value: letters, digits, '.', '_', '-', at most 63", "a100", published=False
    ),
]
AnnotationText = Annotated[str, BeforeValidator(_quoted), Field(max_length=4096), AfterValidator(_word)]
Labels = Annotated[dict[LabelKey, LabelText], Field(max_length=32), AfterValidator(_not_reserved)]
Annotations = Annotated[dict[LabelKey, AnnotationText], Field(max_length=32), AfterValidator(_not_reserved)]
NodeLabels = Annotated[dict[LabelKey, LabelText], Field(max_length=16)]

Word = Annotated[str, BeforeValidator(_quoted), Field(min_length=1, max_length=4096), AfterValidator(_word)]
Words = Annotated[tuple[Word, ...], Field(max_length=64)]
VariableName = Annotated[
    str,
    Shape(
        "[A-Za-z_][A-Za-z0-9_]{0,127}",
        "letters, digits and '_', no digit first",
        "NCCL_DEBUG",
        published=False,
    ),
]
VariableText = Annotated[str, BeforeValidator(_quoted), Field(max_length=4096), AfterValidator(_word)]
Variables = Annotated[dict[VariableName, VariableText], Field(max_length=64)]


class Toleration(Section):
    """A taint that the pods bear, beside the one of GPU nodes."""

    key: LabelKey | None = Field(
        default=None, description="Key of the taint. Left out: every key, with the operator Exists."
    )
    operator: Literal["Exists", "Equal"] = Field(
        default="Equal", description="Exists takes any value of the taint, Equal the one that 'value' says."
    )
    value: LabelText | None = Field(default=None, description="Value of the taint. Left out: the empty one.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. Left out: each of them."
    )
    toleration_seconds: Annotated[int, Field(strict=True, ge=0, le=86_400)] | None = Field(
        default=None,
        description="How long a pod stays on a node that gets the taint, in seconds; only with NoExecute. Left out: "
        "for ever.",
    )

    @model_validator(mode="after")
    def _as_kubernetes_takes_it(self) -> Toleration:
        if self.operator == "Exists" and self.value is not None:
            raise contradiction(
                "'value' beside the operator Exists", "Exists takes any value", "leave out 'value'"
            )
        if self.key is None and self.operator == "Equal":
            raise contradiction(
                "no 'key' with the operator Equal",
                "a value is that of a key",
                "say 'key', or set operator to Exists",
            )
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise contradiction(
                "'tolerationSeconds' without the effect NoExecute",
                "only NoExecute takes pods away",
                "set effect to NoExecute, or leave out 'tolerationSeconds'",
            )
        return self

    def wire(self) -> dict[str, str | int]:
        """Return it as a pod says it."""
        return self.model_dump(by_alias=True, exclude_none=True)
