"""The numbers to read beside the charts: one row a system."""

from __future__ import annotations

from vizkv.messages import Messages
from vizkv.slots import CATEGORIES, Accounting, Lens
from vizkv.views.series import Series


def table(systems: list[Series], lens: Lens, accounting: Accounting, say: Messages) -> dict[str, list]:
    """Column title -> values. Shares are means over the system's own steps, in percent of the pool."""
    columns: dict[str, list] = {say("numbers.system"): [say.name(s.name) for s in systems]}
    means = [s.shares(lens, accounting).mean(0) / s.slots * 100 if s.steps else [0.0] * 5 for s in systems]
    for index, name in enumerate(CATEGORIES):
        columns[say("numbers.mean", category=say(f"player.short.{name}"))] = [round(float(m[index]), 1) for m in means]
    columns[say("numbers.batch")] = [round(float(s.batched.mean()), 2) if s.steps else 0.0 for s in systems]
    columns[say("numbers.steps")] = [s.steps for s in systems]
    columns[say("numbers.written")] = [s.written for s in systems]
    columns[say("numbers.preemptions")] = [s.preemptions for s in systems]
    columns[say("numbers.never")] = [s.never for s in systems]
    return columns
