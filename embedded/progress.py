"""Tells what takes long: live on a terminal, line by line in a pipe."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

HEARTBEAT_SECONDS = 15.0
_MINUTE_SECONDS = 60
# A rate from less than this says nothing: the first packages are the small ones.
_LEAST_SHARE = 0.02
_LEAST_SECONDS = 3.0
_RECENT_SECONDS = 60.0
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Step:
    """One thing under way; several may run at once, each in a thread of its own."""

    def __init__(self, title: str, *, log: Path | None, clock: Callable[[], float]) -> None:
        self.title = title
        self.log = log
        self.text = ""
        self.given_up = False
        self._clock = clock
        self._started = clock()
        self.told = self._started
        self._share: float | None = None
        self._recent: deque[tuple[float, float]] = deque()

    def update(self, text: str) -> None:
        """Say what the step is doing now; shown live, or with the next heartbeat."""
        self.text, self._share = text, None

    def reach(self, done: float, total: float, text: str) -> None:
        """Say how much of all is done; the time left is told from the rate so far. A total of 0 is an unknown one."""
        share, now = done / total if total else 0.0, self._clock()
        self._recent.append((now, share))  # before the old ones go: another thread reads the first
        while now - self._recent[0][0] > _RECENT_SECONDS:
            self._recent.popleft()
        self.text, self._share = text, share

    def give_up(self, text: str) -> None:
        """Say why the step ends without what it was for, while the work goes on in another way."""
        self.update(text)
        self.given_up = True

    @property
    def elapsed_seconds(self) -> float:
        return self._clock() - self._started

    @property
    def seconds_left(self) -> float | None:
        """The time left at the rate so far; None without a rate to speak of, and at the end.

        Of all the time and the last minute the slower counts: a machine may become busy, and large packages last.
        """
        now, share = self._clock(), self._share
        seconds = now - self._started
        if share is None or share < _LEAST_SHARE or share >= 1 or seconds < _LEAST_SECONDS:
            return None
        rate = share / seconds
        since, before = self._recent[0]
        if now - since > _LEAST_SECONDS and share > before:
            rate = min(rate, (share - before) / (now - since))
        return (1 - share) / rate

    def line(self) -> str:
        """Return title, elapsed time, time left and the last word on it as one line."""
        clock = duration(self.elapsed_seconds)
        left = self.seconds_left
        if left is not None:
            clock += f", about {duration(round(left))} left"
        return f"{self.title}  {clock}" + (f"  {self.text}" if self.text else "")


class Progress:
    """Shows steps on one console (standard error unless given).

    In a pipe every finished step is one line, and a step that lasts gets a heartbeat line at least every
    `HEARTBEAT_SECONDS`, so that a log never stands still for longer.
    """

    def __init__(
        self,
        *,
        console: Console | None = None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._heartbeat_seconds = heartbeat_seconds
        self._guard = threading.RLock()
        self._steps: list[Step] = []
        self._live: Live | None = None
        self._beating = False
        self._clock = clock

    @contextmanager
    def step(self, title: str, *, log: Path | None = None) -> Iterator[Step]:
        """Show `title` while the block runs, then its outcome; a failure names `log`."""
        step = Step(title, log=log, clock=self._clock)
        self._begin(step)
        try:
            yield step
        except (KeyboardInterrupt, SystemExit):
            self._end(step, "[yellow]-[/]", f"{title}  interrupted after {duration(step.elapsed_seconds)}")
            raise
        except BaseException:
            hint = f"; log: {log}" if log is not None else ""
            self._end(step, "[red]✗[/]", f"{title}  failed after {duration(step.elapsed_seconds)}{hint}")
            raise
        suffix = f"  {step.text}" if step.text else ""
        mark = "[yellow]-[/]" if step.given_up else "[green]✓[/]"
        self._end(step, mark, f"{title}  {duration(step.elapsed_seconds)}{suffix}")

    def note(self, text: str) -> None:
        """Print one line between the steps."""
        with self._guard:
            self._console.print(escape(text), soft_wrap=True)

    def _begin(self, step: Step) -> None:
        with self._guard:
            self._steps.append(step)
            if not self._console.is_terminal:
                if not self._beating:
                    self._beating = True
                    threading.Thread(target=self._beat, daemon=True).start()
            elif self._live is None:
                self._live = Live(
                    get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True
                )
                self._live.start()

    def _end(self, step: Step, mark: str, line: str) -> None:
        with self._guard:
            self._steps.remove(step)
            self._console.print(f"{mark} {escape(line)}", soft_wrap=True)
            if self._live is not None and not self._steps:
                self._live.stop()
                self._live = None

    def _render(self) -> Text:
        frame = _SPINNER[int(time.monotonic() * 8) % len(_SPINNER)]
        width = max(20, self._console.width - 1)
        steps = list(self._steps)
        return Text("\n".join(f"{frame} {step.line()}"[:width] for step in steps), style="cyan")

    def _beat(self) -> None:
        while True:
            time.sleep(min(1.0, self._heartbeat_seconds / 3))
            with self._guard:
                if not self._steps:
                    self._beating = False
                    return
                now = self._clock()
                for step in self._steps:
                    if now - step.told >= self._heartbeat_seconds:
                        step.told = now
                        self._console.print(f"… {escape(step.line())}", soft_wrap=True)


def duration(seconds: float) -> str:
    """Return a time as people say it: `12.3 s`, `1 min 16 s`."""
    if seconds < _MINUTE_SECONDS:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_SECONDS)
    return f"{minutes} min {rest:02d} s"
