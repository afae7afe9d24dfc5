"""A component: what one pod of the namespace may ask for when it says nothing."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated, new

_ARGUMENTS = '''class PodDefaultsArguments(Section):
    """What a container of a namespace gets when it says nothing."""

    namespace: ForeignNamespace = Field(description="Existing namespace of the containers.")


'''
_PART = '''@dataclass(frozen=True, kw_only=True)
class PodDefaultsPart(Part):
    """What a container of the namespace gets when it says nothing."""


'''
_PLAN = '''def plan_pod_defaults(raw: object, *, stack: str, source: str) -> PodDefaultsPart:
    """Plan the defaults of a namespace. Raises `InvalidInput` with all problems."""
    arguments = arguments_of(PodDefaultsArguments, raw, stack=stack, source=source)
    return PodDefaultsPart(stack=stack, namespace=arguments.namespace)


'''
_PART_OF_A_PLATFORM = '''    @property
    def pod_defaults_part(self) -> PodDefaultsPart:
        """What a container of the platform gets when it says nothing."""
        return PodDefaultsPart(stack=self.stack, namespace=self.namespace)

'''
_OBJECTS = '''"""What a container of the namespace gets when it says nothing."""

from __future__ import annotations

from onprem_agents.manifests.meta import Manifest, manifest
from onprem_agents.plan.parts import PodDefaultsPart


def pod_defaults(part: PodDefaultsPart) -> Manifest:
    """Return the LimitRange."""
    limits = [{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]
    return manifest(part, "v1", "LimitRange", "pod-defaults", component="pod-defaults", spec={"limits": limits})
'''
_BUNDLES = '''def pod_defaults_bundles(part: PodDefaultsPart) -> tuple[Bundle, ...]:
    """Return what a container of the namespace gets when it says nothing."""
    return (
        Bundle(
            group="pod-defaults",
            component="PodDefaults",
            objects=plain([pod_defaults(part)]),
            after=("namespace",),
        ),
    )


'''
_COMPONENT = '''"""PodDefaults: what a container of the namespace gets when it says nothing."""

import pulumi

from onprem_agents.manifests.platform import pod_defaults_bundles
from onprem_agents.plan.plan_parts import plan_pod_defaults

from .arguments import PodDefaultsArgs
from .component import Component
from .planning import planning


class PodDefaults(Component):
    """The namespace's LimitRange."""

    namespace: pulumi.Output[str]
    """Namespace of the containers."""

    def __init__(self, name: str, args: PodDefaultsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare it."""
        plan = planning(self, name, args, plan=plan_pod_defaults, bundles=pod_defaults_bundles)
        super().__init__(name, {"namespace": plan.tell(lambda part: part.namespace)}, opts)
        plan.declare(self, lambda planned: planned.declaration.declare(self, name))
        self.namespace = plan.tell(lambda part: part.namespace)
        self.register_attributes()
'''
_EXAMPLE = '''    "PodDefaults": """
from onprem_agents_components import PodDefaults

defaults = PodDefaults(
    "defaults",
    {"namespace": "agents"},
)
""",
'''
_TOKEN = '        "platform-defaults": "onprem-coding-agents:index:PodDefaults",\n'
_LAST_TOKEN = '        "platform-ingress": "onprem-coding-agents:index:ExternalIngress",\n'


def _before(path: str, *places: tuple[str, str]) -> Step:
    """Return the step that puts texts in front of others."""
    return Step(path=path, take=edited(path, *((place, text + place) for place, text in places)))


RECIPE = Recipe(
    heading="A component",
    steps=(
        _before("onprem_agents/stack/parts.py", ("class PoolArguments(Section):", _ARGUMENTS)),
        _before(
            "onprem_agents/plan/parts.py", ("@dataclass(frozen=True, kw_only=True)\nclass PoolPart", _PART)
        ),
        _before(
            "onprem_agents/plan/plan_parts.py",
            ("def plan_pool(", _PLAN),
            (
                "from onprem_agents.plan.parts import",
                "from onprem_agents.plan.parts import PodDefaultsPart\n",
            ),
            (
                "from onprem_agents.stack.parts import",
                "from onprem_agents.stack.parts import PodDefaultsArguments\n",
            ),
        ),
        _before(
            "onprem_agents/plan/platform.py",
            ("    @property\n    def pool_part(", _PART_OF_A_PLATFORM),
            (
                "from onprem_agents.plan.parts import",
                "from onprem_agents.plan.parts import PodDefaultsPart\n",
            ),
        ),
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
        _before(
            "onprem_agents/manifests/platform.py",
            ("def pool_bundles(", _BUNDLES),
            ("        *pool_bundles(", "        *pod_defaults_bundles(plan.pod_defaults_part),\n"),
            (
                "from onprem_agents.manifests.traffic_policies import",
                "from onprem_agents.manifests.pod_defaults import pod_defaults\n",
            ),
            ("from onprem_agents.plan import", "from onprem_agents.plan.parts import PodDefaultsPart\n"),
        ),
        _before(
            "components/sections.py",
            ('    "GpuNodePool": ', '    "PodDefaults": Arguments(PodDefaultsArguments),\n'),
            (
                "from onprem_agents.stack.parts import",
                "from onprem_agents.stack.parts import PodDefaultsArguments\n",
            ),
        ),
        Step(
            path="components/arguments.py",
            take=generated(
                "tests/golden/test_generated.py::test_the_arguments_of_the_components_are_the_settings"
            ),
        ),
        Step(path="components/NOUN.py", take=new("components/pod_defaults.py", _COMPONENT)),
        _before(
            "components/coding_platform.py",
            (
                "        GpuNodePool(",
                '        PodDefaults(f"{name}-defaults", planned.of(plan.pod_defaults_part), child)\n',
            ),
            ("from .translation_proxy import", "from .pod_defaults import PodDefaults\n"),
        ),
        _before(
            "components/__init__.py",
            ("    TranslationProxyArgs,\n)", "    PodDefaultsArgs,\n"),
            ("from .translation_proxy import", "from .pod_defaults import PodDefaults\n"),
            ('    "TranslationProxy",\n', '    "PodDefaults",\n    "PodDefaultsArgs",\n'),
        ),
        _before("tools/component_examples.py", ('    "GpuNodePool": """', _EXAMPLE)),
        Step(
            path="docs/components.md",
            take=generated(
                "tests/golden/test_generated.py::test_the_page_of_components_is_that_of_their_code"
            ),
        ),
        _before(
            "tests/components/component_samples.py",
            ('    "GpuNodePool": {"accelerator"', '    "PodDefaults": {"namespace": "agents"},\n'),
            ('    "GpuNodePool": {"kubernetes', '    "PodDefaults": {"kubernetes:core/v1:LimitRange"},\n'),
        ),
        _before("tests/components/test_coding_platform.py", (_LAST_TOKEN, _TOKEN)),
        Step(
            path="tests/golden/manifests",
            take=generated("tests/golden/test_generated.py", "-k", "rendered_manifests"),
        ),
    ),
    checks=(
        "tests/golden/test_generated.py",
        "tests/components/test_component_page.py",
        "tests/components/test_analyzer.py",
        "tests/components/test_bundles.py",
        "tests/components/test_coding_platform.py",
        "tests/components/test_standalone.py",
    ),
)
