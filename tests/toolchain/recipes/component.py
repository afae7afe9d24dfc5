"""A component: what one pod of the namespace may ask for when it says nothing."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated, new

_OBJECTS = '''"""What a container of the namespace gets when it says nothing."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan import PlatformPlan


def pod_defaults(plan: PlatformPlan) -> Manifest:
    """Return the LimitRange."""
    limits = [{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]
    return manifest(plan, "v1", "LimitRange", "pod-defaults", component="pod-defaults", spec={"limits": limits})
'''
_COMPONENT = '''"""PodDefaults: what a container of the namespace gets when it says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.component import Component
from components.declaration import Declaration


@dataclass(frozen=True, kw_only=True)
class PodDefaultsArgs:
    """What is to be declared."""

    declaration: Declaration


class PodDefaults(Component):
    """The namespace's LimitRange."""

    def __init__(self, name: str, args: PodDefaultsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare it."""
        super().__init__(name, {}, opts)
        args.declaration.declare(self, name)
        self.register_outputs({})
'''
_BUNDLE = """        Bundle(
            group="pod-defaults",
            component="PodDefaults",
            objects=plain([pod_defaults(plan)]),
            after=("namespace",),
        ),
"""
_NEXT_BUNDLE = '        Bundle(\n            group="server-keys",'
_IMPORT = "from onprem_agents.plan import PlatformPlan"
_NEXT_IMPORT = "from .translation_proxy import"
_PART = """        PodDefaults(f"{name}-defaults", PodDefaultsArgs(declaration=declaration), child)
"""
_LAST_PART = '        ExternalIngress(f"{name}-ingress"'
_TOKEN = '        "platform-defaults": "onprem-coding-agents:index:PodDefaults",\n'
_LAST_TOKEN = '        "platform-ingress": "onprem-coding-agents:index:ExternalIngress",\n'

RECIPE = Recipe(
    heading="A component",
    steps=(
        Step(
            path="onprem_agents/manifests/NOUN.py",
            take=new("onprem_agents/manifests/pod_defaults.py", _OBJECTS),
        ),
        Step(
            path="onprem_agents/manifests/bundle.py",
            take=edited(
                "onprem_agents/manifests/bundle.py",
                ('    "namespace",\n', '    "namespace",\n    "pod-defaults",\n'),
                ('    "CodingPlatform", ', '    "CodingPlatform", "PodDefaults", '),
            ),
        ),
        Step(
            path="onprem_agents/manifests/platform.py",
            take=edited(
                "onprem_agents/manifests/platform.py",
                (_IMPORT, f"from onprem_agents.manifests.pod_defaults import pod_defaults\n{_IMPORT}"),
                (_NEXT_BUNDLE, _BUNDLE + _NEXT_BUNDLE),
            ),
        ),
        Step(path="components/NOUN.py", take=new("components/pod_defaults.py", _COMPONENT)),
        Step(
            path="components/coding_platform.py",
            take=edited(
                "components/coding_platform.py",
                (
                    _NEXT_IMPORT,
                    f"from .pod_defaults import PodDefaults, PodDefaultsArgs\n{_NEXT_IMPORT}",
                ),
                (_LAST_PART, _PART + _LAST_PART),
            ),
        ),
        Step(
            path="tests/components/test_coding_platform.py",
            take=edited("tests/components/test_coding_platform.py", (_LAST_TOKEN, _TOKEN + _LAST_TOKEN)),
        ),
        Step(path="tests/golden/manifests", take=generated("tests/golden/test_generated.py")),
    ),
    checks=(
        "tests/components/test_bundles.py",
        "tests/components/test_coding_platform.py",
        "tests/components/test_every_setting.py",
        "tests/golden/test_generated.py",
    ),
)
