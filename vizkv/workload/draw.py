"""Draw the requests of a workload and their arrival times. All randomness derives from ``scenario.seed``.

Times, prompts and outputs each have their own generator, so that another rate does not change the lengths. Requests
that are too long to run are not left out: the engine reports them, and :func:`report` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from vizkv.messages.sentence import told
from vizkv.scenario.schema import LENGTH_SETS, MAX_REQUESTS, MAX_TOKENS, Scenario, ScenarioError, Workload
from vizkv.workload import uploads
from vizkv.workload.arrival import BLOCK, Arrival
from vizkv.workload.conversations import draw_conversations
from vizkv.workload.formats import Parsed, Recorded, Texts, renumbered
from vizkv.workload.lengths import draw_lengths, in_words, length_set, make_up_lengths
from vizkv.workload.recorded import read_trace
from vizkv.workload.rows import Row
from vizkv.workload.tokens import encoder, tokenizer_of

MAX_PROMPT_TOKENS = 200_000_000  # without a model, when prompts are counted but not stored

Kind = Literal["set", "distribution", "conversations", "upload", "file"]


def draw(workload: Workload, scenario: Scenario) -> list[Arrival]:
    """Return the requests of a workload that arrive before ``workload.duration``, in the order of arrival.

    Raises ScenarioError for a set that does not exist, a file that cannot be used, no requests, or too many.
    """
    seeds = np.random.SeedSequence(scenario.seed).spawn(4)
    times, prompts, outputs, others = (np.random.default_rng(seed) for seed in seeds)
    starts = partial(_times, workload, times)
    kind = kind_of(workload)
    if kind in ("upload", "file"):
        recorded = read(workload)
        if not recorded.timed and workload.arrivals == "trace":
            raise _untimed(workload, told("a file"))
        at = starts(workload.rate) if workload.arrivals != "trace" else []
        if isinstance(recorded, Texts):
            recorded = counted(recorded, scenario.model, len(at))
        rows = _replayed(recorded, workload, at, others)
    elif workload.arrivals == "trace":
        raise _untimed(workload, told("a set") if kind == "set" else told("made up,"))
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
    return _arrivals(rows)


def _arrivals(rows: list[Row]) -> list[Arrival]:
    return [
        Arrival(str(i), row.prompt, row.output, row.time_s, row.hash_ids, row.step) for i, row in enumerate(rows, 1)
    ]


def arrivals_of(recorded: Recorded) -> list[Arrival]:
    """Return all requests of a file, in the order of their times."""
    whole = Workload(lengths="file", arrivals="trace", duration=1_000_000.0)
    return _arrivals(_replayed(recorded, whole, [], np.random.default_rng(0)))


def counted(texts: Texts, model: str, wanted: int) -> Recorded:
    """Return the first ``wanted`` requests of a file of texts, with their tokens counted for a scenario's model."""
    name = tokenizer_of(model)
    return texts.counted(name, encoder(name), wanted)


def read(workload: Workload) -> Parsed:
    """Parse the file or upload of a workload. Raises ScenarioError."""
    if workload.is_upload:
        return uploads.read(workload.lengths, workload.format)
    return read_trace(workload.lengths, workload.format)


def _untimed(workload: Workload, what: str) -> ScenarioError:
    """Return the error for recorded arrivals without recorded times. ``what``: the kind of the lengths, in words."""
    return ScenarioError(
        told(
            "The field workload.arrivals is 'trace', but workload.lengths = {lengths!r} is {what} without recorded "
            "times; valid is 'poisson', 'constant', or a file with times for workload.lengths.",
            lengths=workload.lengths,
            what=what,
        )
    )


def kind_of(workload: Workload) -> Kind:
    """Return where the lengths of a workload come from."""
    if workload.lengths in LENGTH_SETS:
        return "set"
    if workload.lengths == "conversations":
        return "conversations"
    if workload.is_made_up:
        return "distribution"
    return "upload" if workload.is_upload else "file"


