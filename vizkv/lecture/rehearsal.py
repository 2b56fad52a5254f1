"""Rehearse a script when it is opened: run each beat once, and look for what it opens and asks in that run.

What is wrong is found before the lecture: a step behind the run's end, a slot beyond the pool, a request that the run
does not have, a question that the run does not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from vizkv.lecture.questions import question
from vizkv.lecture.script import Lecture
from vizkv.limits.limits import MAX_REHEARSAL_S
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.trace import Trace
from vizkv.views.view import Limits, parse

Progress = Callable[[int, int], bool | None]
Run = Callable[[Scenario, Progress], Trace]


def rehearse(script: Lecture, run: Run, say: Messages, progress: Progress | None = None) -> None:
    """Run each beat that has requests, and check its view and its questions against the run.

    ``run``: makes the trace of a scenario, and calls the progress that it is given. ``progress``: told after each beat
    how many of how many are done. Raises ScenarioError: one sentence that names the beat, the field, the value and what
    is valid; also where all runs together take longer than ``MAX_REHEARSAL_S`` seconds.
    """
    end = time.monotonic() + MAX_REHEARSAL_S

    def watch(done: int, total: int) -> None:
        if time.monotonic() > end:
            raise ScenarioError(
                told(
                    "The script's runs take longer than {seconds:g} seconds together; valid are fewer beats, or fewer "
                    "or shorter requests.", seconds=MAX_REHEARSAL_S,
                )
            )  # fmt: skip

    for number, beat in enumerate(script.beats):
        where = f"beats[{number}]"
        if beat.scenario is not None and beat.scenario.requests:
            watch(0, 1)
            try:
                trace = run(beat.scenario, watch)
            except ScenarioError as error:
                raise ScenarioError(
                    told("The table {where} has a scenario that cannot be run ({error}).", where=where, error=error)
                ) from None
            _, refused = parse(beat.words(), Limits.of(trace))
            for one in refused:
                given = getattr(beat, one.field)
                value = shorten(given) if isinstance(given, str) else given
                raise ScenarioError(
                    told(
                        "The table {where} has {field} = {value}; valid in its run is {valid}.",
                        where=where, field=one.field, value=value, valid=one.valid,
                    )
                )  # fmt: skip
            for asked in range(len(beat.ask)):
                try:
                    question(beat, asked, trace, say)
                except ScenarioError as error:
                    raise ScenarioError(
                        told("The table {where}: {error}", where=f"{where}.ask[{asked}]", error=error)
                    ) from None
        if progress is not None:
            progress(number + 1, len(script.beats))
