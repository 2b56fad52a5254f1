"""Which requests come, and when. Everything random comes from ``scenario.seed``.

Times, prompts and outputs each have a generator of their own, so that another rate does not change the lengths. Nothing
is left out for being too long: the engine reports it, and :func:`report` counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from vizkv.scenario import LENGTH_SETS, MAX_REQUESTS, MAX_TOKENS, Scenario, ScenarioError, Workload
from vizkv.told import told
from vizkv.workload import uploads
from vizkv.workload.arrival import Arrival
from vizkv.workload.conversations import draw_conversations
from vizkv.workload.lengths import draw_lengths, in_words, length_set, make_up_lengths
from vizkv.workload.recorded import Recorded, read_trace, renumbered
from vizkv.workload.rows import Row

MAX_PROMPT_TOKENS = 200_000_000  # where no model runs: prompts are then counted, not stored

Kind = Literal["set", "distribution", "conversations", "upload", "file"]


def draw(workload: Workload, scenario: Scenario) -> list[Arrival]:
    """The requests of a workload in the order of arrival, those before ``workload.duration``.

    Raises ScenarioError for a set that does not exist, a file that cannot be used, and no requests at all.
    """
    seeds = np.random.SeedSequence(scenario.seed).spawn(4)
    times, prompts, outputs, others = (np.random.default_rng(seed) for seed in seeds)
    starts = partial(_times, workload, times)
    kind = kind_of(workload)
    if kind in ("upload", "file"):
        recorded = uploads.read(workload.lengths) if kind == "upload" else read_trace(workload.lengths)
        rows = _replayed(recorded, workload, starts, others)
    elif workload.arrivals == "trace":
        what = told("a set") if kind == "set" else told("made up,")
        raise ScenarioError(
            told(
                "The field workload.arrivals is 'trace', but workload.lengths = {lengths!r} is {what} without "
                "recorded times; valid is 'poisson', 'constant', or a file for workload.lengths.",
                lengths=workload.lengths,
                what=what,
            )
        )
    elif kind == "conversations":
        rows = draw_conversations(workload, starts, prompts, outputs, others)
    else:
        at = starts(workload.rate)
        if kind == "set":
            pairs = draw_lengths(workload.lengths, len(at), prompts, outputs)
        else:
            pairs = make_up_lengths(workload, len(at), prompts, outputs)
        rows = [Row(t, p, o) for t, (p, o) in zip(at, pairs, strict=True)]
    _check_size(rows, workload, scenario)
    return [
        Arrival(str(i), row.prompt, row.output, row.time_s, row.hash_ids, row.step) for i, row in enumerate(rows, 1)
    ]


def kind_of(workload: Workload) -> Kind:
    """Where the lengths of a workload come from."""
    if workload.lengths in LENGTH_SETS:
        return "set"
    if workload.lengths == "conversations":
        return "conversations"
    if workload.is_made_up:
        return "distribution"
    return "upload" if workload.is_upload else "file"


def _times(workload: Workload, generator: np.random.Generator, rate: float) -> list[float]:
    """When things come that come ``rate`` times a second, in seconds below the duration.

    "poisson": at exponential distances. "constant": every 1/rate seconds, the first one at once.
    """
    if workload.arrivals == "constant":
        count = int(workload.duration * rate) + 1
        return [k / rate for k in range(count) if k / rate < workload.duration]
    times: list[float] = []
    now = 0.0
    while now < workload.duration:
        for gap in generator.exponential(1 / rate, size=1024):
            now += float(gap)
            if now >= workload.duration:
                break
            times.append(now)
    return times


def _replayed(
    recorded: Recorded, workload: Workload, starts: Callable[[float], list[float]], picks: np.random.Generator
) -> list[Row]:
    """Requests of a recorded trace, at its times or at drawn ones; prompt and output stay together as recorded.

    At drawn times requests are drawn too, each as likely as the other, as often as needed. Where prompts name their
    content they keep their order instead, for what a prompt shares with those before it is what the trace is about;
    when the trace ends it begins again, with new names.
    """
    named = recorded.hash_ids
    if workload.arrivals == "trace":
        since = recorded.time_s - recorded.time_s.min()
        chosen = np.argsort(since, kind="stable")
        chosen = chosen[since[chosen] < workload.duration]
        at = since[chosen].tolist()
    else:
        at = starts(workload.rate)
        chosen = np.arange(len(at)) % len(recorded) if named else picks.integers(len(recorded), size=len(at))
    pairs = zip(at, recorded.prompts[chosen].tolist(), recorded.outputs[chosen].tolist(), strict=True)
    if not named:
        return [Row(*row) for row in pairs]
    again = len(chosen) > len(recorded)
    if again:
        named = renumbered(named)
    names = [named[i] for i in chosen.tolist()]
    if again:
        new = 1 + max(max(ids, default=0) for ids in named)
        laps = [i // len(recorded) * new for i in range(len(names))]
        names = [tuple(lap + name for name in ids) for lap, ids in zip(laps, names, strict=True)]
    return [Row(*row, ids) for row, ids in zip(pairs, names, strict=True)]


def _check_size(rows: list[Row], workload: Workload, scenario: Scenario) -> None:
    given = f"rate = {workload.rate:g}, " if workload.arrivals != "trace" else ""  # fields as the file has them
    given += f"duration = {workload.duration:g}"
    if not rows:
        raise ScenarioError(
            told("The workload ({given}) has zero requests; valid is a longer duration or a higher rate.", given=given)
        )
    longest = min(scenario.max_model_len, scenario.slots)
    # one that can never run costs nothing
    able = [row for row in rows if row.prompt + row.output - 1 <= longest]
    sampled = sum(row.output for row in able)
    tokens = sampled + sum(row.prompt for row in able)
    most = MAX_TOKENS if scenario.model != "none" else MAX_PROMPT_TOKENS
    checks = (
        (len(rows), MAX_REQUESTS, told("requests")),
        (tokens, most, told("tokens to compute")),
        (sampled, MAX_TOKENS, told("tokens to sample")),
    )
    for count, valid, what in checks:
        if count > valid:
            raise ScenarioError(
                told(
                    "The workload ({given}) has {count} {what}; valid is at most {valid}: give a shorter duration.",
                    given=given,
                    count=count,
                    what=what,
                    valid=valid,
                )
            )


@dataclass(frozen=True)
class Source:
    """Where a workload's lengths come from.

    ``requests``: how many were measured, None where nothing was. ``quantiles``: only quantiles of them are kept.
    ``made_up``: nothing was measured at all.
    """

    name: str
    kind: Kind
    source: str
    licence: str = ""
    requests: int | None = None
    quantiles: bool = False
    made_up: bool = False


_MADE_UP = {
    "constant": "made up: every request has the same lengths",
    "uniform": "made up: every length of a range is equally likely",
    "lognormal": "made up: the logarithms of the lengths are normal",
    "conversations": "made up: chats of several turns, in which each prompt repeats what was said; no recorded trace",
}


def source_of(workload: Workload | str) -> Source:
    """The source of a workload's lengths, or of what a word for ``lengths`` means. Raises ScenarioError for no file."""
    asked = Workload(lengths=workload) if isinstance(workload, str) else workload
    name, kind = asked.lengths, kind_of(asked)
    if kind == "set":
        known = length_set(name)
        return Source(
            name, kind, in_words(known["source"]), in_words(known["licence"]), known["requests"], quantiles=True
        )
    if asked.is_made_up:
        return Source(name, kind, _MADE_UP[name], made_up=True)
    rows = len(uploads.read(name) if kind == "upload" else read_trace(name))
    shown = uploads.name_of(name) if kind == "upload" else Path(name).name
    return Source(shown, kind, "a file that was uploaded" if kind == "upload" else "a file of yours", requests=rows)


