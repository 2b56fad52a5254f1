"""The form for the open scenario's workload: source of the lengths, arrivals, and the length that is too long to run.

A change makes a new scenario, whose requests are drawn before it is opened; if that fails, the error is shown instead.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from vizkv import workload as workloads
from vizkv.limits import kept
from vizkv.limits.limits import MAX_WORKLOAD_UPLOAD
from vizkv.messages.catalogue import Messages
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import FORMATS, LENGTH_SETS, Scenario, ScenarioError, Workload, from_dict, to_dict
from vizkv.ui import link, outside, store, widgets
from vizkv.views.facts import sources
from vizkv.workload import Report, Source, uploads

OWN = "own"  # the choice that asks for a file; not the name of a length set
_NEXT = "next-format"
FORMAT, ANY = "format", ""  # the widget of a file's format, and the choice "recognise it"
_SETS = tuple(name for name in LENGTH_SETS if name != "sharegpt_paper_filtered")  # the long name of "sharegpt"
ARRIVALS = ("poisson", "constant", "trace")
_MOST = 131_072  # largest number of tokens in a field
_SAFE = 2**53 - 1  # the largest integer that JavaScript represents exactly
# field -> (minimum, maximum, step) of its widget; integers stay integers
_NUMBERS: dict[str, tuple[float, float, float]] = {
    "prompt_tokens": (1, _MOST, 16),
    "output_tokens": (1, _MOST, 16),
    "prompt_median": (1.0, float(_MOST), 16.0),
    "prompt_sigma": (0.0, 4.0, 0.1),
    "output_median": (1.0, float(_MOST), 16.0),
    "output_sigma": (0.0, 4.0, 0.1),
    "turns": (1, 1000, 1),
    "system_tokens": (0, _MOST, Workload.STEP),
    "user_median": (1.0, float(_MOST), 16.0),
    "user_sigma": (0.0, 4.0, 0.1),
    "think_s": (0.0, 100_000.0, 5.0),
    "rate": (0.01, 10_000.0, 0.5),
    "duration": (1.0, 1_000_000.0, 60.0),
    "warmup": (0.0, 1_000_000.0, 60.0),
    "seed": (0, _SAFE, 1),
}
_RANGES = ("prompt_range", "output_range")


def changed(scenario: Scenario, name: str, value: Any, format: str | None = None) -> Scenario:
    """Return the scenario with one field of its workload, or its seed, set. Raises ScenarioError.

    ``format``: the format of an uploaded file that becomes the lengths; None: recognise it.
    """
    if name == "lengths":
        return workloads.with_lengths(scenario, value, format)
    data = to_dict(scenario)
    if name == "seed":
        return from_dict(data | {"seed": value})
    return from_dict(data | {"workload": data["workload"] | {name: value}})


@kept.cached(8 << 20, digest_of)
def _facts(scenario: Scenario) -> tuple[Source, Report]:
    assert scenario.workload is not None
    return workloads.source_of(scenario.workload), workloads.report(scenario.workload, scenario)


def facts(scenario: Scenario) -> tuple[Source, Report]:
    """Return the source of the lengths and a report of the requests. Raises ScenarioError, also for a missing file."""
    outside.refuse_files(scenario)
    if scenario.workload is not None and scenario.workload.is_upload:
        uploads.path(scenario.workload.lengths)  # the file may have been deleted since the cached report
    return _facts(scenario)


def show(key: str) -> None:
    """Draw the form for the open scenario. ``key``: prefix of its widgets' keys, unique on the page."""
    state = link.current()
    say, workload = state.say, state.scenario.workload
    if workload is None:
        st.caption(say("workload.none"))
        return
    _Form(key, state, workload).show()


