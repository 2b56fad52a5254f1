"""``vizkv workload FILE [--format NAME]``; and the options of other commands that name a workload file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from vizkv import workload as workloads
from vizkv.cli.language import option
from vizkv.cli.text import aligned
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.scenario import schema as scenarios
from vizkv.scenario.schema import FORMATS, Scenario, ScenarioError, Workload, from_dict, to_dict
from vizkv.views.facts import sources

_BLOCK = 16  # tokens a block of the prefix cache by which sharing is told


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("workload", help=say("cli.workload"), description=say("cli.workload"))
    command.add_argument("file", type=Path, metavar="FILE", help=say("cli.workload.file"))
    _format(command, say)
    option(command, say)
    command.set_defaults(action=_workload)


def options(command: Any, say: Messages) -> None:
    """Add the options that put a workload file in the place of the scenario's requests."""
    command.add_argument("--workload", type=Path, metavar="FILE", help=say("cli.workload.option"))
    _format(command, say)


def _format(command: Any, say: Messages) -> None:
    command.add_argument("--format", choices=FORMATS, dest="trace_format", metavar="NAME",
                         help=say("cli.workload.format", formats=", ".join(FORMATS)))  # fmt: skip


def load(arguments: argparse.Namespace) -> Scenario:
    """Return the scenario of a command's file, with what its options say of its workload. Raises ScenarioError."""
    scenario = scenarios.load(arguments.file)
    if arguments.workload is not None:
        return workloads.with_lengths(scenario, str(arguments.workload), arguments.trace_format)
    if arguments.trace_format is None:
        return scenario
    if scenario.workload is None:
        raise ScenarioError(
            told("The option --format is given for a scenario without a [workload]; valid is one with a workload file.")
        )
    data = to_dict(scenario)
    return from_dict(data | {"workload": data["workload"] | {"format": arguments.trace_format}})


def refuse(arguments: argparse.Namespace) -> None:
    """Refuse options about a workload beside a saved trace, which has its requests. Raises ScenarioError."""
    for name, given in (("--workload", arguments.workload), ("--format", arguments.trace_format)):
        if given is not None:
            raise ScenarioError(
                told("The option {name} is given for a saved trace; valid is a scenario file beside it.", name=name)
            )


def told_of(scenario: Scenario, say: Messages) -> list[str]:
    """Return where a workload's requests come from, in a line; nothing where it is no file, or it is not here."""
    given = scenario.workload
    if given is None or not (given.is_file or given.is_upload):
        return []
    try:
        return [sources.words(workloads.source_of(given), scenario.model, say)]
    except ScenarioError:
        return []


def _workload(arguments: argparse.Namespace, say: Messages) -> int:
    """What a workload file holds, before anything is run."""
    asked = Workload(lengths=str(arguments.file), format=arguments.trace_format)
    if not asked.is_file:
        raise ScenarioError(told("The workload is {name!r}, no file; valid is the name of a file.", name=asked.lengths))
    found = workloads.read(asked)
    print(sources.words(workloads.source_of(asked), "none", say))
    if isinstance(found, workloads.Texts):
        found = workloads.counted(found, "none", len(found))
    titles = [say(f"cli.workload.{name}") for name in ("which", "least", "median", "mean", "most", "sum")]
    rows = [titles]
    for name, values in (("prompt", found.prompts), ("output", found.outputs)):
        numbers = (values.min(), np.median(values), round(float(values.mean()), 1), values.max(), values.sum())
        rows.append([say(f"cli.workload.{name}"), *(say.number(float(number)) for number in numbers)])
    print("\n".join(aligned(rows)))
    if found.timed:
        seconds = float(found.time_s.max() - found.time_s.min())
        print(say("cli.workload.seconds", seconds=round(seconds, 1)))
    if found.hash_ids:
        rate = workloads.infinite_hit_rate(workloads.arrivals_of(found), _BLOCK)
        print(say("cli.workload.hits", rate=say.percent(round(rate, 4)), block=_BLOCK))
    return 0
