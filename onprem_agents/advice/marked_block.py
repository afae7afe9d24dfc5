"""One part of a text file that is ours, between two marks: all else in the file belongs to its owner."""

from __future__ import annotations

from onprem_agents.errors import InvalidInput, Problem


def with_block(text: str, block: str, *, name: str, source: str) -> str:
    """Return the text with that block in place of the one of the same name, or at its end.

    `source` names the file in messages. Raises `InvalidInput` where the marks do not make one block.
    """
    begin, end = marks(name)
    ending = "\r\n" if "\r\n" in text else "\n"
    whole = ending.join([begin, *block.strip("\n").splitlines(), end])
    counts = text.count(begin), text.count(end)
    if counts == (0, 0):
        before = text.rstrip("\r\n")
        return f"{before}{ending * 2 if before else ''}{whole}{ending}"
    start, stop = text.find(begin), text.find(end)
    if counts != (1, 1) or stop < start:
        problem = Problem(
            where=source,
            cause="unusual-layout",
            found=f"{counts[0]} times {begin!r} and {counts[1]} times {end!r}",
            why="what is ours stands between the two, once each and in this order; nothing was changed",
            fix="take out what lies between them, and both marks, and run it again",
        )
        raise InvalidInput("context", [problem])
    return text[:start] + whole + text[stop + len(end) :]


def marks(name: str) -> tuple[str, str]:
    """Return the lines before and after a block; Markdown shows neither."""
    return f"<!-- {name}: begin; made anew each time, write beside it -->", f"<!-- {name}: end -->"
