"""The language host: programs, their output and their failures, and policy packs."""

from __future__ import annotations

from tests.provider.stack import Stack

POLICY = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def check(args, report):
    if args.resource_type.endswith(":ConfigMap") and args.props["data"].get("colour") == "pink":
        report("pink is not allowed; choose another colour")


PolicyPack("colours", policies=[ResourceValidationPolicy(
    name="no-pink", description="No pink.", validate=check, enforcement_level=EnforcementLevel.MANDATORY)])
"""


def test_what_a_program_prints_is_shown(stack: Stack) -> None:
    stack.program("print('a word from the program')")

    assert "a word from the program" in stack.up().text


def test_an_exception_shows_the_programs_own_lines_once(stack: Stack) -> None:
    stack.program("""
def deep():
    raise LookupError("no such thing")

deep()
""")

    outcome = stack.up(fails=True)

    report = outcome.text[outcome.text.index("Diagnostics:") :]
    assert report.count("LookupError: no such thing") == 1
    assert "in deep" in report
    assert "runpy" not in report
    assert "language_python" not in report


def test_a_run_error_is_shown_as_its_sentence(stack: Stack) -> None:
    stack.program("raise pulumi.RunError('platform: no such model')")

    outcome = stack.up(fails=True)

    assert "error: platform: no such model" in outcome.text
    assert "Traceback" not in outcome.text


def test_an_exit_code_of_the_program_fails_the_update(stack: Stack) -> None:
    stack.program("import sys; sys.exit(3)")
    assert "exit code 3" in stack.up(fails=True).text

    stack.program("import sys; sys.exit(0)")
    stack.up()


def test_a_failure_inside_an_output_fails_the_update(stack: Stack) -> None:
    stack.program("""
def fail(value):
    raise ValueError("cannot use " + value["name"])

config_map("settings", {"a": "1"})["metadata"].apply(fail)
""")

    assert "cannot use settings" in stack.up(fails=True).text


def test_configuration_and_secrets_reach_the_program(stack: Stack) -> None:
    stack.config("colour", "green")
    stack.config("key", "canary-config-1", secret=True)
    stack.program("""
config = pulumi.Config()
config_map("settings", {"colour": config.require("colour"), "key": config.require_secret("key")})
pulumi.export("dry", pulumi.runtime.is_dry_run())
""")

    stack.up()

    assert stack.get("ConfigMap", "settings")["data"] == {"colour": "green", "key": "canary-config-1"}
    assert stack.outputs() == {"dry": False}
    assert not any("canary-config-1" in text for text in stack.files().values())


def test_modules_beside_the_program_are_found_and_ours_are_not(stack: Stack) -> None:
    (stack.folder / "policy.py").write_text("WORD = 'from beside the program'\n")
    stack.program("""
import policy

pulumi.export("word", policy.WORD)
try:
    import components
    pulumi.export("leaked", components.__file__)
except ImportError:
    pass
""")

    stack.up()

    assert stack.outputs() == {"word": "from beside the program"}


def test_a_policy_pack_is_held_against_every_object(stack: Stack) -> None:
    pack = stack.folder / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(POLICY)

    stack.program("config_map('settings', {'colour': 'pink'})")
    refused = stack.up("--policy-pack", "pack", fails=True)
    assert "no-pink" in refused.text
    assert "pink is not allowed" in refused.text
    assert stack.find("ConfigMap", "settings") is None

    stack.program("config_map('settings', {'colour': 'green'})")
    assert stack.up("--policy-pack", "pack").changes == {"create": 1}
