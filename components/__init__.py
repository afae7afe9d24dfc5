"""The Pulumi components: what pure code decided, declared. Nothing is computed here."""

from . import extra as extra  # isort: split

from .arguments import (
    CodingPlatformArgs,
    ExternalIngressArgs,
    GatewayAuthArgs,
    GpuNodePoolArgs,
    InferenceServiceArgs,
    ServiceCheckArgs,
    TranslationProxyArgs,
)
from .coding_platform import CodingPlatform
from .external_ingress import ExternalIngress
from .gateway_auth import GatewayAuth
from .gpu_node_pool import GpuNodePool
from .inference_service import InferenceService
from .service_check import ServiceCheck
from .translation_proxy import TranslationProxy

__all__ = [
    "CodingPlatform",
    "CodingPlatformArgs",
    "ExternalIngress",
    "ExternalIngressArgs",
    "GatewayAuth",
    "GatewayAuthArgs",
    "GpuNodePool",
    "GpuNodePoolArgs",
    "InferenceService",
    "InferenceServiceArgs",
    "ServiceCheck",
    "ServiceCheckArgs",
    "TranslationProxy",
    "TranslationProxyArgs",
]
