"""Stand-in for `pulumi-resource-kubernetes`, for machines that cannot have the official plugin.

It serves the resource types of the `pulumi-kubernetes` SDK against a real API server with server-side apply,
and behaves like the official provider (4.34) where a program can tell. Left out on purpose: Helm, Kustomize
and YAML components, functions (`invoke`), client-side apply and rendering to a folder; each is refused with a
sentence. `tests/provider` holds what it must do and can be run against the official plugin too.
"""

from __future__ import annotations

NAME = "pulumi-resource-kubernetes (stand-in of onprem-coding-agents)"