def _times(workload: Workload, generator: np.random.Generator, rate: float) -> list[float]:
    """Return arrival times at ``rate`` per second, in seconds, up to the workload's duration.

    "poisson": at exponential intervals. "constant": every 1/rate seconds, beginning at 0.
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


def _replayed(recorded: Recorded, workload: Workload, at: list[float], picks: np.random.Generator) -> list[Row]:
    """Return requests of a recorded trace, at its times or at drawn ones (``at``); prompt and output stay together.

    At drawn times the requests are drawn too, uniformly and with replacement. If prompts have content hashes, they keep
    their order instead, to preserve what each shares with those before it; after the last request the trace repeats,
    with new hashes.
    """
    named = recorded.hash_ids
    if workload.arrivals == "trace":
        since = recorded.time_s - recorded.time_s.min()
        chosen = np.argsort(since, kind="stable")
        chosen = chosen[since[chosen] < workload.duration]
        at = since[chosen].tolist()
    else:
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
    elif recorded.step > 1:
        names = [tuple(ids) for ids in names]
    return [Row(*row, ids, recorded.step or BLOCK) for row, ids in zip(pairs, names, strict=True)]


def _check_size(rows: list[Row], workload: Workload, scenario: Scenario) -> None:
    """Refuse a workload without requests, or with too many requests or tokens. Raises ScenarioError."""
    given = f"rate = {workload.rate:g}, " if workload.arrivals != "trace" else ""  # fields as in the scenario's file
    given += f"duration = {workload.duration:g}"
    if not rows:
        raise ScenarioError(
            told("The workload ({given}) has zero requests; valid is a longer duration or a higher rate.", given=given)
        )
    longest = min(scenario.max_model_len, scenario.slots)
    # a request that can never run takes no time
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

    ``requests``: how many were measured; None for synthetic lengths. ``quantiles``: only their quantiles are known.
    ``made_up``: the lengths are synthetic. Of a file: its ``format``, and whether it was ``declared`` or recognised;
    ``left_out``: requests that failed, or conversations without an answer; ``timed``: whether it has times.
    """

    name: str
    kind: Kind
    source: str
    licence: str = ""
    requests: int | None = None
    quantiles: bool = False
    made_up: bool = False
    format: str = ""
    declared: bool = False
    left_out: int = 0
    timed: bool = False


_MADE_UP = {
    "constant": "made up: every request has the same lengths",
    "uniform": "made up: every length of a range is equally likely",
    "lognormal": "made up: the logarithms of the lengths are normal",
    "conversations": "made up: chats of several turns, in which each prompt repeats what was said; no recorded trace",
}


def source_of(workload: Workload | str) -> Source:
    """Return the source of a workload's lengths. Raises ScenarioError if they are a file that cannot be read.

    ``workload``: also the value of ``lengths`` alone.
    """
    asked = Workload(lengths=workload) if isinstance(workload, str) else workload
    name, kind = asked.lengths, kind_of(asked)
    if kind == "set":
        known = length_set(name)
        return Source(
            name, kind, in_words(known["source"]), in_words(known["licence"]), known["requests"], quantiles=True
        )
    if asked.is_made_up:
        return Source(name, kind, _MADE_UP[name], made_up=True)
    found = read(asked)
    shown = uploads.name_of(name) if kind == "upload" else Path(name).name
    return Source(
        shown, kind, "a file that was uploaded" if kind == "upload" else "a file of yours", requests=len(found),
        format=found.format, declared=asked.format is not None, left_out=found.left_out, timed=found.timed,
    )  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A summary of the requests that a workload gives to a scenario.

    ``rows``: requests in the file; None without a file. ``requests``: those that arrive. Of these, ``too_long`` can
    never run, because their slots exceed the model's maximum length (``over_model``) or else the pool (``over_pool``).
    ``longest``: slots of the longest. ``sharing``: whether prompts have content hashes, so that they can share blocks.
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
        """Number of requests that can never run."""
        return self.over_model + self.over_pool


def report(workload: Workload, scenario: Scenario) -> Report:
    """Count the requests that arrive, and those that can never run. Raises ScenarioError as :func:`draw`."""
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
