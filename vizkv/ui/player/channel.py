"""The channel between a page and one of its players: what the player is told to open, what its browser reports.

Streamlit delivers the last report of a browser again with every run of the script, also after the page has told the
player to open something else. Such a report is stale: it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from vizkv.views import view as views
from vizkv.views.payload.window import Window
from vizkv.views.view import Limits, View

_FURTHER = 1000  # a number by which a command exceeds all that any player of the page was given


@dataclass
class Channel:
    """One player. ``view`` is None until its run is known: the page then says where to begin."""

    run: str = ""  # cache key of the run that is shown
    limits: Limits = field(default_factory=Limits)  # the valid views of that run
    view: View | None = None  # what the browser shows, as far as it has reported
    sent: View | None = None  # what it was told to open; unchanged until something else is opened
    reported: Any = None  # the last report that was a view of the run
    stale: Any = None  # a report from before the last change
    language: str = ""  # of the run's words in the browser
    window: Window | None = None  # the part of the run that the browser has; None for all of it
    window_of: str = ""  # cache key of the run that ``window`` is a part of
    command: int = 0  # number of the command with which the next run is opened

    def open(
        self,
        run: str,
        limits: Limits,
        view: View,
        last: Any,
        *,
        play: bool = False,
        keep: bool = False,
        reveal: bool = False,
    ) -> None:
        """Tell the player to open another run at ``view``. ``last``: the browser's last report, of the run before."""
        self.run, self.limits, self.view, self.stale = run, limits, view, last
        self.sent = replace(view, command=self.command, play=play, keep=keep, reveal=reveal)

    def order(self, view: View, last: Any) -> None:
        """Tell the player to go to another view of the run that it shows. ``last``: the browser's last report."""
        self.view, self.stale = view, last
        self.sent = replace(view, command=(self.sent.command if self.sent else 0) + 1, play=False)

    def hear(self, report: Any) -> None:
        """Take in a report, of any type. What is no view of the run, or stale, changes nothing."""
        view = views.reported(report, self.limits)
        if view is None or report == self.stale:
            return
        self.view, self.reported, self.stale = view, report, None

    def translate(self, language: str) -> None:
        """Keep the reader's place if the language has changed: a translated run is another one to the browser."""
        if self.language not in ("", language) and self.sent is not None and self.view is not None:
            self.sent = replace(self.view, command=self.sent.command, keep=True)
        self.language = language

    def remount(self) -> None:
        """Open the player where it was left: its page was left and entered again."""
        self.sent, self.stale, self.reported = self.view, None, None

    def around(self, step: int, make: Callable[[int], Window | None]) -> Window | None:
        """Return the window of the run with that step. ``make`` makes another one where the last one lacks the step.

        The player goes on in the new window: playing, if the browser reported so.
        """
        anew = self.window_of != self.run
        if anew or (self.window is not None and step not in self.window):
            self.window, self.window_of = make(step), self.run
            if not anew:
                self.sent = replace(self.view or View(step), play=self.stale is None and views.plays(self.reported))
        return self.window

    def replaced(self) -> Channel:
        """Return a channel for another scenario on the same page: the last report will be stale there."""
        last = max(self.command, self.sent.command if self.sent else 0)
        return Channel(reported=self.reported, command=last + _FURTHER)
