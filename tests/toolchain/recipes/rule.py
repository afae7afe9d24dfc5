"""A rule of the policy pack: an image is not pulled at every start."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated, new

_RULE = '''"""images-are-pulled-once: a server that asks a registry at every start does not start while it is away."""

from __future__ import annotations

from policy.containers import KSERVE
from policy.graph import Graph, Violation, dig


def images_are_pulled_once(graph: Graph) -> list[Violation]:
    """No server's container pulls its image always. One that is only known at run time is accepted."""
    return [
        Violation(
            resource=resource,
            message=f"{resource} pulls its image at every start. Leave imagePullPolicy out.",
        )
        for resource in graph.of_kind(KSERVE, "InferenceService")
        for container in dig(resource.props, "spec", "predictor", "containers") or []
        if container.get("imagePullPolicy") == "Always"
    ]
'''
_NEXT_ENTRY = '    Policy(\n        name="serving-can-be-checked"'
_ENTRY = """    Policy(
        name="images-are-pulled-once",
        description="No model server pulls its image at every start.",
        pack="serving",
        level="mandatory",
        tags=("images",),
        module="pulled_once",
        function="images_are_pulled_once",
        bad="imagePullPolicy: Always",
        good="imagePullPolicy: IfNotPresent",
    ),
"""
_NEXT_ROW = '    "unknown model": (\n'
_ROW = """    "pulled at every start": (
        put(*CONTAINER, "imagePullPolicy", value="Always"),
        "images-are-pulled-once",
        "Leave imagePullPolicy out",
    ),
"""

RECIPE = Recipe(
    heading="A rule of the policy pack",
    steps=(
        Step(path="policy/rules/NAME.py", take=new("policy/rules/pulled_once.py", _RULE)),
        Step(
            path="policy/packs/PACK.py",
            take=edited("policy/packs/serving.py", (_NEXT_ENTRY, _ENTRY + _NEXT_ENTRY)),
        ),
        Step(
            path="tests/policy/test_mutations.py",
            take=edited("tests/policy/test_mutations.py", (_NEXT_ROW, _ROW + _NEXT_ROW)),
        ),
        Step(path="docs/policies.md", take=generated("tests/golden/test_pages.py")),
    ),
    checks=("tests/policy/test_mutations.py", "tests/policy/test_table.py", "tests/golden/test_pages.py"),
)
