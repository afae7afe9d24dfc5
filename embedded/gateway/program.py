"""The program of a trial: the stack's own, run as it is, with what leads to the models redirected.

It stands as `__main__.py` in the project that `embedded.gateway.trial` makes, beside the file with the addresses.
"""

import runpy
import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from components.kubernetes_object import KubernetesObject
from embedded.gateway.redirect import Redirect, redirected
from embedded.gateway.trial import REDIRECT_FILE
from onprem_agents.errors import OnpremError
from onprem_agents.manifests import Manifest, render
from onprem_agents.plan import plan_stack

CHECKOUT = Path(__file__).resolve().parents[2]
Identity = tuple[str, str, str, str]


def changed_objects() -> dict[Identity, Manifest]:
    """Return the objects of this stack that are not what they are without a trial."""
    stack = pulumi.get_stack()
    try:
        plan = plan_stack(pulumi.Config().get_object("platform"), stack=stack, source=f"Pulumi.{stack}.yaml")
        objects = render(plan)
    except OnpremError as error:
        raise pulumi.RunError(str(error)) from None
    redirect = Redirect.read(Path(__file__).with_name(REDIRECT_FILE))
    return {identity(each): each for each in redirected(plan, objects, redirect) if each not in objects}


def identity(manifest: Manifest) -> Identity:
    """Return what tells an object of the stack from the others."""
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]


changed = changed_objects()
namespace: list[pulumi.Resource] = []


def redirect_resource(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Give a resource its changed form, once."""
    if not args.type_.startswith("kubernetes:"):
        return None
    if args.props["kind"] == "Namespace":
        namespace.append(args.resource)
    wanted = changed.pop(identity(dict(args.props)), None)
    return None if wanted is None else pulumi.ResourceTransformationResult(props=wanted, opts=args.opts)


pulumi.runtime.register_stack_transformation(redirect_resource)
stack_program = runpy.run_path(str(CHECKOUT / "__main__.py"), run_name="__main__")


def add_backends(_: object) -> None:
    """Declare what the stack's program does not: only Backends can be missing there."""
    for added in list(changed.values()):
        if added["kind"] != "Backend":
            raise pulumi.RunError(
                f"the stack's program has no {added['kind']} {added['metadata']['name']}, which the trial redirects"
            )
        options = pulumi.ResourceOptions(depends_on=namespace)
        KubernetesObject(f"trial-{added['metadata']['name']}", added, options)


# The platform tells where it is once all of its objects are declared.
stack_program["platform"].host.apply(add_backends)
