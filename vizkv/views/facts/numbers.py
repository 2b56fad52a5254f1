"""The table of numbers beside the charts: one row per system."""

from __future__ import annotations

from vizkv.messages.catalogue import Messages
from vizkv.replay.averages import averages, window_of
from vizkv.trace.slots import CATEGORIES, Accounting, Lens, word_of
from vizkv.trace.trace import Trace
from vizkv.views.charts.series import Series


def table(trace: Trace, systems: list[Series], lens: Lens, accounting: Accounting, say: Messages) -> dict[str, list]:
    """Return the columns by title. Shares are means over the steps that count, in percent of the pool."""
    columns: dict[str, list] = {say("numbers.system"): [say.name(s.name) for s in systems]}
    window = window_of(trace.scenario)
    means = [averages(s, t.time_s, window) for s, t in zip(systems, trace.systems, strict=True)]
    for name in CATEGORIES:
        columns[say("numbers.mean", category=say(f"player.short.{word_of(name, accounting)}"))] = [
            round(m.percent(lens, accounting)[name], 1) if m.steps else 0.0 for m in means
        ]
    columns[say("numbers.batch")] = [round(m.batched, 2) if m.steps else 0.0 for m in means]
    columns[say("numbers.steps")] = [s.steps for s in systems]
    columns[say("numbers.written")] = [s.written for s in systems]
    columns[say("numbers.preemptions")] = [s.preemptions for s in systems]
    columns[say("numbers.never")] = [s.never for s in systems]
    return columns
