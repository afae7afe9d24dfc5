"""`./dev down`: end what `./dev up` started."""

from __future__ import annotations

from embedded.cluster import Cluster
from embedded.forget import forget as forget_all
from embedded.gateway import end
from embedded.layout import Layout
from embedded.progress import Progress


def down(layout: Layout, progress: Progress, *, forget: bool = False) -> None:
    """Stop every process of this checkout's cluster; its data stays for the next `up` unless it is forgotten."""
    end(layout, progress, keep_cluster=False)
    cluster = Cluster(layout)
    running = bool(cluster.parts() or cluster.dead())
    if running:
        cluster.stop(progress)
    else:
        progress.note("nothing is running")
    if forget:
        for sentence in forget_all(layout):
            progress.note(sentence)
    elif running:
        progress.note(f"state kept in {layout.state}; './dev down --forget' begins anew")
