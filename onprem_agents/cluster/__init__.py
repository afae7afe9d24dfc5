"""What a cluster is asked: a small Kubernetes API client, and what a cluster lacks for a stack (`preflight`)."""

from onprem_agents.cluster.client import KubeClient, Object
from onprem_agents.cluster.discovery import Resource
from onprem_agents.cluster.refusal import ApiError, describe

__all__ = ["ApiError", "KubeClient", "Object", "Resource", "describe"]
