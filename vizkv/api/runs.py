"""A run of a scenario: its state and its ledger at any step, as numbers, as a picture, as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vizkv.api.scenarios import Source, load
from vizkv.messages.catalogue import messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.replay.ledgers import ledgers
from vizkv.replay.opening import opened
from vizkv.replay.walking import at
from vizkv.scenario import schema
from vizkv.scenario.schema import Scenario
from vizkv.systems.base.replay import Replay
from vizkv.trace import trace as traces
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES, Accounting, Lens, shares
from vizkv.trace.trace import Trace
from vizkv.views.facts import records

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], Any]
Format = str
_FORMATS = ("svg", "png", "pdf")
_NOTEBOOK_STEPS = 4_000  # a longer run is too large for a notebook's file: it is described in a line
_FRAME = '<iframe srcdoc="{page}" title="{title}" style="width: 100%; height: 640px; border: 0"></iframe>'


class RunError(ValueError):
    """A run was asked for something that it does not have; the message is one sentence."""


@dataclass(frozen=True)
class Request:
    """A sequence of a run. Lengths are in tokens; ``arrival`` in steps, in a workload in seconds."""

    id: str
    prompt_tokens: int
    final_slots: int
    arrival: float


@dataclass(frozen=True)
class State:
    """One system at the end of a step.

    ``block_tables``: the blocks of each running request, in the order of its text; where layers fall into groups, such
    a list for each group; empty without blocks.
    ``free_queue``: free blocks, the next to be handed out first. ``references``: how many tables hold a block, for
    blocks with at least one. ``record``: what ``vizkv run --json`` prints of the step.
    """

    system: str
    step: int
    running: tuple[str, ...]
    waiting: tuple[str, ...]
    block_tables: dict[str, list[Any]]
    free_queue: list[int]
    references: dict[int, int]
    record: dict[str, Any] = field(repr=False)


class Run:
    """A finished run. Steps count from 0; results are keyed by the labels of the systems.

    A system that is done before the others has no state at later steps: it is left out there.
    """

    def __init__(self, trace: Trace):
        self._trace = trace

    @classmethod
    def read(cls, path: str | Path) -> Run:
        """Return the run that :meth:`save` wrote. Raises TraceError, whose text is one sentence."""
        return cls(opened(traces.read(path))[0])

    def __repr__(self) -> str:
        names = ", ".join(self.systems)
        counts = f"steps: {self.steps}, requests: {len(self.requests)}"
        return f"<vizkv.Run {self.scenario.name!r}, {counts}, systems: {names}>"

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return schema.from_dict(self._trace.scenario)

    @property
    def steps(self) -> int:
        """Number of steps of the system that ran longest."""
        return self._trace.steps

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems, in the order of the scenario."""
        return tuple(system.name for system in self._trace.systems)

    @property
    def requests(self) -> tuple[Request, ...]:
        """The sequences of the run; a request with several samples has one entry for each."""
        return tuple(Request(r.id, r.prompt_tokens, r.final_slots, r.arrival) for r in self._trace.requests)

    def ledger(
        self, step: int, lens: Lens = "hindsight", accounting: Accounting = "textbook"
    ) -> dict[str, dict[str, int]]:
        """Return the slots of each system by category; a system's counts add up to its pool.

        ``lens``: "online" (what the system knows at that step) or "hindsight". ``accounting``: "textbook" or "paper"
        (vLLM paper, section 3.1). Raises RunError.
        """
        _one_of("lens", lens, LENSES)
        _one_of("accounting", accounting, ACCOUNTINGS)
        return {replay.system.name: shares(replay.counts, lens, accounting) for replay in self._replays(step)}

    def at(self, step: int) -> dict[str, State]:
        """Return the state of each system at the end of a step. Raises RunError."""
        return {replay.system.name: self._state(replay) for replay in self._replays(step)}

    def _state(self, replay: Replay) -> State:
        record = records.record(replay, self._trace)
        tables = {r["id"]: r.get("block_table", r.get("block_tables")) for r in record["running"]}
        return State(
            replay.system.name,
            replay.step,
            tuple(tables),
            tuple(record["waiting"]),
            {name: table for name, table in tables.items() if table is not None},
            list(replay.free_queue),
            {block: count for block, count in replay.references.items() if count},
            record,
        )

    def events(self, step: int) -> dict[str, list[dict[str, Any]]]:
        """Return what happened in a step, in order: records as ``vizkv run --json`` prints them. Raises RunError."""
        self._check(step)
        return {
            system.name: [records.event_record(event, self._trace) for event, _ in system.events(step)]
            for system in self._trace.systems
            if step < system.steps
        }

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return the averages and totals of each system, as ``vizkv run --json`` prints them last."""
        return records.summary(self._trace)

    def to_frame(self, lens: Lens = "hindsight", accounting: Accounting = "textbook") -> pd.DataFrame:
        """Return every step of every system as a row.

        Columns: ``system``, ``step``, ``time_s`` (the system's clock at the end of the step), ``batched`` (requests in
        the step's batch), and the slots in each category. Raises RunError.
        """
        import pandas as pd

        _one_of("lens", lens, LENSES)
        _one_of("accounting", accounting, ACCOUNTINGS)
        parts = []
        for system in self._trace.systems:
            told = ledgers(system, self._trace.requests)
            table = pd.DataFrame(told.shares(lens, accounting), columns=list(CATEGORIES))
            table.insert(0, "system", system.name)
            table.insert(1, "step", range(told.steps))
            table.insert(2, "time_s", system.time_s[: told.steps])
            table.insert(3, "batched", told.batched)
            parts.append(table)
        return pd.concat(parts, ignore_index=True)

    def figure(
        self, step: int, format: str = "", *, path: str | Path | None = None, lens: Lens = "hindsight",
        accounting: Accounting = "textbook", theme: str = "light", language: str = "en",
    ) -> bytes:  # fmt: skip
        """Return a picture of all systems at a step, and write it to ``path`` if one is given.

        ``format``: "svg", "png" or "pdf"; that of the path's suffix, or "svg", if it is empty. ``theme``: "light" or
        "dark". ``language``: "en" or "zh". Raises RunError, and OSError where the file cannot be written.
        """
        from vizkv.export.make import make
        from vizkv.export.request import THEMES, Wish

        kind = format or (Path(path).suffix.removeprefix(".").lower() if path is not None else "") or "svg"
        _one_of("format", kind, _FORMATS)
        _one_of("lens", lens, LENSES)
        _one_of("accounting", accounting, ACCOUNTINGS)
        _one_of("theme", theme, THEMES)
        _one_of("language", language, ("en", "zh"))
        self._check(step)
        wish = Wish("player", kind, step=step, lens=lens, accounting=accounting, theme=theme)
        data = make(wish, self._trace, messages(language)).data
        if path is not None:
            Path(path).write_bytes(data)
        return data

    def save(self, path: str | Path) -> None:
        """Write the run as a trace file, which the app opens and :meth:`read` reads. Raises OSError."""
        Path(path).write_bytes(traces.save(self._trace))

    def _repr_html_(self) -> str:
        """Return the player for a notebook: it needs no server and no network."""
        if self.steps > _NOTEBOOK_STEPS:
            return escape(repr(self))
        from vizkv.export.make import make
        from vizkv.export.request import Wish

        page = make(Wish("html", "html", caption=False), self._trace, messages("en")).data.decode()
        return _FRAME.format(page=escape(page), title=escape(repr(self)))

    def _check(self, step: int) -> None:
        if type(step) is not int or not 0 <= step < self.steps:
            raise RunError(
                told(
                    "The step is {step}, which this run does not have; valid is 0 to {most}.",
                    step=shorten(step), most=self.steps - 1,
                )
            )  # fmt: skip

    def _replays(self, step: int) -> list[Replay]:
        """Return the replay of each system that has the step, at the end of it."""
        self._check(step)
        return [at(system, self._trace.requests, step) for system in self._trace.systems if step < system.steps]


def run(scenario: Source, *, progress: Progress | None = None) -> Run:
    """Run a scenario to its end.

    ``scenario``: anything that :func:`vizkv.load` takes. ``progress``: called now and then with (tokens written, tokens
    in all); a true result ends the run with ``vizkv.engine.engine.Cancelled``. Raises ScenarioError.
    """
    from vizkv.engine import engine

    return Run(engine.run(load(scenario), progress=progress))


def _one_of(name: str, value: Any, valid: tuple[str, ...]) -> None:
    """Raises RunError unless the value is one of the valid ones."""
    if value not in valid:
        raise RunError(
            told(
                "The {name} is {value}; valid is {valid}.", name=name, value=shorten(str(value)), valid=either([*valid])
            )
        )
