"""The paper's Figure 2 from a run of our own: bars that grow with it, the paper's numbers, and why the two differ.

Means are over iterations, from the end of the warm-up on, as the paper's are; before that over the last moments only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkv.messages.catalogue import Messages
from vizkv.replay.averages import Window, averages, by_category, means, span, window_of
from vizkv.scenario.presets import preset
from vizkv.trace.slots import CATEGORIES, Accounting, Code, Lens, word_of
from vizkv.views.systems.base import Quoted
from vizkv.views.systems.registry import words

if TYPE_CHECKING:
    from vizkv.replay.ledgers import Series

FRAMES = 60  # pictures of a bar from empty to its mean
PRESET = "figure-2"
LENS: Lens = "hindsight"  # how the paper names slots
ACCOUNTING: Accounting = "paper"
BATCH_RATE = 2.0  # requests a second at which the paper counts batched requests: not Figure 2's 4
PROMPT, OUTPUT = 161, 338  # mean tokens of the paper's ShareGPT
_SAME_LENGTHS = {"sharegpt_paper_filtered": "sharegpt"}


def quoted(system: Mapping[str, Any]) -> Quoted | None:
    """The paper's numbers of a system (its fields in the scenario), if it has any."""
    return words(str(system["kind"])).quoted(system)


@dataclass(frozen=True)
class Comparable:
    """Whether a system runs where the paper measured: shares at 4 requests a second, batched requests at 2."""

    shares: bool
    batched: bool


def _bare(scenario: Mapping[str, Any], index: int) -> tuple[dict[str, Any], float]:
    """What decides one system's run but for seed, names and rate; and the rate."""
    data = {k: v for k, v in scenario.items() if k not in ("name", "seed", "systems")}
    workload = dict(data.get("workload") or {})
    rate = float(workload.pop("rate", 0.0))
    workload["lengths"] = _SAME_LENGTHS.get(workload.get("lengths", ""), workload.get("lengths"))
    data["workload"] = workload
    data["system"] = {k: v for k, v in scenario["systems"][index].items() if k != "name"}
    return data, rate


def comparable(scenario: Mapping[str, Any], index: int) -> Comparable:
    """``scenario``: all its fields (``model_dump()``)."""
    paper = preset(PRESET).scenario.model_dump()
    here, rate = _bare(scenario, index)
    for number, system in enumerate(paper["systems"]):
        if quoted(system) is not quoted(scenario["systems"][index]):
            continue
        there, right = _bare(paper, number)
        if here == there:
            return Comparable(rate == right, rate == BATCH_RATE)
    return Comparable(False, False)


# ---- bars that grow ----


def marks(duration: float) -> np.ndarray:
    """The simulated seconds of the pictures, [FRAMES]."""
    return np.arange(1, FRAMES + 1) * (duration / FRAMES)


def first_counted(duration: float, warmup: float) -> int:
    """The first picture in which something counts, from 1: the first mark behind the warm-up."""
    return min(FRAMES, int(np.searchsorted(marks(duration), warmup, "right")) + 1)


@dataclass(frozen=True)
class Growth:
    """One system's bar at each mark reached. ``shares`` [n, codes] in percent of the pool, ``batched`` [n] requests."""

    shares: np.ndarray
    batched: np.ndarray

    @property
    def frames(self) -> int:
        """Marks reached."""
        return len(self.batched)


NOTHING = Growth(np.zeros((0, len(Code))), np.zeros(0))


def growth(told: Series, time_s: np.ndarray, at: np.ndarray, window: Window) -> Growth:
    """Return the means over the steps of each picture.

    ``time_s``: the clock at the end of each step; ``at``: marks, in seconds; ``window``: as for the averages. Within
    the warm-up a picture is the mean since the one before; after it, the mean since the warm-up's end. A picture
    without a step repeats the one before. The picture at the window's end is the run's averages.
    """
    if not len(at) or not told.steps:
        return NOTHING
    ends = np.searchsorted(time_s, at, "right")
    before = np.concatenate([[0], ends[:-1]])
    starts = np.where(at <= window[0], before, np.searchsorted(time_s, window[0], "left"))
    if at[-1] >= window[1]:
        starts[-1], ends[-1] = span(time_s, window)
    shares, batched = means(told, starts, ends)
    if math.isnan(batched[0]):  # nothing has run yet
        shares[0], batched[0] = np.where(np.arange(len(Code)) == Code.FREE, 100.0, 0.0), 0.0
    # the last picture that had a step, up to each one
    known = np.maximum.accumulate(np.where(np.isnan(batched), 0, np.arange(len(batched))))
    return Growth(shares[known], batched[known])


# ---- several seeds ----


@dataclass(frozen=True)
class Spread:
    """One number over several seeds."""

    mean: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean and range."""
    return Spread(sum(values) / len(values), min(values), max(values))


def spreads(seeds: Sequence[np.ndarray], lens: Lens = LENS, accounting: Accounting = ACCOUNTING) -> dict[str, Spread]:
    """By category, of one system. ``seeds``: percent by code of each seed."""
    tables = [by_category(shares, lens, accounting) for shares in seeds]
    return {name: spread([table[name] for table in tables]) for name in CATEGORIES}


# ---- the numbers, and why they differ ----


@dataclass(frozen=True)
class Told:
    """What is known of one system's run when it is over: its averages, over ``steps`` steps.

    ``shares``: percent by code; ``seconds``: of an iteration in the mean.
    """

    name: str
    system: Mapping[str, Any]
    shares: np.ndarray
    batched: float
    seconds: float
    steps: int
    never: int
    comparable: Comparable
    seeds: tuple[np.ndarray, ...] = ()


def told(
    series: Series, time_s: np.ndarray, scenario: Mapping[str, Any], index: int, seeds: Sequence[np.ndarray] = ()
) -> Told:
    """Return what is known of a system's run. ``scenario``: all its fields; ``index``: the system's place there."""
    counted = averages(series, time_s, window_of(scenario))
    begin = float(time_s[counted.first - 1]) if counted.first else 0.0
    return Told(
        name=series.name,
        system=scenario["systems"][index],
        shares=counted.shares,
        batched=counted.batched,
        seconds=(float(time_s[counted.end - 1]) - begin) / counted.steps if counted.steps else 0.0,
        steps=counted.steps,
        never=series.never,
        comparable=comparable(scenario, index),
        seeds=tuple(seeds),
    )


@dataclass(frozen=True)
class Drawn:
    """What the workload drew: means of the requests' prompt and output tokens."""

    requests: int
    prompt: float
    output: float


