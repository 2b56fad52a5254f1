"""Named moments of a run: a preset defines them by slots written, and the trace gives the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vizkv.messages.catalogue import Messages
from vizkv.replay import at, walk
from vizkv.trace.trace import Trace
from vizkv.views.payload.pack import Moment, View

if TYPE_CHECKING:
    from vizkv.scenario.presets import Preset


def step_of(trace: Trace, place: Any, system: int = 0) -> int | None:
    """Return the step of a place: a step itself, or the first after which a request has written ``written`` slots.

    None if that never happens.
    """
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
    """Return the moments of a preset; those that this run does not have, as with another text, are left out."""
    found = []
    for place in preset.moments:
        step = _exactly(trace, place)
        if step is None:
            continue
        if isinstance(place, int):
            found.append(Moment(say("moment.step", step=step), step))
            continue
        last = next(r.final_slots for r in trace.requests if r.id == place["request"]) == place["written"]
        key = "moment.finished" if last else "moment.written"
        found.append(Moment(say(key, request=place["request"], slots=place["written"]), step))
    return found


def _exactly(trace: Trace, place: Any) -> int | None:
    """Return the step of a place that the run reaches exactly, to the slot; None if it does not."""
    if isinstance(place, int):
        return place if place <= trace.steps else None
    step = step_of(trace, place)
    if step is None:
        return None
    live = at(trace.systems[0], trace.requests, step).live.values()
    written = {trace.requests[one.index].id: one.written for one in live}
    return step if written[place["request"]] == place["written"] else None


def start_of(trace: Trace, preset: Preset) -> View:
    """Return the view that a preset begins with."""
    step = step_of(trace, preset.step)
    return View(step=0 if step is None else step, lens=preset.lens, accounting=preset.accounting)
