"""A small Kubernetes API client; everything public is named here."""

from onprem.kube.client import ApiError, KubeClient, Object, describe
from onprem.kube.discovery import Resource

__all__ = ["ApiError", "KubeClient", "Object", "Resource", "describe"]
