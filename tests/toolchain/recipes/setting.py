"""A stack setting: the label of the namespace by which costs are told."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated

_GENERATED = "tests/golden/test_generated.py"
_SCHEMA = f"{_GENERATED}::test_the_schema_for_editors_is_that_of_the_settings"
_PAGE = f"{_GENERATED}::test_the_page_of_settings_is_that_of_the_schema"
_ARGUMENTS = f"{_GENERATED}::test_the_arguments_of_the_components_are_the_settings"
_COMPONENTS = f"{_GENERATED}::test_the_page_of_components_is_that_of_their_code"
_NEXT_FIELD = "    hardware: Annotated[Hardware, ByPeople("
_FIELD = """    cost_center: LabelValue | None = Field(
        default=None, description="Label of the namespace by which costs are told. Left out: none."
    )
"""
_LABELS = "    return manifest(\n        plan,"
_LABEL = """    if plan.settings.cost_center is not None:
        pod_security["cost-center"] = plan.settings.cost_center
"""
_NEXT_SAMPLE = '    "hardware": '
_SAMPLE = '    "costCenter": Sample(value="platforms"),\n'

RECIPE = Recipe(
    heading="A stack setting",
    steps=(
        Step(
            path="onprem_agents/stack/settings.py",
            take=edited("onprem_agents/stack/settings.py", (_NEXT_FIELD, _FIELD + _NEXT_FIELD)),
        ),
        Step(
            path="onprem_agents/manifests/NOUN.py",
            take=edited(
                "onprem_agents/manifests/namespace.py",
                (_LABELS, _LABEL + _LABELS),
            ),
        ),
        Step(
            path="tests/components/test_every_setting.py",
            take=edited("tests/components/test_every_setting.py", (_NEXT_SAMPLE, _SAMPLE + _NEXT_SAMPLE)),
        ),
        Step(path="stacks/stack.schema.json", take=generated(_SCHEMA)),
        Step(path="docs/settings.md", take=generated(_PAGE)),
        Step(path="components/arguments.py", take=generated(_ARGUMENTS)),
        Step(path="docs/components.md", take=generated(_COMPONENTS)),
    ),
    checks=(_GENERATED, "tests/components/test_every_setting.py"),
)
