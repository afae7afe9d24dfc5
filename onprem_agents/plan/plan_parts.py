"""The arguments of one component → its part, or every problem at once, told at the arguments.

Nothing is decided here that a platform's plan does not decide by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from onprem_agents.catalog import Catalog, load_catalog
from onprem_agents.errors import InvalidInput, Problem, UnknownFact
from onprem_agents.plan.derive import plan_stack
from onprem_agents.plan.derive_connection import stack_name_problems
from onprem_agents.plan.derive_pool import queues_for
from onprem_agents.plan.derive_servers import Servers
from onprem_agents.plan.images import digests_of_others, each_once, server_images
from onprem_agents.plan.maker import share_problems, slice_problems
from onprem_agents.plan.names import own_key_secret
from onprem_agents.plan.parts import AuthPart, PoolPart, ServerPart
from onprem_agents.plan.platform import PlatformPlan
from onprem_agents.plan.pool import Pool
from onprem_agents.plan.pools import pool_named, shared
from onprem_agents.plan.presets import marks_of, with_presets
from onprem_agents.plan.site import folders_of_nobody
from onprem_agents.plan.wording import AS_ARGUMENTS, OF_A_PLATFORM, OF_A_SERVER
from onprem_agents.stack.domain import DeveloperName
from onprem_agents.stack.parts import AuthArguments, PoolArguments, ServerArguments
from onprem_agents.stack.section import Section
from onprem_agents.stack.section_reader import read_section, shown

SomeSection = TypeVar("SomeSection", bound=Section)
_DEVELOPER = TypeAdapter(DeveloperName)


def plan_platform(raw: object, *, stack: str, source: str, catalog: Catalog | None = None) -> PlatformPlan:
    """Plan a platform from arguments, which are the settings of a stack file. Raises `InvalidInput`."""
    try:
        return plan_stack(raw, stack=stack, source=source, catalog=catalog)
    except InvalidInput as error:
        raise InvalidInput(source, OF_A_PLATFORM.problems(error.problems)) from None


def plan_pool(raw: object, *, stack: str, source: str, catalog: Catalog | None = None) -> PoolPart:
    """Plan a pool that stands alone. Raises `InvalidInput` with all problems."""
    catalog = catalog or load_catalog()
    arguments = arguments_of(PoolArguments, raw, stack=stack, source=source, catalog=catalog)
    pool = _pool(arguments, arguments.taint, catalog)
    problems = list(_kind_problems(pool, arguments))
    if problems:
        raise InvalidInput(source, problems)
    return PoolPart(
        stack=stack,
        namespace=arguments.namespace,
        pools=(pool,),
        queues=queues_for(arguments.queue, arguments.namespace),
        free_gpus=pool.gpus_per_node,
    )


def plan_server(
    raw: object, *, stack: str, source: str, has_key: bool = False, catalog: Catalog | None = None
) -> ServerPart:
    """Plan a model server that stands alone; `has_key` tells whether a key is given beside the arguments.

    Raises `InvalidInput` with all problems: of form, of unknown names, and of a model that does not fit.
    """
    catalog = catalog or load_catalog()
    if isinstance(raw, Mapping):
        raw = with_presets(raw, catalog, above="serving.")
    arguments = arguments_of(ServerArguments, raw, stack=stack, source=source, catalog=catalog)
    pool = _pool(arguments, True, catalog)
    decided = Servers(
        namespace=arguments.namespace,
        pools=(pool,),
        models=(arguments,),
        serving=arguments,
        timeouts=arguments,
        images=arguments.images,
        catalog=catalog,
    ).decide()
    problems = OF_A_SERVER.problems([*decided.problems, *folders_of_nobody((arguments,), arguments.pod_ids)])
    problems += _kind_problems(pool, arguments)
    if has_key and arguments.key_secret is not None:
        problems.append(_two_keys(arguments.key_secret))
    for serving in decided.serving:
        uses = each_once(server_images(serving, arguments, arguments.images))
        problems += digests_of_others(arguments.images, uses, where="images")
    if problems:
        raise InvalidInput(source, problems)
    (serving,) = decided.serving
    labels, annotations = marks_of(arguments.platform, serving, arguments.namespace, catalog)
    key_secret = own_key_secret(serving.role) if has_key else arguments.key_secret
    notes = tuple(OF_A_SERVER.text(note) for note in serving.notes)
    return ServerPart(
        stack=stack,
        namespace=arguments.namespace,
        notes=(*notes, *_without_key(serving.predictor_service, key_secret)),
        serving=replace(serving, notes=notes),
        mode=arguments.mode,
        image_pull_secrets=arguments.image_pull_secrets,
        service_account=arguments.service_account,
        storage_secret=arguments.storage_secret,
        priority_class=arguments.priority_class,
        local_queue=arguments.local_queue,
        key_secret=key_secret,
        owns_key=has_key,
        images=arguments.images,
        pod_ids=arguments.pod_ids,
        download_proxy=arguments.download_proxy,
        labels=labels,
        annotations=annotations,
        kserve=catalog.kserve(arguments.kserve),
    )


def plan_auth(raw: object, *, stack: str, source: str, developers: Sequence[str]) -> AuthPart:
    """Plan who may call; `developers` are those whose keys are given beside the arguments. Raises `InvalidInput`."""
    others = list(_developer_problems(developers))
    arguments = arguments_of(AuthArguments, raw, stack=stack, source=source, others=others)
    return AuthPart(
        stack=stack,
        namespace=arguments.ingress.namespace,
        gateway=arguments.ingress.gateway,
        routes=arguments.ingress.routes,
        developers=tuple(sorted(developers)),
    )


def arguments_of(
    section: type[SomeSection],
    raw: object,
    *,
    stack: str,
    source: str,
    catalog: Catalog | None = None,
    others: Sequence[Problem] = (),
) -> SomeSection:
    """Return the arguments of a component. Raises `InvalidInput` with all problems of form and of names.

    `others` are problems that were found beside them.
    """
    arguments, problems = None, [*others, *stack_name_problems(stack)]
    if isinstance(raw, Mapping):
        arguments, found = read_section(section, raw, AS_ARGUMENTS)
        problems = [*found, *(names_unknown(section, raw, catalog) if catalog is not None else ()), *problems]
    else:
        problems.insert(0, no_map(raw))
    if arguments is None or problems:
        raise InvalidInput(source, problems)
    return arguments


def names_unknown(section: type[Section], raw: Mapping[str, Any], catalog: Catalog) -> Iterator[Problem]:
    """Yield the names among arguments that the catalogue does not know, whatever else is wrong with them."""
    look_ups: dict[str, Callable[[str], object]] = {
        "accelerator": catalog.accelerator,
        "model": catalog.model_and_variant,
    }
    for key, look_up in look_ups.items():
        name = raw.get(key)
        if key in section.model_fields and isinstance(name, str) and name:
            try:
                look_up(name)
            except UnknownFact as error:
                yield error.problem(key)


def no_map(given: object) -> Problem:
    """Return the problem of arguments that are none."""
    return Problem(
        where="args",
        cause="wrong-shape",
        found=type(given).__name__,
        why="a component's arguments are a map from names to values",
        fix="give a dict, or the component's own type of arguments",
    )


def _pool(arguments: PoolArguments | ServerArguments, taint: bool, catalog: Catalog) -> Pool:
    pool = pool_named(
        None,
        namespace=arguments.namespace,
        accelerator=arguments.accelerator,
        gpus_per_node=arguments.gpus_per_node,
        nodes=arguments.nodes or len(arguments.node_names) or 1,
        node_names=arguments.node_names,
        mig_strategy=arguments.mig_strategy,
        catalog=catalog,
    )
    pool = replace(pool, taint=taint)
    return pool if arguments.share is None else shared(pool, arguments.share, arguments.platform, catalog)


def _kind_problems(pool: Pool, arguments: PoolArguments | ServerArguments) -> Iterator[Problem]:
    yield from slice_problems(pool, arguments.mig_strategy)
    yield from share_problems(pool)


def _two_keys(secret: str) -> Problem:
    return Problem(
        where="keySecret",
        cause="contradiction",
        found=f"the Secret {secret} beside a key",
        why="a server asks for one key",
        fix="leave out keySecret, or the key (serverKey)",
    )


def _without_key(service: str, key_secret: str | None) -> Iterator[str]:
    if key_secret is None:
        yield (
            f"{service} asks for no key: whoever reaches its pods may use the model; give serverKey or keySecret, or "
            "keep others away by a NetworkPolicy"
        )


def _developer_problems(developers: Sequence[str]) -> Iterator[Problem]:
    if not developers:
        yield Problem(
            where="developerKeys",
            cause="missing-secret",
            found="nobody",
            why="without a key nobody may call",
            fix="give at least one developer a key",
        )
    for name in sorted(developers):
        try:
            _DEVELOPER.validate_python(name)
        except ValidationError as error:
            for finding in error.errors()[0].get("ctx", {}).get("refusals", ()):
                yield finding.at(f"developerKeys.{shown(name)}", shown(name))
