"""Make the data that the browser gets for the page "What if"; vizkv/live/live.js documents its form."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.scenario.schema import Scenario
from vizkv.trace.slots import CATEGORIES, lookup
from vizkv.ui.whatif.runs import Job, Lane, Seeds
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2.live import Comparable, quoted

LOOKUP = lookup()
IDLE = "idle"  # nothing has been run yet


def state_of(job: Job | None) -> str:
    """Return "idle", "running", "done" or "stopped"."""
    if job is None:
        return IDLE
    return "done" if job.done else "running" if job.running else "stopped"


def run_of(job: Job | None) -> str:
    """Return a short name of a run, for tests and tools that look at the page."""
    return hashlib.sha256(job.key.encode()).hexdigest()[:12] if job else ""


def _rounded(table: np.ndarray, digits: int) -> list[Any]:
    return np.round(table, digits).tolist()


def _paper(system: dict[str, Any], told: Comparable) -> dict[str, Any] | None:
    paper = quoted(system)
    if paper is None:
        return None
    return {
        "shares": [paper.shares.get(name) for name in CATEGORIES],
        "batched": paper.batched,
        "compares": {"shares": told.shares, "batched": told.batched},
    }


def systems(
    scenario: Scenario, job: Job | None, seeds: Seeds | None, chosen: tuple[int, str] | None, say: Messages
) -> list[dict[str, Any]]:
    """Return one entry per system."""
    fields = scenario.model_dump()
    found = []
    for index, system in enumerate(scenario.systems):
        lane = job.lanes[index] if job else None
        growth = lane.growth if lane else figure2.NOTHING
        ends = seeds.results[index] if seeds else []
        found.append({
            "name": say.name(system.label),
            "detail": say.error(system.details),
            "done": bool(lane and lane.done),
            "shares": _rounded(growth.shares, 2),
            "batched": _rounded(growth.batched, 3),
            "rate": _rate(lane, say),
            "chosen": chosen[1] if chosen and chosen[0] == index else "",
            "seeds": [_rounded(shares, 2) for shares, _ in ends],
            "paper": _paper(fields["systems"][index], figure2.comparable(fields, index)),
        })  # fmt: skip
    return found


def _rate(lane: Lane | None, say: Messages) -> str:
    """Return the tokens sampled per simulated second, once the run is done; "" before."""
    rate = lane.numbers.get("throughput", math.nan) if lane else math.nan
    return "" if math.isnan(rate) else say("whatif.throughput", rate=round(rate))


def ghost(scenario: Scenario, before: Job | None, title: str) -> dict[str, Any] | None:
    """Return the previous run, with its systems matched to the current ones; None if there is none."""
    if before is None or before.scenario == scenario:
        return None
    rows: list[dict[str, Any] | None] = []
    for index in range(len(scenario.systems)):
        lane = before.lanes[index] if index < len(before.lanes) else None
        if lane is None or not lane.growth.frames:
            rows.append(None)
            continue
        rows.append({
            "shares": _rounded(lane.growth.shares[-1], 2), "batched": round(float(lane.growth.batched[-1]), 3),
        })  # fmt: skip
    return {"title": title, "systems": rows}


def seeds_told(seeds: Seeds | None) -> dict[str, Any]:
    """Return the progress of the run over several seeds."""
    if seeds is None:
        return {"state": "none", "progress": 0.0}
    state = "done" if seeds.done else "running" if seeds.running else "none"
    return {"state": state, "progress": round(seeds.progress, 3)}


def status(scenario: Scenario, job: Job | None, as_paper: bool, ghost_title: str, say: Messages) -> str:
    """Return one or two sentences about the numbers on screen.

    ``as_paper``: whether lens and accounting are those of the paper.
    """
    if job is None:
        return say("whatif.status.idle")
    fields = scenario.model_dump()
    quotes = [i for i, system in enumerate(fields["systems"]) if quoted(system)]
    told = {i: figure2.comparable(fields, i) for i in quotes}
    there = [say.name(scenario.systems[i].label) for i in quotes if told[i].shares]
    other = [say.name(scenario.systems[i].label) for i in quotes if not told[i].shares]
    workload = scenario.workload
    assert workload is not None
    if there and not as_paper:
        words = [say("whatif.status.books")]
    elif quotes and any(told[i].batched for i in quotes):
        words = [say("whatif.status.batch")]
    elif quotes and not there:
        words = [say("whatif.status.elsewhere")]
    elif other:
        words = [say("whatif.status.some", systems=say("whatif.list").join(other))]
    elif there:
        words = [say("whatif.status.paper")]
    else:
        words = [say("whatif.status.own")]
    if ghost_title:
        words.append(ghost_title)
    never = max((round(lane.numbers["never"]) for lane in job.lanes if lane.done), default=0)
    if never:
        words.append(say("whatif.status.never", n=never, requests=job.requests.drawn.requests))
    if state_of(job) == "stopped":
        words.append(say("whatif.status.stopped", share=say.percent(job.progress)))
    return say.sentences(*words)