class _Form:
    """The widgets of the form; each shows the scenario's current value, also after changes made elsewhere."""

    def __init__(self, key: str, state: link.Open, workload: Workload):
        self.key, self.state, self.workload, self.say = key, state, workload, state.say
        self.wants_another = bool(store.get(f"{key}-{OWN}"))  # whether the visitor chose to upload a file
        self.wants_file = workload.is_upload or self.wants_another

    def show(self) -> None:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            self._lengths()
            for name in () if self.wants_file else Workload.MADE_UP.get(self.workload.lengths, ()):
                self._range(name) if name in _RANGES else self._number(name)
        if self.wants_file:
            self._uploader()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            self._arrivals()
            self._number("rate", disabled=self.workload.arrivals == "trace")
            for name in ("duration", "warmup", "seed"):
                self._number(name)
        self._told()

    def _shows(self, name: str, value: Any, among: list[str] | None = None) -> dict[str, Any]:
        """Return the arguments of a widget that shows a field's value."""
        key = widgets.shows(f"{self.key}-{name}", value)
        return {"key": key, "on_change": widgets.changed(key, partial(self._moved, name), among)}

    def _change(self, name: str, value: Any, format: str | None = None) -> None:
        try:
            scenario = changed(self.state.scenario, name, value, format)
            facts(scenario)  # a workload that cannot be drawn is not opened
        except ScenarioError as error:
            self.state.problem = self.say("problem.kept", problem=str(error))
            return
        store.take(f"{self.key}-{OWN}")
        store.take(f"{self.key}-{_NEXT}")
        link.change(scenario)

    def _moved(self, name: str, value: Any) -> None:
        if value is None:  # the field was emptied
            return
        if name == "lengths" and value == OWN:
            store.put(f"{self.key}-{OWN}", True)
            return
        if name == FORMAT:
            self._format_moved(value)
            return
        self._change(name, value)

    def _lengths(self) -> None:
        here = self.workload.lengths
        chosen = OWN if self.wants_another else here
        known = list(dict.fromkeys([*_SETS, *Workload.MADE_UP, here, OWN]))
        st.selectbox(
            self.say("workload.field.lengths"), known, width=330, format_func=lambda name: _title(self.say, name),
            **self._shows("lengths", chosen, known),
        )  # fmt: skip

    def _arrivals(self) -> None:
        recorded = self.workload.arrivals == "trace" or _has_times(self.state.scenario)
        known = [a for a in ARRIVALS if recorded or a != "trace"]
        st.selectbox(
            self.say("workload.field.arrivals"), known, width=330,
            format_func=lambda name: self.say(f"workload.arrivals.{name}"),
            **self._shows("arrivals", self.workload.arrivals, known),
        )  # fmt: skip

    def _number(self, name: str, disabled: bool = False) -> None:
        low, high, step = _NUMBERS[name]
        held = self.state.scenario.seed if name == "seed" else getattr(self.workload, name)
        value = type(low)(min(max(held, low), high))
        key = f"workload.help.{name}"
        st.number_input(
            self.say(f"workload.field.{name}"), low, high, value, step, width=170, disabled=disabled,
            help=self.say(key) if key in self.say else None, **self._shows(name, value),
        )  # fmt: skip

    def _range(self, name: str) -> None:
        for index, end in enumerate(("from", "to")):
            value = min(getattr(self.workload, name)[index], _MOST)
            key = widgets.shows(f"{self.key}-{name}-{end}", value)
            st.number_input(
                self.say(f"workload.field.{name}.{end}"), 1, _MOST, value, 16, width=170, key=key,
                on_change=widgets.changed(key, partial(self._end_moved, name, index)),
            )  # fmt: skip

    def _end_moved(self, name: str, index: int, value: int | None) -> None:
        ends = list(getattr(self.workload, name))
        if value is not None:
            ends[index] = value
            self._change(name, ends)

    def _uploader(self) -> None:
        upload, declared = st.columns([3, 1], vertical_alignment="top")
        key = f"{self.key}-file-{self.state.edition}"  # a new edition empties the uploader: a file is opened once
        with upload:
            st.file_uploader(
                self.say("workload.upload"), help=self.say("workload.upload.help"), key=key,
                on_change=widgets.changed(key, self._uploaded), max_upload_size=MAX_WORKLOAD_UPLOAD // 10**6,
            )  # fmt: skip
        known = [ANY, *FORMATS]
        with declared:
            st.selectbox(
                self.say("workload.field.format"), known, help=self.say("workload.help.format"),
                format_func=lambda name: _format(self.say, name), **self._shows(FORMAT, self._format_shown(), known),
            )  # fmt: skip

    def _uploaded(self, file: Any) -> None:
        if file is None:
            return
        declared = self._format_shown() or None
        try:
            word = uploads.keep(file.getvalue(), file.name, declared)
        except ScenarioError as error:
            self.state.problem = self.say("problem.kept", problem=str(error))
        else:
            self._change("lengths", word, declared)
        self.state.edition += 1

    def _format_shown(self) -> str:
        """Return the format of the open file, or the one chosen for the next upload."""
        if self.workload.is_upload and not self.wants_another:
            return self.workload.format or ANY
        return str(store.get(f"{self.key}-{_NEXT}", ANY))

    def _format_moved(self, value: str) -> None:
        """Read the open file again in another format, or store the format for the next upload."""
        if self.workload.is_upload and not self.wants_another:
            self._change("lengths", self.workload.lengths, value or None)
        else:
            store.put(f"{self.key}-{_NEXT}", value)

    def _told(self) -> None:
        say, scenario = self.say.in_markdown, self.state.scenario
        try:
            source, report = facts(scenario)
        except ScenarioError as error:
            st.caption(say.error(error))  # running the scenario shows the error as a warning
            return
        st.caption(sources.words(source, scenario.model, say) + "  \n" + _report(say, report, scenario))


def _title(say: Messages, name: str) -> str:
    if name in LENGTH_SETS or name in Workload.MADE_UP or name == OWN:
        return say(f"workload.lengths.{name}")
    return uploads.name_of(name)


def _format(say: Messages, name: str) -> str:
    return say("workload.format.any") if name == ANY else sources.title(name, say)


def _has_times(scenario: Scenario) -> bool:
    """Return whether a scenario's workload has recorded arrival times."""
    try:
        return facts(scenario)[0].timed
    except ScenarioError:
        return False


def _report(say: Messages, report: Report, scenario: Scenario) -> str:
    """Say how many requests arrive and how many of them never run."""
    told = [say("workload.report", n=report.requests, longest=report.longest)]
    if report.over_model:
        told.append(say("workload.report.model", n=report.over_model, most=scenario.max_model_len))
    if report.over_pool:
        told.append(say("workload.report.pool", n=report.over_pool, most=scenario.slots))
    return say.sentences(*told)
