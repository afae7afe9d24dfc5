"""What the stand-in does next: the last task in the conversation, as a plan, minus what was done already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripted_model import blocks
from scripted_model.actions import Action, Create, Edit, Read, Run, Use, filler, performed_with
from scripted_model.turn import Asked, Call, Turn

_FILE = r"[`'\"]?(?P<file>[\w.~/+-]*\w\.\w+)[`'\"]?"
_QUOTED = r"(?:`(?P<{0}1>[^`]+)`|\"(?P<{0}2>[^\"]+)\"|'(?P<{0}3>[^']+)')"
_VALUE = _QUOTED.format("value") + r"|(?P<value4>\w[\w-]*)"
_CREATE = re.compile(r"\b(?:create|write|make)\b", re.IGNORECASE)
_CREATED = re.compile(
    rf"{_FILE}\s+(?:with|containing|that contains)\s+(?:(?:only|just|exactly)\s+)?"
    rf"(?:the\s+)?(?:(?:single\s+)?(?:word|text|content|line)s?\s*:?\s*)?(?:{_VALUE})",
    re.IGNORECASE,
)
_EDIT = re.compile(
    rf"\bread\s+(?:the\s+)?(?:file\s+)?{_FILE}.{{0,120}}?\breplace\s+{_QUOTED.format('old')}\s+(?:with|by)\s+"
    rf"{_QUOTED.format('new')}(?:.{{0,120}}?\brun\s+{_QUOTED.format('command')})?",
    re.IGNORECASE | re.DOTALL,
)
_RUN = re.compile(rf"\brun\s+(?:the\s+command\s+)?{_QUOTED.format('command')}", re.IGNORECASE)
_USE = re.compile(
    rf"\b(?:use|call)\s+(?:the\s+)?tool\s+`?(?P<tool>[\w-]+)`?\s+with\s+(?P<parameter>\w+)\s+{_QUOTED.format('value')}",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"\b(?:reply|answer|respond)\s+with\s+(?:(?:only|just|exactly)\s+)?(?:the\s+)?"
    # Claude Code's "Respond with TEXT ONLY" asks for no word.
    rf"(?:(?:single|one)\s+)?(?:(?:word|text)\s*:?\s*)(?!only\b)(?:{_VALUE})",
    re.IGNORECASE,
)
# How each agent of 2026-11 tells the model where it works.
_FOLDER = re.compile(r"working (?:in the )?directory:\s*(?P<a>/\S+)|<cwd>(?P<b>/[^<]+)</cwd>", re.IGNORECASE)
_ESCALATED = re.compile(r"\bask for escalated permissions\b", re.IGNORECASE)

# Claude Code takes a summary in no other form for one.
_SUMMARY = re.compile(r"<summary>.*</summary>", re.DOTALL)

_THOUGHT = "The script says what comes next. "
# Who asks for it gets long thoughts, as from a model.
_STEP_BY_STEP = re.compile(r"\bthink step by step\b", re.IGNORECASE)
_STEPS = 60

SUMMARY = (
    "<analysis>\nThe conversation, from its first message to its last.\n</analysis>\n\n"
    "<summary>\n1. Primary Request and Intent:\n   What the conversation above was about.\n\n"
    "7. Pending Tasks:\n   - None.\n</summary>"
)
NO_TOOL = "No tool that is offered does what comes next."
SORRY = (
    "I am a scripted stand-in, no model. I understand: create FILE containing WORD; "
    'read FILE, replace "OLD" with "NEW", then run "COMMAND"; use the tool NAME with PARAMETER "TEXT"; '
    "reply with the word WORD."
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a text asks for: rounds of actions, each round possible at once, and the last words."""

    rounds: tuple[tuple[Action, ...], ...] = ()
    reply: str = ""


def task_in(text: str) -> Task | None:
    """Return what the text asks for, in the order of the text; None when nothing in it is understood."""
    text = text.replace('\\"', '"')  # opencode 1.18.33 escapes the quotes in what `opencode run` is given
    found = sorted(
        [*_edits(text), *_creations(text), *_runs(text), *_uses(text), *_replies(text)],
        key=lambda pair: pair[0],
    )
    if not found:
        return None
    tasks = [task for _, task in found]
    return Task(rounds=tuple(actions for task in tasks for actions in task.rounds), reply=tasks[-1].reply)


def next_turn(asked: Asked, *, thinks: bool = True) -> Turn:
    """Return the answer to a request: the next calls of the task, its last words, or a sentence of excuse.

    `thinks` says whether it thinks where the request says nothing of that.
    """
    task, results = _task_and_results(asked)
    lengthy = any(entry.role == "user" and _STEP_BY_STEP.search(entry.text) for entry in asked.entries)
    reasoning = asked.thinking.of(_THOUGHT * _STEPS if lengthy else _THOUGHT, by_default=thinks).strip()
    uses_tools = bool(asked.tools) and asked.choice != "none" and not _wants_summary(asked)
    if uses_tools:
        if task is not None and task.rounds:
            calls = _next_calls(asked, task, results)
        else:
            calls = _forced(asked) if not results else ()
        if calls:
            return Turn(reasoning=reasoning, calls=calls)
    return Turn(reasoning=reasoning, text=_words(asked, task, results, uses_tools=uses_tools))


