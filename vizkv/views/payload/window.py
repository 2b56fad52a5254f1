"""A window of a long run, for the player when the whole run would take minutes to pack.

In a workload the systems' clocks run at different speeds, because a step takes longer the more tokens are in its batch.
So one system leads: each frame is one of its steps, and every other system is shown as it was at that second
(docs/decisions/0019). In a run without a workload a frame is the same step of all systems.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.trace.trace import SystemTrace, Trace

WIDTH = 400  # frames of a window: 14 seconds of the paper's experiment
_GRID = 200  # windows begin at multiples of this, so that cached windows are shared


@dataclass(frozen=True)
class Window:
    """The frames ``first`` <= frame < ``last`` of a run. ``lead``: the leading system; -1 without a workload."""

    first: int
    last: int
    lead: int = -1

    def __contains__(self, step: int) -> bool:
        return self.first <= step < self.last


def total(trace: Trace, lead: int = -1) -> int:
    """Return the number of frames of the whole run: one per step, and the closing frame, with all slots free."""
    return (trace.steps if lead < 0 else trace.systems[lead].steps) + 1


def longest(trace: Trace) -> int:
    """Return the index of the system with the most steps."""
    return max(range(len(trace.systems)), key=lambda index: trace.systems[index].steps)


def around(trace: Trace, step: int, lead: int = -1, width: int = WIDTH) -> Window:
    """Return the window in which to open a step, with other frames on both sides if there are any."""
    frames = total(trace, lead)
    if frames <= width:
        return Window(0, frames, lead)
    grid = max(1, min(_GRID, width // 2))
    first = (min(max(step, 0), frames - 1) - grid // 2) // grid * grid
    first = max(0, min(first, frames - width))
    return Window(first, first + width, lead)


def at_second(system: SystemTrace, second: float) -> int:
    """Return the last step that had ended by a second of the clock; 0 if none had."""
    return max(0, int(np.searchsorted(system.time_s, second, "right")) - 1)


def steps_of(trace: Trace, index: int, window: Window) -> np.ndarray:
    """Return the step of a system in each frame, int [frames]; its closing frame is step ``system.steps``.

    Frames before the beginning of the run have step -1.
    """
    system, frames = trace.systems[index], np.arange(window.first, window.last)
    if window.lead in (-1, index):
        return np.minimum(frames, system.steps)
    moments = _clock(trace.systems[window.lead])[frames]
    steps = np.maximum(0, np.searchsorted(_clock(system), moments, "right") - 1)
    return np.where(frames < 0, -1, steps)


def _clock(system: SystemTrace) -> np.ndarray:
    """Return the second at which each step ended, [steps + 1]; the closing frame comes just after the last."""
    last = system.time_s[-1] if system.steps else 0.0
    return np.append(system.time_s, np.nextafter(last, np.inf))


def seconds(system: SystemTrace, steps: np.ndarray) -> np.ndarray:
    """Return the clock at the end of each of ``steps``, float64."""
    if not system.steps:
        return np.zeros(len(steps))
    return system.time_s[np.minimum(steps, system.steps - 1)]
