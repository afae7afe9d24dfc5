"""Options of vLLM that a stack gives itself: read as vLLM reads them, refused where a setting or the plan says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from onprem_agents.catalog import Catalog, Model, ServerOption
from onprem_agents.errors import Cause, InvalidInput, Problem
from onprem_agents.plan.own_flags import OwnFlags, overridable
from onprem_agents.plan.server_environment import setting_key
from onprem_agents.plan.serving import MODEL_PATH
from onprem_agents.stack.section_reader import shown
from onprem_agents.stack.settings import ModelRole
from onprem_agents.vllm import (
    ParsedServe,
    Release,
    ServeFlags,
    option_of,
    parse_options,
    to_argv,
    unknown_option_hint,
    words_of,
)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What is wrong with a role's own options, and what the reader of the plan must know of the others."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@cache
def extra_flags(words: tuple[str, ...], release: str) -> ServeFlags:
    """Return a role's own options as far as they are modelled, without the model."""
    return ServeFlags() if not words else _flags(_read(words, release))


def examine(role: ModelRole, *, where: str, version: str, release: Release, catalog: Catalog) -> Given:
    """Return what is wrong with a role's own options on that release; `where` is the role's key."""
    if not role.extra_args:
        return Given(problems=(), notes=())
    parsed = _read(role.extra_args, release.release)
    reader = _Reader(role=role, where=where, version=version, release=release, catalog=catalog)
    return Given(
        problems=(*reader.unreadable(parsed), *reader.refused(parsed)), notes=tuple(reader.notes(parsed))
    )


def against_the_model(role: ModelRole, model: Model, own: OwnFlags, *, where: str, release: Release) -> Given:
    """Return a problem for each option that the model needs otherwise, and a note for each that replaces the model's.

    How its files are read may be said anew, as those of another source may be written otherwise.
    """
    needed, problems, notes = own.flags.given(), [], []
    for name, value in extra_flags(role.extra_args, release.release).given().items():
        if name not in needed or needed[name] == value:
            continue
        given, known = _written(name, value, release), _written(name, needed[name], release)
        if overridable(name):
            notes.append(
                f"{where}.extraArgs has {given} in place of {known}, which {model.name} is known to need"
            )
            continue
        problems.append(
            Problem(
                where=f"{where}.extraArgs",
                cause="contradiction",
                found=given,
                why=f"{model.name} works with {known} alone",
                fix=f"take {option_of(name)} out",
            )
        )
    return Given(problems=tuple(problems), notes=tuple(notes))


@cache
def _read(words: tuple[str, ...], release: str) -> ParsedServe:
    return parse_options([MODEL_PATH, *words], release=release)


def _flags(parsed: ParsedServe) -> ServeFlags:
    return ServeFlags(**{name: value for name, value in parsed.flags.given().items() if name != "model"})


@dataclass(frozen=True, kw_only=True)
class _Reader:
    role: ModelRole
    where: str
    version: str
    release: Release
    catalog: Catalog

    def unreadable(self, parsed: ParsedServe) -> Iterator[Problem]:
        """Yield what this release does not know or take."""
        known = self.release.options()
        for unknown in parsed.unknown:
            entry = self.catalog.server_option(unknown.name)
            if entry is not None and entry.setting is not None:
                continue  # whatever the release: a setting says it
            found = " ".join(filter(None, (unknown.name, unknown.value)))
            why = f"vLLM {self.version} does not know {unknown.name} and would stop at start"
            hint = unknown_option_hint(unknown.name, self.release.release, known)
            fix = hint if entry is None else entry.instead or "take it out"
            yield self._problem(found, why, fix, "release-refuses")
        for problem in parsed.problems:
            option, told, _ = problem.partition(": ")
            found = option if told else " ".join(self.role.extra_args)
            yield self._problem(found, problem, "mend it, or take it out", "bad-value")
        if parsed.opaque and not any(option == "--config" for option in parsed.other):
            why = "what it stands for is only known when the server starts"
            yield self._problem(" ".join(self.role.extra_args), why, "write plain values", "bad-value")
        try:
            to_argv(_flags(parsed), self.release.release)
        except InvalidInput as error:
            for one in error.problems:
                found = f"{one.where} {one.found}"
                yield self._problem(found, one.why, one.fix, "release-refuses")

    def refused(self, parsed: ParsedServe) -> Iterator[Problem]:
        """Yield the options that a setting or the plan says, and those that nothing here could size or that open it."""
        for option, value, written in self._given(parsed):
            entry = self.catalog.server_option(option)
            if entry is None or not entry.refused or self._is_free(entry, option, value):
                continue
            key = "" if entry.setting is None else setting_key(entry.setting, self.where)
            why = entry.why or f"{key} says it, and what follows from it must agree"
            fix = entry.instead or (f"set {key}{_to(option, value)}" if key else "")
            found = option if entry.secret else written
            yield self._problem(found, why, " and ".join(filter(None, ("take it out", fix))), "contradiction")

    def notes(self, parsed: ParsedServe) -> Iterator[str]:
        """Yield what must be known of the options that are taken."""
        for option, _, written in self._given(parsed):
            entry = self.catalog.server_option(option)
            if entry is not None and entry.note is not None:
                yield f"{self.where}.extraArgs {shown(written)}: {entry.note}"

    def _given(self, parsed: ParsedServe) -> Iterator[tuple[str, str, str]]:
        """Yield each option, its value and both as they are written."""
        for name, value in _flags(parsed).given().items():
            yield option_of(name), str(value), _written(name, value, self.release)
        for option, texts in parsed.other.items():
            base, text = option.partition(".")[0], " ".join(texts)
            switch = base in self.release.switches or base in self.release.one_way_switches
            off = switch and text == str(False)
            written = (self.release.opposite(base) or base) if off else base if switch else f"{option} {text}"
            yield base, text, written
        for unknown in parsed.unknown:
            entry = self.catalog.server_option(unknown.name)
            if entry is not None and entry.setting is not None:
                value = unknown.value or ""
                yield unknown.name, value, f"{unknown.name} {value}".strip()

    def _is_free(self, entry: ServerOption, option: str, value: str) -> bool:
        if entry.free_with is not None and getattr(self.role, entry.free_with) is True:
            return True
        default = ("False", str(self.release.default(option))) if entry.unsized is not None else ()
        return value in (*entry.harmless, *default)

    def _problem(self, found: str, why: str, fix: str, cause: Cause) -> Problem:
        return Problem(where=f"{self.where}.extraArgs", cause=cause, found=shown(found), why=why, fix=fix)


def _to(option: str, value: str) -> str:
    """Return the end of a sentence that sets a setting to an option's value, where both are written alike."""
    alike = value.replace(".", "", 1).isdigit() or option.endswith("-parser")
    return f" to {value}" if alike else ""


def _written(name: str, value: object, release: Release) -> str:
    return " ".join(words_of(name, value, release.release))
