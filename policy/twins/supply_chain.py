"""Twins of the pack `supply-chain`: what runs in the pods of model serving, told by the names of images."""

from __future__ import annotations

from collections.abc import Iterable

from ..denied import Denied, denied
from ..images import PRODUCTS, RELEASE, version_in
from ..rules.images import MOVING, UNNUMBERED
from .scope import PODS
from .twin import Twin, pattern, text

# A release, with parts that an integer takes.
_NUMBERS = r"[0-9]{1,9}(?:[.][0-9]{1,9}){1,3}"
_NAME, _TAG = "t[0]", "t[1]"


def _tagged() -> dict[str, str]:
    """`tagged`: repository's last part and tag of each image that has a tag."""
    last = 'n.substring(n.lastIndexOf("/") + 1, n.lastIndexOf(":"))'
    tag = 'n.substring(n.lastIndexOf(":") + 1)'
    names = 'variables.images.map(i, i.split("@")[0]).filter(n, n.matches(":[^/:]+$"))'
    return {"tagged": f"{names}.map(n, [{last}, {tag}])"}


def _moving() -> str:
    tag = 'i.substring(i.lastIndexOf(":") + 1)'
    moves = f"{tag}.matches({pattern(MOVING)}) || {tag}.matches({pattern(UNNUMBERED)})"
    untagged = '!i.matches(":[^/:]+$")'
    return (
        'variables.images.filter(i, !i.contains("@")).map(i, '
        f'{untagged} ? "takes " + i + " without a tag, which means latest" : '
        f'({moves}) ? "takes " + i + ", a tag that moves" : '
        'variables.requireDigest ? "takes " + i + " without a digest" : "").filter(t, t != "")'
    )


def _foreign() -> str:
    full = 'n.matches("^(?:[^/]*[.:][^/]*|localhost)/") ? n : "docker.io/" + n'
    allowed = 'variables.allowedRegistries.exists(a, f == a || f.startsWith(a + "/"))'
    return (
        f"size(variables.allowedRegistries) == 0 ? [] : variables.repositories.map(n, {full})"
        f'.filter(f, !{allowed}).map(f, "takes " + f + ", which is from none of the allowed registries")'
    )


def _reached(least: tuple[int, ...], place: int = 0) -> str:
    """Return the CEL that tells whether a list of numbers `v` is that release or a later one, as Python compares."""
    if place == len(least):
        return "true"
    here = f"v[{place}]"
    rest = _reached(least, place + 1)
    return f"(size(v) > {place} && ({here} > {least[place]} || ({here} == {least[place]} && {rest})))"


def _covers(entry: Denied) -> str:
    """Return the CEL that tells whether an entry covers a release, a list of numbers `v`."""
    if entry.releases:
        releases = [list(version_in(release) or ()) for release in entry.releases]
        return f"v in {releases}"
    least, end = version_in(entry.since or "0.0") or (0, 0), version_in(entry.before or "")
    begun = _reached(least)
    return begun if end is None else f"({begun} && !{_reached(end)})"


def _covered(entries: Iterable[Denied]) -> str:
    """Return the CEL that tells whether one of the entries covers a tagged image `t`."""
    numbers = f'{_TAG}.find({pattern(RELEASE)}).find({text(_NUMBERS)}).split(".").map(x, int(x))'
    known = f"{_TAG}.find({pattern(RELEASE)}).matches({text(f'^[^0-9]*{_NUMBERS}$')})"
    found = []
    for entry in entries:
        names = [pattern(regex) for regex, product in PRODUCTS if product == entry.product]
        named = " || ".join(f"{_NAME}.matches({name})" for name in names)
        found.append(f"(({named}) && [{numbers}].exists(v, {_covers(entry)}))")
    return f"({known} && ({' || '.join(found)}))"


_REFUSED = _covered(entry for entry in denied() if entry.refused)
_HOLES = _covered(entry for entry in denied() if not entry.refused)
_RUNS = '"runs " + t[0] + " " + t[1]'

TWINS = (
    Twin(
        policy="images-are-pinned",
        on=PODS,
        about_pods=True,
        faults=_moving(),
        why="what runs can change without a change of the object. Write the tag of a release, or better a digest.",
        settings=("requireDigest",),
    ),
    Twin(
        policy="registries-are-allowed",
        on=PODS,
        about_pods=True,
        faults=_foreign(),
        why="mirror it there, or have allowedRegistries extended.",
        settings=("allowedRegistries",),
    ),
    Twin(
        policy="releases-are-not-denied",
        on=PODS,
        about_pods=True,
        variables=_tagged(),
        faults=f"variables.tagged.filter(t, {_REFUSED}).map(t, {_RUNS})",
        why="that release does harm by itself: 'onprem-agents check' says which. Take another one.",
    ),
    Twin(
        policy="releases-have-no-open-holes",
        on=PODS,
        about_pods=True,
        variables=_tagged(),
        faults=f"variables.tagged.filter(t, {_HOLES} && !{_REFUSED}).map(t, {_RUNS})",
        why="that release has a published hole that a newer one closes: 'onprem-agents check' says which.",
    ),
)
