"""`./dev down`: end what `./dev up` started."""

from __future__ import annotations

from embedded.cluster import Cluster
from embedded.layout import Layout
from embedded.progress import Progress


def down(layout: Layout, progress: Progress) -> None:
    """Stop every process of this checkout's cluster; its data stays for the next `up`."""
    cluster = Cluster(layout)
    if not cluster.parts() and not cluster.dead():
        progress.note("nothing is running")
        return
    cluster.stop(progress)
    progress.note(f"state kept in {layout.state}; delete that folder to begin anew")
