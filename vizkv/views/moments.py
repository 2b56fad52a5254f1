"""Named places in a run: a preset says them as slots written, the trace knows the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vizkv.messages import Messages
from vizkv.replay import walk
from vizkv.trace import Trace
from vizkv.views.payload import Moment, View

if TYPE_CHECKING:
    from vizkv.presets import Preset


def step_of(trace: Trace, place: Any, system: int = 0) -> int | None:
    """The first step after which the request has at least that many slots written; None if that never comes."""
    if isinstance(place, int):
        return min(place, trace.steps)
    wanted = next((i for i, r in enumerate(trace.requests) if r.id == place["request"]), None)
    if wanted is None:
        return None
    for replay in walk(trace.systems[system], trace.requests):
        live = replay.live.get(wanted)
        if live is not None and live.written >= place["written"]:
            return replay.step
    return None


def moments(trace: Trace, preset: Preset, say: Messages) -> list[Moment]:
    """The preset's chips, those left out whose place this run does not reach."""
    found = []
    for place in preset.moments:
        step = step_of(trace, place)
        if step is None:
            continue
        if isinstance(place, int):
            found.append(Moment(say("moment.step", step=step), step))
            continue
        last = next(r.final_slots for r in trace.requests if r.id == place["request"]) == place["written"]
        key = "moment.finished" if last else "moment.written"
        found.append(Moment(say(key, request=place["request"], slots=place["written"]), step))
    return found


def start_of(trace: Trace, preset: Preset) -> View:
    """Where the preset begins."""
    step = step_of(trace, preset.step)
    return View(step=0 if step is None else step, lens=preset.lens, accounting=preset.accounting)
