"""A small Kubernetes API client; everything public is named here."""

from onprem.kube.client import KubeClient, Object
from onprem.kube.discovery import Resource
from onprem.kube.refusal import ApiError, describe

__all__ = ["ApiError", "KubeClient", "Object", "Resource", "describe"]
