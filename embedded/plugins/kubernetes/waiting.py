"""Waits for an object to become ready or to be gone: with a limit, with progress, and to be cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embedded.plugins.kubernetes import conditions, readiness
from embedded.plugins.kubernetes.identity import Identity
from embedded.plugins.kubernetes.wire import Object
from onprem_agents.cluster import KubeClient
from onprem_agents.errors import ClusterError

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_TELL_AFTER_SECONDS = 1.0
_TELL_EVERY_SECONDS = 2.0


class NotReached(ClusterError):
    """A wait ended without its goal; `live` is the object as last seen, None when it is gone."""

    def __init__(self, reasons: Iterable[str], live: Object | None) -> None:
        self.reasons = [reason for reason in reasons if reason]
        self.live = live
        super().__init__("; ".join(self.reasons))


class Cancelled(NotReached):
    """The engine asked to stop."""


@dataclass(frozen=True, kw_only=True)
class Waiter:
    """Waits on behalf of one resource; `tell` shows what it waits for."""

    client: KubeClient
    cancelled: threading.Event
    tell: Callable[[str], None]

    def until_ready(
        self, who: Identity, live: Object, wanted: Iterable[conditions.Wanted], limit: float
    ) -> Object:
        """Wait, `limit` seconds at most, until the object is ready, and return it.

        `wanted` (the annotation `waitFor`) takes the place of the kind's own rule. Raises NotReached.
        """
        around = readiness.Surroundings(client=self.client)
        expressions = tuple(wanted)

        def verdict(found: Object) -> readiness.Verdict:
            if not expressions:
                return readiness.check(found, around)
            missing = [why for holds, why in (item.holds(found) for item in expressions) if not holds]
            return not missing, "; ".join(missing)

        current: Object | None = live
        for elapsed in self._ticks(limit):
            current = live if elapsed == 0 else self._read(who)
            if current is None:
                raise NotReached([f"{who} was deleted while it was waited for"], None)
            try:
                ready, why = verdict(current)
            except readiness.NeverReady as error:
                raise NotReached([f"{who}: {error}", *around.pod_troubles(current)], current) from error
            if ready:
                return current
            if self._time_to_tell(elapsed):
                self.tell("; ".join([why, *around.pod_troubles(current)[:2]]))
        reasons = [*self._end(who, "ready", limit, why), *around.pod_troubles(current or live)]
        raise (Cancelled if self.cancelled.is_set() else NotReached)(reasons, current)

    def until_gone(self, who: Identity, uid: str, limit: float) -> None:
        """Wait, `limit` seconds at most, until the object with this uid is gone. Raises NotReached."""
        why = ""
        for elapsed in self._ticks(limit):
            found = self._read(who)
            if found is None or (uid and found["metadata"]["uid"] != uid):
                return
            why = _what_keeps(found)
            if self._time_to_tell(elapsed):
                self.tell(why)
        raise (Cancelled if self.cancelled.is_set() else NotReached)(self._end(who, "gone", limit, why), None)

    def pause(self, seconds: float) -> bool:
        """Sleep; returns whether the engine asked to stop meanwhile."""
        return self.cancelled.wait(seconds)

    def _ticks(self, limit: float) -> Iterable[float]:
        started = time.monotonic()
        pause = _FIRST_PAUSE_SECONDS
        yield 0.0
        while not self.cancelled.wait(pause):
            elapsed = time.monotonic() - started
            yield elapsed
            if elapsed >= limit:
                return
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS, max(limit - elapsed, 0.01))

    @staticmethod
    def _time_to_tell(elapsed: float) -> bool:
        """Whether a message is due: not for what is quick, then every other second."""
        return elapsed >= _TELL_AFTER_SECONDS and elapsed % _TELL_EVERY_SECONDS < _LONGEST_PAUSE_SECONDS

    def _read(self, who: Identity) -> Object | None:
        return self.client.find(who.api_version, who.kind, who.name, who.namespace or None)

    def _end(self, who: Identity, goal: str, limit: float, why: str) -> list[str]:
        if self.cancelled.is_set():
            return [f"{who}: cancelled while waiting for it to be {goal}", why]
        return [f"{who} was not {goal} within {limit:g} s", why]


def _what_keeps(live: Object) -> str:
    metadata = live["metadata"]
    if not metadata.get("deletionTimestamp"):
        return "waiting for the deletion to begin"
    remaining = [
        condition.get("message", "")
        for condition in (live.get("status") or {}).get("conditions") or ()
        if live["kind"] == "Namespace" and condition.get("status") == "True"
    ]
    finalizers = metadata.get("finalizers")
    if finalizers:
        remaining.append(f"finalizers left: {', '.join(finalizers)}")
    return "; ".join(filter(None, remaining)) or "waiting for it to end"
