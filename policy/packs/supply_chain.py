"""The pack `supply-chain`: what runs in the pods of model serving, and with which rights."""

from __future__ import annotations

from ..entry import Policy

POLICIES: tuple[Policy, ...] = (
    Policy(
        name="images-are-pinned",
        description="Images have a digest or the tag of a release, none that moves.",
        pack="supply-chain",
        level="advisory",
        tags=("images",),
        module="images",
        function="images_are_pinned",
        settings={
            "requireDigest": {"type": "boolean", "description": "Accept digests only.", "default": False}
        },
        bad="image: vllm/vllm-openai:latest",
        good="image: vllm/vllm-openai:v0.33.0  # or vllm/vllm-openai@sha256:…",
    ),
    Policy(
        name="registries-are-allowed",
        description="Images come from the registries that the configuration lists.",
        pack="supply-chain",
        level="mandatory",
        tags=("images",),
        module="images",
        function="registries_are_allowed",
        settings={
            "allowedRegistries": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Hosts, or hosts with the beginning of a path; without any, nothing is refused.",
                "default": [],
            }
        },
        bad="image: docker.io/vllm/vllm-openai:v0.33.0  # allowedRegistries: [registry.example.internal]",
        good="image: registry.example.internal/mirror/vllm/vllm-openai:v0.33.0",
    ),
    Policy(
        name="releases-are-not-denied",
        description="No pod runs a release that does harm by itself.",
        pack="supply-chain",
        level="mandatory",
        tags=("images", "advisories"),
        module="images",
        function="releases_are_not_denied",
        bad="image: ghcr.io/berriai/litellm:main-v1.82.8",
        good="image: ghcr.io/berriai/litellm:main-v1.109.1",
    ),
    Policy(
        name="releases-have-no-open-holes",
        description="No pod runs a release with a published hole that a newer one closes.",
        pack="supply-chain",
        level="advisory",
        tags=("images", "advisories"),
        module="images",
        function="releases_have_no_open_holes",
        bad="image: vllm/vllm-openai:v0.17.1",
        good="image: vllm/vllm-openai:v0.33.0",
    ),
    Policy(
        name="pods-leave-their-node-alone",
        description="No pod is privileged, joins the namespaces of its node or mounts the node's own folders.",
        pack="supply-chain",
        level="mandatory",
        tags=("pods",),
        module="pod_security",
        function="pods_leave_their_node_alone",
        bad="spec: {hostIPC: true}",
        good="volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 2Gi}}]  # at /dev/shm",
    ),
    Policy(
        name="node-folders-are-read-only",
        description="A folder of a node is mounted read-only where a model is served, or a part of it alone.",
        pack="supply-chain",
        level="advisory",
        tags=("pods",),
        module="pod_security",
        function="node_folders_are_read_only",
        bad="volumeMounts: [{name: weights, mountPath: /mnt/models}]  # weights: {hostPath: {path: /srv/models}}",
        good="volumeMounts: [{name: weights, mountPath: /mnt/models, readOnly: true}]",
    ),
    Policy(
        name="pods-are-restricted",
        description="Pods run without root, new privileges and capabilities, under the default seccomp profile.",
        pack="supply-chain",
        level="advisory",
        tags=("pods",),
        module="pod_security",
        function="pods_are_restricted",
        bad="securityContext: {}",
        good="securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}",
    ),
    Policy(
        name="pods-pass-their-namespace",
        description="Pods meet the Pod Security Standard that their namespace enforces.",
        pack="supply-chain",
        level="mandatory",
        tags=("pods",),
        module="pod_security",
        function="pods_pass_their_namespace",
        bad="hostIPC: true  # in a namespace with pod-security.kubernetes.io/enforce: restricted",
        good="securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}",
    ),
)
