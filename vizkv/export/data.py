"""What a picture is drawn from, as files: the ledger as CSV, the scenario as TOML, the trace."""

from __future__ import annotations

import csv
import io

from vizkv import __version__
from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import cell
from vizkv.replay.ledgers import ledgers
from vizkv.scenario import schema as scenarios
from vizkv.scenario.schema import Scenario
from vizkv.trace import trace as traces
from vizkv.trace.slots import CATEGORIES, Accounting, Code, Lens
from vizkv.trace.trace import Trace
from vizkv.views.picture.caption import fields

# the finest states, which add up to the pool too: from them every lens and accounting can be told
_CODES = tuple(Code)
COLUMNS = (
    "system", "step", "time_s", "slots", "batched_requests", "lens", "accounting", *CATEGORIES,
    *(f"state_{code.name.lower()}" for code in _CODES),
)  # fmt: skip


def ledger_csv(trace: Trace, lens: Lens, accounting: Accounting, first: int = 0, last: int | None = None) -> bytes:
    """A line a system and step, counts in slots. UTF-8 with a mark that spreadsheets know it by.

    ``first``, ``last``: the steps, both included; all without them.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")  # as RFC 4180 has it
    table.writerow(COLUMNS)
    for system in trace.systems:
        told = ledgers(system, trace.requests)
        shares, name = told.shares(lens, accounting), cell(system.name)
        for step in range(first, min(told.steps, told.steps if last is None else last + 1)):
            second = round(float(system.time_s[step]), 6)
            batched = int(told.batched[step])
            table.writerow(
                [name, step, second, told.slots, batched, lens, accounting, *shares[step].tolist(),
                 *told.counts[step, list(_CODES)].tolist()]
            )  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def parameters(title: str, scenario: Scenario | None, say: Messages) -> str:
    """The caption of a chart over many runs: what is run in a scenario file's own words, and the version."""
    told, made = [title], "export.made"
    if scenario is not None:
        made = "picture.caption.made"  # as the fields are those that are no defaults
        names = [say.name(system.label) for system in scenario.systems]
        told += fields(scenarios.to_dict(scenario), names, say)
    return "\n".join(part for part in (*told, say(made, version=__version__)) if part)


def scenario_toml(trace: Trace) -> bytes:
    """The scenario of a run, as a file that runs it again."""
    return scenarios.to_toml(scenarios.from_dict(trace.scenario)).encode()


def trace_file(trace: Trace) -> bytes:
    """The run itself, as `vizkv run` and the app open it."""
    return traces.save(trace)
