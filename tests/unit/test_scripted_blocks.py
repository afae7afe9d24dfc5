"""The scripted model and an agent that takes edits as text (aider): blocks of whole lines, a command to offer."""

from __future__ import annotations

from typing import Any

import pytest

from scripted_model.script import next_turn
from scripted_model.turn import Asked, Entry, Tool

pytestmark = pytest.mark.unit

SYSTEM = "Return each change as a *SEARCH/REPLACE block*."
REPAIR = 'read calc.py, replace "a - b" with "a + b", then run "python3 check.py"'


def answer(*entries: tuple[str, str], **fields: Any) -> str:
    told = tuple(Entry(role=role, text=text) for role, text in entries)  # type: ignore[arg-type] # literals
    turn = next_turn(Asked(api="chat", model="coder", entries=told, **fields))
    assert turn.calls == ()
    return turn.text


def test_a_new_file_is_a_block_with_nothing_to_search_for() -> None:
    text = answer(("system", SYSTEM), ("user", "create hello.txt containing the word hi"))
    assert text == "hello.txt\n```\n<<<<<<< SEARCH\n=======\nhi\n>>>>>>> REPLACE\n```"


def test_an_edit_takes_the_whole_line_of_the_file_once_it_was_shown() -> None:
    file = "calc.py\n```\ndef add(a, b):\n    return a - b\n```"
    text = answer(("system", SYSTEM), ("user", file), ("user", REPAIR))
    assert "<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE" in text
    assert text.endswith("```bash\npython3 check.py\n```")
    assert "<<<<<<< SEARCH\na - b\n" in answer(("system", SYSTEM), ("user", REPAIR))


def test_what_a_command_printed_ends_the_task() -> None:
    ran = "I ran this command:\n\npython3 check.py\n\nAnd got this output:\n\n"
    assert answer(("system", SYSTEM), ("user", REPAIR), ("user", ran)) == "Done: calc.py is changed."


def test_an_agent_with_tools_gets_calls_whatever_its_prompt_says() -> None:
    shell = Tool(name="bash", schema={"properties": {"command": {"type": "string"}}})
    told = (Entry(role="system", text=SYSTEM), Entry(role="user", text="create a.txt containing the word hi"))
    turn = next_turn(Asked(api="chat", model="coder", entries=told, tools=(shell,)))
    assert [call.name for call in turn.calls] == ["bash"]
    assert "SEARCH" not in answer(("user", "create a.txt containing the word hi"))
