"""Where text for people goes: wrapped between words to a terminal's width, as long as it is where it is piped.

`COLUMNS` counts as a terminal of that width. Nothing is cut: what is longer than a line goes on in the next one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

# Lines into files and pipes have no end that anybody sees.
_ENDLESS = 100_000
_STEP = 2
# What a line goes on behind: the dash of a list, a label and the blanks that align the text after it.
_LABEL = re.compile(r" *(?:- |\S[^:]{0,20}: {2,}|(?:found|why|fix): +|\S.{0,18}? {2,}(?=\S))")
# A column of free text is left so much beside those that stay whole.
_LEAST_CELLS = 12


class Output(Console):
    """A console whose lines printed with `soft_wrap` are broken between words, and whose tables lose nothing."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(highlight=False, stderr=stderr)
        self.ends = self.is_terminal or "COLUMNS" in os.environ
        if not self.ends:
            self.width = _ENDLESS

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        """Print as `Console.print` does; a single text with `soft_wrap` is broken behind its own indentation."""
        if self.ends and soft_wrap and len(objects) == 1 and isinstance(objects[0], str | Text):
            told = _as_text(objects[0], markup=options.pop("markup", None) is not False)
            for line in told.split("\n", allow_blank=True):
                for piece in self._pieces(line):
                    super().print(piece, soft_wrap=True, **options)
            return
        for table in objects:
            if isinstance(table, Table):
                self._fold(table)
        super().print(*objects, soft_wrap=soft_wrap, **options)

    def _pieces(self, line: Text) -> Iterator[Text]:
        plain = line.plain
        if cell_len(plain) <= self.width:
            yield line
            return
        indent = len(plain) - len(plain.lstrip(" "))
        label = _LABEL.match(plain)
        hang = label.end() if label is not None else indent + _STEP
        if hang > self.width // 2:
            hang = indent + _STEP
        head = line[:hang] if label is not None and label.end() == hang else Text(" " * indent)
        body = line[len(head.plain) :]
        for number, piece in enumerate(body.wrap(self, self.width - hang, overflow="fold")):
            piece.rstrip()
            yield (head if number == 0 else Text(" " * hang)) + piece

    def _fold(self, table: Table) -> None:
        """Let cells go on in the next line, and those of one line too where they leave the others no room."""
        whole = [column for column in table.columns if column.no_wrap]
        others = len(table.columns) - len(whole)
        taken = sum(_cells(column) for column in whole) + others * _LEAST_CELLS + 3 * len(table.columns)
        for column in table.columns:
            column.overflow = "fold"
            column.no_wrap = column.no_wrap and taken <= self.width


def tell_error(text: str) -> None:
    """Print an error on stderr."""
    output = Output(stderr=True)
    if output.ends:
        output.print(text, soft_wrap=True, markup=False)
    else:
        click.echo(text, err=True)


def _as_text(told: str | Text, *, markup: bool) -> Text:
    if isinstance(told, Text):
        return told
    return Text.from_markup(told) if markup else Text(told)


def _cells(column: Column) -> int:
    return max(cell_len(str(cell)) for cell in (column.header, *column.cells))
