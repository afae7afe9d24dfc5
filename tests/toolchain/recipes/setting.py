"""A stack setting: the priority of the serving pods."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, generated

_GENERATED = "tests/golden/test_generated.py"
_SCHEMA = f"{_GENERATED}::test_the_schema_for_editors_is_that_of_the_settings"
_PAGE = f"{_GENERATED}::test_the_page_of_settings_is_that_of_the_schema"
_ARGUMENTS = f"{_GENERATED}::test_the_arguments_of_the_components_are_the_settings"
_NEXT_FIELD = "    taint: bool"
_FIELD = """    priority: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] = Field(
        default=100_000, description="priority of the serving pods; batch work has 0"
    )
"""
_NEXT_SAMPLE = '    "hardware.taint": '
_SAMPLE = '    "hardware.priority": Sample(value=200_000),\n'

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
                "onprem_agents/manifests/gpu_node_pool.py",
                ("value=_PRIORITY", "value=plan.settings.hardware.priority"),
            ),
        ),
        Step(
            path="tests/components/test_every_setting.py",
            take=edited("tests/components/test_every_setting.py", (_NEXT_SAMPLE, _SAMPLE + _NEXT_SAMPLE)),
        ),
        Step(path="stacks/stack.schema.json", take=generated(_SCHEMA)),
        Step(path="docs/settings.md", take=generated(_PAGE)),
        Step(path="components/arguments.py", take=generated(_ARGUMENTS)),
    ),
    checks=("tests/components/test_every_setting.py", _GENERATED),
)
