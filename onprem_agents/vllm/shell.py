"""Read the simple commands out of a `sh -c` script, as far as that is possible without running it.

Quotes, line continuations, comments, redirections, variables set in the script or given as environment, and
positional parameters are understood, and so is which branch of an `if` runs where that compares two known texts
(`branches.py`); the default in `${NAME:-default}` counts when nothing given here sets
NAME (an image's own environment is out of sight). What only a shell can know (command substitution, variables
set under a condition, arrays) becomes a hole (`holes.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from onprem_agents.vllm.branches import Branches
from onprem_agents.vllm.holes import HOLE, HOLES

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)", re.DOTALL)
_DEFAULT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):?-(.*)", re.DOTALL)
_LEADING = frozenset({"then", "else", "elif", "do", "{", "!", "export", "readonly", "local", "exec", "time"})


class _Reader:
    """One pass over a script; collects the words of each simple command."""

    def __init__(self, script: str, env: Mapping[str, str], arguments: Sequence[str]) -> None:
        self.script = script
        self.at = 0
        self.known = dict(env)
        self.arguments = list(arguments)
        self.commands: list[list[str]] = []
        self.words: list[str] = []
        self.word: str | None = None
        self.drop_next = False
        self.branches = Branches()
        self.conditional = False

    def run(self) -> list[list[str]]:
        while self.at < len(self.script):
            char = self.script[self.at]
            if char == "#" and self.word is None:
                end = self.script.find("\n", self.at)
                self.at = len(self.script) if end < 0 else end
            elif char in " \t\r":
                self.end_word()
                self.at += 1
            elif char in "\n;&|()":
                self.end_command(char)
            elif char in "<>":
                self.redirect()
            else:
                self.take(char)
        self.end_command("\n")
        return [words for words in self.commands if words]

    def take(self, char: str) -> None:
        if char == "'":
            end = self.script.find("'", self.at + 1)
            end = len(self.script) if end < 0 else end
            self.add(self.script[self.at + 1 : end])
            self.at = end + 1
        elif char == '"':
            self.double_quoted()
        elif char == "\\":
            if self.script[self.at + 1 : self.at + 2] != "\n":
                self.add(self.script[self.at + 1 : self.at + 2])
            self.at += 2
        elif char in "$`":
            self.splice(self.expansion())
        else:
            self.add(char)
            self.at += 1

    def add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def double_quoted(self) -> None:
        self.at += 1
        self.add("")
        while self.at < len(self.script) and self.script[self.at] != '"':
            char = self.script[self.at]
            if char == "\\" and self.script[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                self.add(self.script[self.at + 1].replace("\n", ""))
                self.at += 2
            elif self.script.startswith(("$@", "${@}"), self.at):
                self.at += 2 if self.script[self.at + 1] == "@" else 4
                self.splice_arguments()
            elif char in "$`":
                self.add(self.expansion().replace(HOLES, HOLE))
            else:
                self.add(char)
                self.at += 1
        self.at += 1

    def splice_arguments(self) -> None:
        if self.arguments:
            self.add(self.arguments[0])
            for argument in self.arguments[1:]:
                self.end_word()
                self.add(argument)
        elif self.word == "":
            self.word = None

    def splice(self, text: str) -> None:
        """Add an unquoted expansion: the shell splits it into words at blanks."""
        pieces = text.split()
        for number, piece in enumerate(pieces):
            if number or text[:1].isspace():
                self.end_word()
            self.add(piece)
        if pieces and text[-1:].isspace():
            self.end_word()

    def expansion(self) -> str:
        """Read the expansion at the cursor and return its value, with holes where it is unknown."""
        rest = self.script[self.at :]
        if rest.startswith(("$(", "`")):
            self.at += _substitution_length(rest)
            return HOLES
        if rest.startswith("${"):
            end = rest.find("}")
            end = len(rest) - 1 if end < 0 else end
            self.at += end + 1
            return self.parameter(rest[2:end])
        if match := _NAME.match(rest, 1):
            self.at += match.end()
            return self.parameter(match.group())
        if rest[1:2] and rest[1] in "@*#?$!-0123456789":
            self.at += 2
            return self.parameter(rest[1])
        self.at += 1
        return "$"

    def parameter(self, inside: str) -> str:
        if inside in self.known:
            return self.known[inside]
        if inside in ("@", "*"):
            return " ".join(self.arguments)
        if inside.isdigit() and inside != "0":
            position = int(inside) - 1
            return self.arguments[position] if position < len(self.arguments) else ""
        if match := _DEFAULT.fullmatch(inside):
            return self.known.get(match[1]) or match[2]
        return HOLES

    def redirect(self) -> None:
        if self.word is not None and self.word.isdigit():
            self.word = None
        self.end_word()
        while self.at < len(self.script) and self.script[self.at] in "<>&":
            self.at += 1
        self.drop_next = True

    def end_word(self) -> None:
        if self.word is None:
            return
        if self.drop_next:
            self.drop_next = False
        else:
            self.words.append(self.word)
        self.word = None

    def end_command(self, char: str) -> None:
        self.end_word()
        self.drop_next = False
        operator = char * 2 if char in "&|;" and self.script.startswith(char * 2, self.at) else char
        self.at += len(operator)
        words, self.words = self.words, []
        if words:
            self.branches.note(words, alone=operator not in ("&&", "||", "|"))
            if self.branches.runs is not False:
                self.note(words)
                self.commands.append(words)
            self.conditional = operator in ("&&", "||")

    def note(self, words: list[str]) -> None:
        """Remember variables that the command sets."""
        for word in words:
            if word in _LEADING:
                continue
            match = _ASSIGNMENT.fullmatch(word)
            if not match:
                break
            name, appends, value = match.groups()
            changed = name in self.known and self.known[name] != value
            certain = not (appends or changed or self.conditional or self.branches.runs is None)
            self.known[name] = value if certain else HOLES


def _substitution_length(text: str) -> int:
    """Return the length of the `$( … )` or backquoted substitution that `text` begins with."""
    if text[0] == "`":
        end = text.find("`", 1)
        return len(text) if end < 0 else end + 1
    level = 0
    for position, char in enumerate(text):
        level += (char == "(") - (char == ")")
        if char == ")" and level == 0:
            return position + 1
    return len(text)


def simple_commands(script: str, env: Mapping[str, str], arguments: Sequence[str]) -> list[list[str]]:
    """Return the words of each simple command in `script`.

    `env` holds the variables known from outside (a value may contain a hole), `arguments` is `$1 …`.
    """
    return _Reader(script, env, arguments).run()


def script_of(argv: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the script and its `$1 …` when argv runs one with `sh -c`, else None."""
    shells = ("sh", "bash", "ash", "dash", "zsh", "ksh")
    start = next((at for at, word in enumerate(argv) if word.rsplit("/", 1)[-1] in shells), None)
    if start is None:
        return None
    position = start + 1
    while position < len(argv) and argv[position][:1] in "-+":
        flag = argv[position]
        position += 1
        if flag.startswith("-") and not flag.startswith("--") and "c" in flag:
            if position >= len(argv):
                return None
            return argv[position], tuple(argv[position + 2 :])  # the word between is $0
        if flag.endswith(("-o", "+o", "eo", "xo")):
            position += 1
    return None
