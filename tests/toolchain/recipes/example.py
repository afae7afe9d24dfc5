"""An example: a program that greets."""

from __future__ import annotations

from tests.toolchain.recipes.walking import Recipe, Step, edited, new

_README = """# A greeting

## Run

```sh
pulumi stack init dev
pulumi up
```

## What you see

`pulumi stack output greeting`.

## Clean up

```sh
pulumi destroy
pulumi stack rm dev --yes
```
"""
_PROJECT = "name: greeting\nruntime: python\n"
_PROGRAM = '"""A greeting."""\n\nimport pulumi\n\npulumi.export("greeting", "hello")\n'
_LINE = "| [two-teams](two-teams/README.md) |"
_NEW_LINE = "| [greeting](greeting/README.md) | a greeting |\n"
_ON_MOCKS = """def test_two_teams_share_no_object("""
_NEW_ON_MOCKS = """def test_a_greeting_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    run = ExampleProject(EXAMPLES / "greeting").run(monkeypatch)

    assert run.outputs == {"greeting": "hello"}


"""
_FOR_REAL = "def test_two_teams_share_no_object_and_one_goes_"
_NEW_FOR_REAL = """def test_a_greeting_is_told(start: Start) -> None:
    example = start("greeting")
    example.type("Run")
    assert example.outputs("dev") == {"greeting": "hello"}
    example.type("Clean up")


"""

RECIPE = Recipe(
    heading="An example",
    steps=(
        Step(path="examples/NAME/Pulumi.yaml", take=new("examples/greeting/Pulumi.yaml", _PROJECT)),
        Step(path="examples/NAME/__main__.py", take=new("examples/greeting/__main__.py", _PROGRAM)),
        Step(path="examples/NAME/README.md", take=new("examples/greeting/README.md", _README)),
        Step(path="examples/README.md", take=edited("examples/README.md", (_LINE, _NEW_LINE + _LINE))),
        Step(
            path="tests/components/test_examples.py",
            take=edited("tests/components/test_examples.py", (_ON_MOCKS, _NEW_ON_MOCKS + _ON_MOCKS)),
        ),
        Step(
            path="tests/cluster/test_examples.py",
            take=edited("tests/cluster/test_examples.py", (_FOR_REAL, _NEW_FOR_REAL + _FOR_REAL)),
        ),
    ),
    checks=("tests/components/test_example_folders.py", "tests/components/test_examples.py"),
)