@dataclass(frozen=True)
class Report:
    """What a workload asks of a scenario.

    ``rows``: requests of the file, None where there is none. ``requests``: those that come. Of these ``too_long`` can
    never run, because their slots exceed the model's maximum (``over_model``) or else the pool (``over_pool``).
    ``longest``: slots of the longest. ``sharing``: whether prompts name their content, so that they can share it.
    """

    name: str
    rows: int | None
    requests: int
    over_model: int
    over_pool: int
    longest: int
    prompt_tokens: int
    output_tokens: int
    sharing: bool

    @property
    def too_long(self) -> int:
        """Requests that can never run."""
        return self.over_model + self.over_pool


def report(workload: Workload, scenario: Scenario) -> Report:
    """Count what comes and what of it can never run. Raises ScenarioError as :func:`draw`."""
    arrivals = draw(workload, scenario)
    slots = [a.final_slots for a in arrivals]
    over_model = sum(n > scenario.max_model_len for n in slots)
    over_pool = sum(scenario.slots < n <= scenario.max_model_len for n in slots)
    source = source_of(workload)
    return Report(
        name=source.name, rows=source.requests if source.kind in ("upload", "file") else None, requests=len(arrivals),
        over_model=over_model, over_pool=over_pool, longest=max(slots),
        prompt_tokens=sum(a.prompt_tokens for a in arrivals), output_tokens=sum(a.output_tokens for a in arrivals),
        sharing=any(a.hash_ids for a in arrivals),
    )  # fmt: skip