def _words(asked: Asked, task: Task | None, results: int, *, uses_tools: bool) -> str:
    if _wants_summary(asked):
        return SUMMARY
    if task is None:
        return SORRY
    if uses_tools and results < sum(len(actions) for actions in task.rounds):
        return NO_TOOL
    if blocks.are_wanted(asked):
        actions = [action for actions in task.rounds for action in actions]
        return blocks.of(actions, asked) or task.reply or "Done."
    failures = [entry.text for entry in asked.entries[len(asked.entries) - results :] if entry.failed]
    if failures and task.rounds:
        return f"A tool failed: {failures[-1][:300]}"
    return task.reply or "Done."


def _wants_summary(asked: Asked) -> bool:
    newest = asked.entries[-1] if asked.entries else None
    return newest is not None and newest.role == "user" and _SUMMARY.search(newest.text) is not None


def _task_and_results(asked: Asked) -> tuple[Task | None, int]:
    """Return the newest task among the user's texts, and how many results of tools came after it."""
    results = 0
    for entry in reversed(asked.entries):
        if entry.role == "tool":
            results += 1
        elif entry.role == "user" and (task := task_in(entry.text)) is not None:
            return task, results
    return None, results


def _next_calls(asked: Asked, task: Task, results: int) -> tuple[Call, ...]:
    done = results
    for actions in task.rounds:
        if done < len(actions):
            folder, escalated = _folder(asked), _wants_permission(asked)
            calls = [
                performed_with(action, asked.tools, folder, escalated=escalated) for action in actions[done:]
            ]
            possible = tuple(call for call in calls if call is not None)
            return possible if asked.parallel else possible[:1]
        done -= len(actions)
    return ()


def _wants_permission(asked: Asked) -> bool:
    return any(entry.role == "user" and _ESCALATED.search(entry.text) for entry in asked.entries)


def _forced(asked: Asked) -> tuple[Call, ...]:
    """A request may insist on a call; without a task it gets one with made-up arguments."""
    if asked.choice == "auto":
        return ()
    named = [tool for tool in asked.tools if asked.choice in (tool.name, "required")]
    return tuple(Call(name=tool.name, arguments=filler(tool.schema)) for tool in named[:1])


def _folder(asked: Asked) -> str | None:
    told = [match for entry in asked.entries for match in _FOLDER.finditer(entry.text)]
    return (told[-1]["a"] or told[-1]["b"]).strip() if told else None


def _creations(text: str) -> Iterator[tuple[int, Task]]:
    start = _CREATE.search(text)
    if start is None:
        return
    # One task ends where a paragraph ends: agents put reminders of their own around the user's words.
    for paragraph in re.finditer(r"(?:[^\n]|\n(?!\s*\n))+", text):
        if not _CREATE.search(paragraph[0]):
            continue
        files = [
            (match["file"], _quoted(match, "value"))
            for match in _CREATED.finditer(paragraph[0])
            if _CREATE.search(paragraph[0][: match.start()])
        ]
        if files:
            actions = tuple(Create(file=file, content=content) for file, content in files)
            names = " and ".join(file for file, _ in files)
            yield paragraph.start(), Task(rounds=(actions,), reply=f"Done: {names} is there.")


def _edits(text: str) -> Iterator[tuple[int, Task]]:
    for match in _EDIT.finditer(text):
        file, command = match["file"], _quoted(match, "command")
        rounds: list[tuple[Action, ...]] = [
            (Read(file=file),),
            (Edit(file=file, old=_quoted(match, "old"), new=_quoted(match, "new")),),
        ]
        if command:
            rounds.append((Run(command=command),))
        yield match.start(), Task(rounds=tuple(rounds), reply=f"Done: {file} is changed.")


def _runs(text: str) -> Iterator[tuple[int, Task]]:
    inside = [match.span() for match in _EDIT.finditer(text)]
    for match in _RUN.finditer(text):
        if not _within(match.start(), inside):
            yield match.start(), Task(rounds=((Run(command=_quoted(match, "command")),),), reply="Done.")


def _uses(text: str) -> Iterator[tuple[int, Task]]:
    for match in _USE.finditer(text):
        action = Use(tool=match["tool"], parameter=match["parameter"], value=_quoted(match, "value"))
        yield match.start(), Task(rounds=((action,),), reply=f"Done: {action.tool} was used.")


def _replies(text: str) -> Iterator[tuple[int, Task]]:
    for match in _REPLY.finditer(text):
        yield match.start(), Task(reply=_quoted(match, "value"))


def _within(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _quoted(match: re.Match[str], name: str) -> str:
    """Return whichever of the quoted forms of a group matched; empty when none did."""
    groups = match.groupdict()
    return next((groups[f"{name}{n}"] for n in "1234" if groups.get(f"{name}{n}") is not None), "")
