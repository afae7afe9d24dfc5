"""What is known about models, accelerators and tiers: data with source and date, read once.

    catalog = load_catalog()
    model = catalog.model("Qwen/Qwen3.6-27B-FP8")            # by name, alias or Hugging Face id, any case
    variant = model.variant("fp8")                           # by precision or by Hugging Face id
    gpu = catalog.accelerator("l40s")
    tier = catalog.tier("48gb")

A name that is not there raises `onprem_agents.errors.UnknownFact`, which offers the nearest ones; one of other times
or other engines raises its kind `FormerName`, which says what became of it. Checkpoints that
nobody listed are sized by the model that `catalog.resembling(name)` tells from their names.
"""

from onprem_agents.catalog.accelerator import Accelerator, Host, MigSlice
from onprem_agents.catalog.attention import (
    Architecture,
    AttentionLayers,
    CacheReaders,
    ChunkedAttention,
    CompressedAttention,
    Experts,
    FullAttention,
    GatedDeltaNet,
    KimiDelta,
    LatentAttention,
    Mamba2,
    SlidingWindow,
)
from onprem_agents.catalog.build import BUILDS, Build
from onprem_agents.catalog.cluster_software import ClusterSoftware, numbers
from onprem_agents.catalog.conflict import Conflict, Side
from onprem_agents.catalog.device import (
    DEVICES,
    SHARED_CORES,
    SHARED_MEMORY,
    Device,
    Vendor,
    is_gpu_resource,
    is_product_label,
    mig_labels,
    mig_resource,
)
from onprem_agents.catalog.fact import Source
from onprem_agents.catalog.former import FormerModel, FormerSetting
from onprem_agents.catalog.knative_features import (
    DEFAULTS,
    FEATURES,
    KNATIVE_NAMESPACE,
    LONGEST_KEY,
    LONGEST_SECONDS,
    feature_value,
    features_needed,
    never_taken,
)
from onprem_agents.catalog.kserve import KserveRelease
from onprem_agents.catalog.loader import Catalog, load_catalog
from onprem_agents.catalog.model import (
    SAMPLING_PARAMETERS,
    AgentSupport,
    Model,
    Part,
    Precision,
    Sampling,
    Variant,
)
from onprem_agents.catalog.parameters import Parameters, parameters_of
from onprem_agents.catalog.platform import ClusterPlatform, Mark, Preset
from onprem_agents.catalog.quality import Quality
from onprem_agents.catalog.resembling import Resemblance
from onprem_agents.catalog.server_option import ServerOption, ServerVariable
from onprem_agents.catalog.serving_image import ServingImage, release_in_tag
from onprem_agents.catalog.serving_runtime import BuiltInRuntime
from onprem_agents.catalog.thinking import Effort, Marks, ThinkingControl
from onprem_agents.catalog.tier import Tier

__all__ = [
    "BUILDS",
    "DEFAULTS",
    "DEVICES",
    "FEATURES",
    "KNATIVE_NAMESPACE",
    "LONGEST_KEY",
    "LONGEST_SECONDS",
    "SAMPLING_PARAMETERS",
    "SHARED_CORES",
    "SHARED_MEMORY",
    "Accelerator",
    "AgentSupport",
    "Architecture",
    "AttentionLayers",
    "Build",
    "BuiltInRuntime",
    "CacheReaders",
    "Catalog",
    "ChunkedAttention",
    "ClusterPlatform",
    "ClusterSoftware",
    "CompressedAttention",
    "Conflict",
    "Device",
    "Effort",
    "Experts",
    "FormerModel",
    "FormerSetting",
    "FullAttention",
    "GatedDeltaNet",
    "Host",
    "KimiDelta",
    "KserveRelease",
    "LatentAttention",
    "Mamba2",
    "Mark",
    "Marks",
    "MigSlice",
    "Model",
    "Parameters",
    "Part",
    "Precision",
    "Preset",
    "Quality",
    "Resemblance",
    "Sampling",
    "ServerOption",
    "ServerVariable",
    "ServingImage",
    "Side",
    "SlidingWindow",
    "Source",
    "ThinkingControl",
    "Tier",
    "Variant",
    "Vendor",
    "feature_value",
    "features_needed",
    "is_gpu_resource",
    "is_product_label",
    "load_catalog",
    "mig_labels",
    "mig_resource",
    "never_taken",
    "numbers",
    "parameters_of",
    "release_in_tag",
]
