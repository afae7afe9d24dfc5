"""The typed stack config: what a platform engineer says, and nothing that can be derived.

The value of `onprem-coding-agents:platform` is read by `onprem_agents.stack.settings_reader`, a whole stack file by
`onprem_agents.stack.stack_file`. Each description says the unit, and what holds where the setting is left out.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from onprem_agents.stack.access import Access, Developer, Tls
from onprem_agents.stack.admission import AdmissionSettings
from onprem_agents.stack.by_people import ByPeople
from onprem_agents.stack.check import Check
from onprem_agents.stack.cost import Cost
from onprem_agents.stack.domain import (
    LabelValue,
    Namespace,
    ObjectName,
    Translation,
)
from onprem_agents.stack.hardware import Hardware
from onprem_agents.stack.images import Images
from onprem_agents.stack.kserve import KserveVersion
from onprem_agents.stack.model_role import ModelRole
from onprem_agents.stack.network import Network
from onprem_agents.stack.operator import Operator
from onprem_agents.stack.pods import PlatformName, PodIds, PulledImages
from onprem_agents.stack.section import Section, contradiction
from onprem_agents.stack.support import ToldSupport

__all__ = [
    "PROJECT",
    "Access",
    "Check",
    "Developer",
    "Hardware",
    "ModelRole",
    "Platform",
    "Queue",
    "Section",
    "Serving",
    "Timeouts",
    "Tls",
    "json_schema",
]

PROJECT = "onprem-coding-agents"
"""Name of the Pulumi project: the first half of each of its configuration keys."""

KUBERNETES_PLUGIN = "ONPREM_KUBERNETES_PLUGIN"
"""The environment variable with the version of the one Kubernetes provider that a machine has, such as 4.25.0."""


PullSecrets = Annotated[
    tuple[ObjectName, ...],
    Field(
        description="Existing Secrets of the namespace with which images are pulled; beside 'images.registry' Envoy's "
        "pods ask for the same in theirs. Left out: none."
    ),
]

ImageName = Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]+$", max_length=500)]
SOFTWARE = ByPeople("it is the software that reads every prompt")
CREDENTIALS = ByPeople("it says which credentials pods have")


class Serving(Section):
    """How KServe runs vLLM."""

    mode: Annotated[Literal["Standard", "Knative"], ByPeople("another one replaces every server")] = Field(
        default="Standard",
        description="KServe's deployment mode; Knative needs Knative Serving in the cluster. A change replaces each "
        "model server: nothing serves until the new ones have loaded.",
    )
    kserve: Annotated[KserveVersion | None, ByPeople("it is what the cluster has")] = Field(
        default=None,
        description="KServe release of the cluster, in quotes, e.g. '0.15'; before 0.16 it has other words for the "
        "modes. Left out: the newest that was tried.",
    )
    vllm: Annotated[str, Field(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$")] | None = Field(
        default=None,
        description="vLLM release of the image: flags and parsers are those of this release. Left out: the "
        "newest that is known ('onprem-agents catalog' lists them).",
    )
    image: Annotated[ImageName | None, SOFTWARE] = Field(
        default=None,
        description="Image of the model servers, with its registry: 'images.registry' does not stand before it. Left "
        "out: vLLM's own of that release, by its tag.",
    )
    image_pull_secrets: Annotated[PullSecrets, CREDENTIALS] = ()
    service_account: Annotated[ObjectName | None, CREDENTIALS] = Field(
        default=None,
        description="Existing ServiceAccount of the model servers. Left out: the namespace's default one.",
    )
    storage_secret: Annotated[ObjectName | None, CREDENTIALS] = Field(
        default=None,
        description="Existing Secret with S3 or Hugging Face credentials for the download. Left out: none, which "
        "does for public models.",
    )
    cuda_affinity: bool = Field(
        default=False,
        description="Whether pods go only to nodes whose driver knows the image's CUDA, by the labels of NVIDIA's GPU "
        "feature discovery; without those labels no node will do.",
    )
    download_mib_per_second: Annotated[int, Field(strict=True, ge=1, le=100_000)] = Field(
        default=100,
        description="Rate in MiB/s at which weights come from hf:// or s3://: load times are estimated with it. 100 is "
        "about what a line of 1 Gbit/s gives.",
    )


TurnSeconds = Annotated[int, Field(strict=True, ge=60, le=7200)]


class Timeouts(Section):
    """The two durations that all others are derived from."""

    longest_turn_seconds: TurnSeconds = Field(
        default=600,
        description="Longest turn of an agent, in seconds: every limit from server to client is derived from it.",
    )
    load_budget_seconds: Annotated[int, Field(strict=True, ge=300, le=14_400)] = Field(
        default=2700,
        description="Longest time from the start of a model's pod until it answers, in seconds, download included; a "
        "Job that downloads before has as long.",
    )


class Queue(Section):
    """Kueue objects for the pool; left out when the cluster has no Kueue."""

    cluster_queue: ObjectName | None = Field(
        default=None,
        description="Name of the ClusterQueue that is made; it is cluster-wide. Left out: the namespace's name and "
        "-gpu.",
    )
    existing_cluster_queue: ObjectName | None = Field(
        default=None,
        description="Existing ClusterQueue that admits the pods: then neither a ClusterQueue nor a flavor is made. "
        "Left out: one is made, with quota for all replicas and the pods of an update.",
    )
    local_queue: LabelValue = Field(
        default="coding-agents", description="Name of the LocalQueue in the stack's namespace."
    )

    @model_validator(mode="after")
    def _one_cluster_queue(self) -> Queue:
        if self.cluster_queue is not None and self.existing_cluster_queue is not None:
            raise contradiction(
                f"'clusterQueue' {self.cluster_queue} and 'existingClusterQueue' {self.existing_cluster_queue}",
                "the first is the name of one that is made, the second of one that is there",
                "say 'existingClusterQueue' for one that is there, 'clusterQueue' for one to make, never both",
            )
        return self


class Platform(Section):
    """The whole of `onprem-coding-agents:platform`."""

    namespace: Annotated[Namespace, ByPeople("everything would be made anew elsewhere")] = Field(
        default="coding-agents", description="Namespace that the stack makes and fills; one stack each."
    )
    hardware: Annotated[Hardware, ByPeople("others use the GPUs too, and somebody pays for them")] = Field(
        description="The GPU nodes."
    )
    models: tuple[ModelRole, ...] = Field(
        min_length=1, max_length=16, description="What is served: one entry for each role."
    )
    serving: Serving = Field(
        default=Serving(), description="How KServe runs vLLM. Left out: the defaults below."
    )
    access: Annotated[Access, ByPeople("it says who may call, and what developers connect to")] = Field(
        description="Who may call, and under which name."
    )
    translation: Annotated[Translation, ByPeople("it reads every prompt on its way")] = Field(
        default="native",
        description="What speaks the Anthropic API to Claude Code: vLLM itself (native), or a proxy in between.",
    )
    timeouts: Timeouts = Field(
        default=Timeouts(), description="The longest turn and the longest load. Left out: the defaults below."
    )
    queue: Annotated[Queue | None, ByPeople("others wait in the same queues")] = Field(
        default=None, description="Kueue objects for the pool. Left out: none are made."
    )
    platform: Annotated[PlatformName, ByPeople("it is what the cluster is made of")] = "upstream"
    network: Annotated[Network, ByPeople("it says what may leave the namespace")] = Field(
        default=Network(), description="What is around the namespace. Left out: the defaults below."
    )
    images: Annotated[PulledImages, SOFTWARE] = Images()
    pod_ids: Annotated[PodIds, ByPeople("it says as whom pods run")] = "fixed"
    support: Annotated[ToldSupport, ByPeople("developers turn to whom it names")] = None
    operator: Annotated[Operator | None, ByPeople("nobody widens their own rights")] = Field(
        default=None,
        description="An account for an agent that operates the stack: it looks at all but Secrets. Left out: none is "
        "made.",
    )
    admission: Annotated[AdmissionSettings | None, ByPeople("it says what the API server refuses")] = Field(
        default=None,
        description="Policies that the API server itself asks of all that comes into the namespace; they are "
        "cluster-wide objects. Left out: it asks none.",
    )
    cost: Annotated[Cost | None, ByPeople("it is what somebody pays")] = Field(
        default=None,
        description="What a GPU costs, the same for all or by accelerator and pool, for 'onprem-agents plan' and the "
        "report. Left out: no cost is told.",
    )
    check: Annotated[Check | None, ByPeople("it judges the work on the stack")] = Field(
        default=None,
        description="How the deployed platform is tried out, with the first developer's key, once its models are "
        "loaded; 'onprem-agents verify' does the same at any time. Left out: it is not.",
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `onprem-coding-agents:platform` for editors."""
    return Platform.model_json_schema(by_alias=True)
