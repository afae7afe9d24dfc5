"""Reader: one pass over the words of a vLLM argv, with the habits of vLLM's own option parser."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onprem_agents.vllm.flags import field_of, kinds
from onprem_agents.vllm.history import load_history
from onprem_agents.vllm.holes import HOLES, has_hole
from onprem_agents.vllm.options import Ambiguous, Option, fold, resolve
from onprem_agents.vllm.release import Release
from onprem_agents.vllm.values import BadValue, read_value

# vLLM 0.9.2 to 0.33.0, engine/arg_utils.py (optional_type), read 2026-11-29: what leaves a value at its default.
_NOTHING = (("",), ("None",))
# Values that people give to switches, which take none.
_WORDS_OF_SWITCHES = frozenset({"true", "false"})
_NEGATIVE = re.compile(r"-\d+|-\d*\.\d+")


@dataclass(frozen=True, kw_only=True)
class UnknownOption:
    """An option that the release does not know, as written, with what seems to be its value."""

    name: str
    value: str | None


class Reader:
    """Collects fields, other options, unknown options and problems from words."""

    def __init__(self, facts: Release) -> None:
        self.facts = facts
        self.fields: dict[str, Any] = {}
        self.other: dict[str, tuple[str, ...]] = {}
        self.unknown: list[UnknownOption] = []
        self.problems: list[str] = []
        self.unreadable: set[str] = set()
        self.opaque = False
        self.positionals: list[str] = []
        self.words: list[str] = []
        self.at = 0

    def run(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.at = 0
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            if word == "--":
                self.positionals += self.words[self.at :]
                break
            if self.is_option(word):
                self.option(word)
            elif word == HOLES and (self.positionals or self.at > 1):
                self.opaque = True
            else:
                self.positionals.append(word)
        self.finish()

    def is_option(self, word: str) -> bool:
        return len(word) > 1 and word.startswith("-") and not _NEGATIVE.fullmatch(word)

    def option(self, word: str) -> None:
        written, equals, inline = word.partition("=")
        if has_hole(written):
            self.opaque = True
            return
        if re.fullmatch(r"-O\d", written):
            written, equals, inline = "--optimization-level", "=", written[2:]
        head, dot, path = written.partition(".")
        found = resolve("--optimization-level" if head == "-O" else head, self.facts)
        if isinstance(found, Ambiguous):
            self.problems.append(f"{written} is short for several options: {', '.join(found.candidates)}")
            self.texts(takes_many=False)
        elif found is None:
            value = inline if equals else self.guessed(written)
            self.unknown.append(UnknownOption(name=fold(written), value=value))
        elif dot:
            self.dotted(found, path, inline if equals else None)
        elif found.takes == "nothing":
            self.switch(found, written, equals)
        else:
            self.value(found, [inline] if equals else self.texts(takes_many=found.takes != "one"))

    def texts(self, *, takes_many: bool) -> list[str]:
        """Consume the value words at the cursor: one, or all up to the next option."""
        start = self.at
        while self.at < len(self.words) and not self.is_option(self.words[self.at]):
            self.at += 1
            if not takes_many:
                break
        return self.words[start : self.at]

    def guessed(self, written: str) -> str | None:
        """Consume what looks like the value of an option that this release does not know."""
        removed = load_history().removed.get(fold(written))
        if removed is not None and not removed.takes_value:
            return None
        if self.at == len(self.words):
            return None
        upcoming = self.words[self.at]
        if self.is_option(upcoming) or (removed is None and "/" in upcoming and not self.positionals):
            return None
        self.at += 1
        return upcoming

    def switch(self, found: Option, written: str, equals: str) -> None:
        if equals:
            self.problems.append(f"{written} takes no value: write it bare")
        self.store(found.name, found.switch)

    def value(self, found: Option, texts: Sequence[str]) -> None:
        if found.name == "--config":
            self.opaque = True  # the file may set any option
        if not texts and found.takes != "maybe":
            self.problems.append(f"{found.name} lacks its value")
            return
        name = field_of(found.name)
        if name is None:
            self.other[found.name] = tuple(texts)
        elif tuple(texts) in _NOTHING and kinds()[name] not in ("text", "texts"):
            self.fields.pop(name, None)
        elif any(has_hole(text) for text in texts):
            self.fields.pop(name, None)
            self.unreadable.add(name)
        else:
            try:
                self.store(found.name, read_value(kinds()[name], texts))
            except BadValue as error:
                self.problems.append(f"{found.name}: {error}")

    def dotted(self, found: Option, path: str, inline: str | None) -> None:
        """Merge `--option.key.key value` into the option's JSON; a trailing `+` appends to a list."""
        texts = [inline] if inline is not None else self.texts(takes_many=False)
        name = field_of(found.name)
        if name is None or kinds()[name] != "object":
            self.other[f"{found.name}.{path}"] = tuple(texts)
            return
        if any(has_hole(text) for text in texts):
            self.unreadable.add(name)
            return
        *parents, last = path.rstrip("+").replace("-", "_").split(".")
        whole = dict(self.fields.get(name) or {})
        node = whole
        for parent in parents:
            child = node.get(parent)
            node[parent] = dict(child) if isinstance(child, dict) else {}
            node = node[parent]
        value = _json_or_text(texts[0]) if texts else None
        before = node.get(last)
        node[last] = [*(before if isinstance(before, list) else []), value] if path.endswith("+") else value
        self.store(found.name, whole)

    def store(self, option: str, value: Any) -> None:
        name = field_of(option)
        if name is None:
            self.other[option] = (str(value),)
            return
        self.unreadable.discard(name)
        self.fields[name] = value

    def finish(self) -> None:
        """Read the positional model; it wins over --model, as it does in vLLM."""
        if not self.positionals:
            return
        model, *rest = self.positionals
        if model.casefold() in _WORDS_OF_SWITCHES:
            self.problems.append(
                f"{model!r} belongs to no option and is taken for the model: switches are bare"
            )
        elif has_hole(model):
            self.fields.pop("model", None)
            self.unreadable.add("model")
        else:
            self.store("--model", model)
        for word in rest:
            if has_hole(word):
                self.opaque = True
            else:
                self.problems.append(f"{word!r} belongs to no option, and the model is already {model!r}")


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
