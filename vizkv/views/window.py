"""A piece of a long run: what the player is given when the whole would take minutes to pack.

A frame of a workload is a moment of its clock. The systems' clocks run at different speeds, because an iteration takes
longer the more tokens are in it; so one system leads, frame after frame one of its steps, and each other system stands
where it stood at that second (docs/decisions/0019). Runs of requests have one clock: step beside step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkv.trace import SystemTrace, Trace

WIDTH = 400  # frames of a window: 14 seconds of the paper's experiment
_GRID = 200  # windows begin at multiples of this, so that those who look at the same place share one


@dataclass(frozen=True)
class Window:
    """Frames ``first`` to before ``last`` of a run. ``lead``: the system whose steps they are; -1: of all alike."""

    first: int
    last: int
    lead: int = -1

    def __contains__(self, step: int) -> bool:
        return self.first <= step < self.last


def total(trace: Trace, lead: int = -1) -> int:
    """Frames of the whole run: one a step, and the closing one in which all is free again."""
    return (trace.steps if lead < 0 else trace.systems[lead].steps) + 1


def longest(trace: Trace) -> int:
    """The system with the most steps."""
    return max(range(len(trace.systems)), key=lambda index: trace.systems[index].steps)


def around(trace: Trace, step: int, lead: int = -1, width: int = WIDTH) -> Window:
    """The window to open a step in, with room on both sides where there is any."""
    frames = total(trace, lead)
    if frames <= width:
        return Window(0, frames, lead)
    grid = max(1, min(_GRID, width // 2))
    first = (min(max(step, 0), frames - 1) - grid // 2) // grid * grid
    first = max(0, min(first, frames - width))
    return Window(first, first + width, lead)


def at_second(system: SystemTrace, second: float) -> int:
    """The last step that had ended by a second of the clock; 0 where none had."""
    return max(0, int(np.searchsorted(system.time_s, second, "right")) - 1)


def steps_of(trace: Trace, index: int, window: Window) -> np.ndarray:
    """[frames] the step that a system stands at in each frame; its number of steps is its closing frame.

    A frame before the run's first is -1.
    """
    system, frames = trace.systems[index], np.arange(window.first, window.last)
    if window.lead in (-1, index):
        return np.minimum(frames, system.steps)
    moments = _clock(trace.systems[window.lead])[frames]
    steps = np.maximum(0, np.searchsorted(_clock(system), moments, "right") - 1)
    return np.where(frames < 0, -1, steps)


def _clock(system: SystemTrace) -> np.ndarray:
    """[steps + 1] the second at which each step had ended; the closing frame comes just behind the last."""
    last = system.time_s[-1] if system.steps else 0.0
    return np.append(system.time_s, np.nextafter(last, np.inf))


def seconds(system: SystemTrace, steps: np.ndarray) -> np.ndarray:
    """The clock at these steps, float64."""
    if not system.steps:
        return np.zeros(len(steps))
    return system.time_s[np.minimum(steps, system.steps - 1)]