@dataclass(frozen=True)
class Number:
    """One of the paper's numbers beside ours, both in percent."""

    system: str
    category: str
    ours: float
    paper: float
    spread: Spread | None

    @property
    def difference(self) -> float:
        """Ours, over the seeds if there are several, minus the paper's."""
        return (self.spread.mean if self.spread else self.ours) - self.paper


def numbers(systems: Sequence[Told]) -> list[Number]:
    """Every share that the paper prints of the systems that run where it measured."""
    result = []
    for told in systems:
        paper = quoted(told.system)
        if paper is None or not told.comparable.shares:
            continue
        ours = by_category(told.shares, LENS, ACCOUNTING)
        several = spreads(told.seeds) if told.seeds else {}
        result += [
            Number(told.name, name, ours[name], value, several.get(name)) for name, value in paper.shares.items()
        ]
    return result


def _one(value: float) -> float:
    """One decimal, and no minus before a zero."""
    return round(value, 1) + 0.0


def why(systems: Sequence[Told], drawn: Drawn, scenario: Mapping[str, Any], say: Messages) -> list[str]:
    """Why ours is not the paper's, reason by reason, from this run. ``scenario``: all its fields."""
    workload = scenario["workload"]
    lines = [
        say(
            "figure2.why.lengths", requests=drawn.requests, prompt=_one(drawn.prompt), output=_one(drawn.output),
            paper_prompt=PROMPT, paper_output=OUTPUT,
        )
    ]  # fmt: skip
    rounding = [(t.name, float(t.shares[Code.ROUNDING]), t.system) for t in systems if "placement" in t.system]
    if rounding:
        name, share, system = max(rounding, key=lambda row: row[1])
        lines.append(
            say("figure2.why.allocator", system=name, share=_one(share), placement=say.name(str(system["placement"])))
        )
    found = numbers(systems)
    several = [n for n in found if n.spread]
    if several:
        widest = max(several, key=lambda n: n.spread.high - n.spread.low if n.spread else 0.0)
        assert widest.spread is not None
        lines.append(
            say(
                "figure2.why.seeds", n=len(next(t.seeds for t in systems if t.seeds)), system=widest.system,
                category=category(widest.category, say), low=_one(widest.spread.low), high=_one(widest.spread.high),
            )
        )  # fmt: skip
    else:
        lines.append(say("figure2.why.seed", seed=scenario["seed"]))
    seconds = [t.seconds * 1000 for t in systems if t.steps]
    if seconds:
        lines.append(
            say(
                "figure2.why.clock", iteration=workload["iteration_ms"], token=workload["token_ms"],
                low=_one(min(seconds)), high=_one(max(seconds)),
            )
        )  # fmt: skip
    spared = next((t for t in systems if "watermark" in t.system), None)
    if spared is not None:
        share = round(float(spared.system["watermark"]) * 100, 2)
        lines.append(say("figure2.why.watermark", system=spared.name, share=share))
    lines.append(
        say(
            "figure2.why.duration", duration=workload["duration"], warmup=workload["warmup"],
            low=min((t.steps for t in systems), default=0), high=max((t.steps for t in systems), default=0),
        )
    )  # fmt: skip
    if found:
        worst = max(found, key=lambda n: abs(n.difference))
        lines.append(
            say(
                "figure2.why.largest", n=len(found), system=worst.system, category=category(worst.category, say),
                ours=_one(worst.spread.mean if worst.spread else worst.ours), paper=worst.paper,
                difference=signed(worst.difference, say),
            )
        )  # fmt: skip
    never = max((t.never for t in systems), default=0)
    if never:
        lines.append(say("figure2.why.never", n=never, requests=drawn.requests))
    return lines


def category(name: str, say: Messages) -> str:
    """What the paper's accounting calls a category."""
    return say(f"category.{word_of(name, ACCOUNTING)}")


def signed(value: float, say: Messages) -> str:
    """A difference with its sign, one decimal."""
    rounded = _one(value)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else "±"
    return sign + say.number(abs(rounded))


def table(systems: Sequence[Told], say: Messages) -> dict[str, list[Any]]:
    """Column title -> values: the paper's numbers beside ours, a row a number."""
    found = numbers(systems)
    columns: dict[str, list[Any]] = {
        say("figure2.column.system"): [n.system for n in found],
        say("figure2.column.category"): [category(n.category, say) for n in found],
        say("figure2.column.ours"): [_one(n.ours) for n in found],
    }
    if any(n.spread for n in found):
        for part in ("mean", "low", "high"):
            columns[say(f"figure2.column.{part}")] = [
                _one(getattr(n.spread, part)) if n.spread else None for n in found
            ]
    columns[say("figure2.column.paper")] = [n.paper for n in found]
    columns[say("figure2.column.difference")] = [_one(n.difference) for n in found]
    return columns
