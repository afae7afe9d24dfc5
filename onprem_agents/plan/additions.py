"""All that a role gives beside its settings, judged at once: options, variables, and where its pods may run."""

from __future__ import annotations

from onprem_agents.catalog import Catalog, Model
from onprem_agents.plan.extra_args import Given, against_the_model, examine
from onprem_agents.plan.maker import maker_notes, model_problems, prefix_notes
from onprem_agents.plan.own_flags import OwnFlags
from onprem_agents.plan.pod_settings import node_notes, node_problems
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.server_environment import environment_notes, environment_problems
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import Release


def additions(
    role: ModelRole,
    model: Model,
    own: OwnFlags,
    pool: Pool,
    *,
    where: str,
    version: str,
    release: Release,
    catalog: Catalog,
) -> Given:
    """Return what is wrong with what the role gives beside its settings, and what must be known of it."""
    words = examine(role, where=where, version=version, release=release, catalog=catalog)
    of_model = against_the_model(role, model, own, where=where, release=release)
    return Given(
        problems=(
            *words.problems,
            *of_model.problems,
            *environment_problems(role, where=where, catalog=catalog),
            *node_problems(role, pool, where=where),
            *model_problems(role, pool, where=where),
        ),
        notes=(
            *words.notes,
            *of_model.notes,
            *environment_notes(role, where=where, catalog=catalog),
            *node_notes(role, pool, where=where),
            *maker_notes(pool),
            *prefix_notes(role, model, pool, where=where),
        ),
    )
