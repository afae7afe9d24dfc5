"""Makes the official Kubernetes provider compile beside the engine, and end with it.

Why it is built and not fetched: docs/adr/0009-official-kubernetes-provider.md.
"""

from __future__ import annotations

from embedded.toolchain.patch import Document, Edit, Patch

VERSION = "4.25.0"
"""The version that the source is: the pinned commit is the provider's tag v4.25.0."""

_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_COMMAND = "cmd/pulumi-resource-kubernetes"

# A plugin of Pulumi asks every five minutes whether its engine still answers (sdk/v3 3.259, provider/main.go, read
# 2026-11); after a killed engine it would go on for as long. This one looks for its parent.
_WATCH = """package main

import (
\t"os"
\t"time"
)

func init() {
\tengine := os.Getppid()
\tgo func() {
\t\tfor os.Getppid() == engine {
\t\t\ttime.Sleep(500 * time.Millisecond)
\t\t}
\t\tos.Exit(0)
\t}()
}
"""

PATCH = Patch(
    module=_MODULE,
    title="patch for the Kubernetes provider",
    home="embedded/toolchain/provider_patch.py",
    # The engine's pkg/v3 3.259 has a pointer here; the provider was written for 3.215 (read 2026-11).
    edits=(
        Edit(
            file="pkg/gen/schema.go",
            old="Provider: pschema.ResourceSpec{",
            new="Provider: &pschema.ResourceSpec{",
        ),
    ),
    # What the module's own generate.go writes for the compiler to embed (v4.25.0, read 2026-11).
    documents=(
        Document(
            source=f"{_COMMAND}/schema.json",
            file=f"{_COMMAND}/schema-embed.json",
            values={"version": VERSION},
        ),
        Document(
            source=f"{_COMMAND}/terraform-mapping.json",
            file=f"{_COMMAND}/terraform-mapping-embed.json",
        ),
    ),
    added={f"{_COMMAND}/watch.go": _WATCH},
)
