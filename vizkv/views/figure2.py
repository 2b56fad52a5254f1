"""The paper's Figure 2 from a run of our own: bars that grow with it, the paper's numbers, and why the two differ.

Means are over iterations, from the end of the warm-up on, as the paper's are; before that over the last moments only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vizkv.messages import Messages
from vizkv.presets import preset
from vizkv.slots import CATEGORIES, Accounting, Code, Lens, category_of

if TYPE_CHECKING:
    from vizkv.ledgers import Series

FRAMES = 60  # pictures of a bar from empty to its mean
PRESET = "figure-2"
LENS: Lens = "hindsight"  # how the paper names slots
ACCOUNTING: Accounting = "paper"
BATCH_RATE = 2.0  # requests a second at which the paper counts batched requests: not Figure 2's 4
PROMPT, OUTPUT = 161, 338  # mean tokens of the paper's ShareGPT
_SAME_LENGTHS = {"sharegpt_paper_filtered": "sharegpt"}


@dataclass(frozen=True)
class Quoted:
    """What the paper prints of a system: percent of the pool by category, and mean batched requests."""

    shares: Mapping[str, float]
    batched: float


PAPER = {
    "max": Quoted({"used": 20.4, "reserved": 13.3, "internal": 57.3, "external": 8.9}, 7.00),
    "pow2": Quoted({"used": 26.8, "reserved": 17.9, "internal": 13.6, "external": 41.6}, 9.81),
    "oracle": Quoted({"used": 38.2, "reserved": 25.2, "internal": 0.0, "external": 36.6}, 13.62),
    "paged": Quoted({"used": 96.3}, 30.42),
}


def quoted(system: Mapping[str, Any]) -> Quoted | None:
    """The paper's numbers of a system (its fields in the scenario), if it has any."""
    return PAPER.get(str(system["kind"] if system["kind"] == "paged" else system["reserve"]))


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


def growth(told: Series, time_s: np.ndarray, at: np.ndarray, warmup: float) -> Growth:
    """Means over the steps of each picture. ``time_s``: the clock at the end of each step; ``at``: marks, in seconds.

    Within the warm-up a picture is the mean since the one before; behind it, the mean since its end.
    """
    if not len(at) or not told.steps:
        return NOTHING
    columns = np.column_stack([told.counts, told.batched]).astype(float)
    sums = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns, axis=0)])
    ends = np.searchsorted(time_s, at, "right")
    begin = int(np.searchsorted(time_s, warmup, "left"))
    warm = at <= warmup
    starts = np.where(warm, np.concatenate([[0], ends[:-1]]), begin)
    if begin >= ends[-1] and at[-1] > warmup:  # nothing is left to count: all steps are
        starts[~warm] = 0
    rows: list[np.ndarray] = []
    empty = np.zeros(columns.shape[1])
    empty[Code.FREE] = told.slots
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end > start:
            rows.append((sums[end] - sums[start]) / (end - start))
        else:
            rows.append(rows[-1] if rows else empty)
    table = np.array(rows)
    return Growth(table[:, :-1] / told.slots * 100, table[:, -1])


def booked(shares: Iterable[float], lens: Lens, accounting: Accounting) -> dict[str, float]:
    """Percent by code -> percent by category."""
    result = dict.fromkeys(CATEGORIES, 0.0)
    for code, share in enumerate(shares):
        result[category_of(code, lens, accounting)] += float(share)
    return result


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
    tables = [booked(shares, lens, accounting) for shares in seeds]
    return {name: spread([table[name] for table in tables]) for name in CATEGORIES}


# ---- the numbers, and why they differ ----


@dataclass(frozen=True)
class Told:
    """What is known of one system's run when it is over. ``shares``: percent by code; ``seconds``: of an iteration."""

    name: str
    system: Mapping[str, Any]
    shares: np.ndarray
    batched: float
    seconds: float
    steps: int
    never: int
    comparable: Comparable
    seeds: tuple[np.ndarray, ...] = ()


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
        ours = booked(told.shares, LENS, ACCOUNTING)
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
    rounding = [(t.name, float(t.shares[Code.ROUNDING]), t.system) for t in systems if t.system["kind"] != "paged"]
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
    paged = next((t for t in systems if t.system["kind"] == "paged"), None)
    if paged is not None:
        share = round(float(paged.system["watermark"]) * 100, 2)
        lines.append(say("figure2.why.watermark", system=paged.name, share=share))
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
    return say("figure2.others") if name == "external" else say(f"category.{name}")


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
