"""The workload of the open scenario: where its lengths come from, how its requests arrive, and what is too long to run.

Each change makes a new scenario that has been drawn once before it is opened, or a sentence, and nothing changes.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from vizkv import workload as workloads
from vizkv.link import from_code, to_code
from vizkv.messages import Messages
from vizkv.scenario import LENGTH_SETS, Scenario, ScenarioError, Workload, from_dict, to_dict
from vizkv.ui import link
from vizkv.workload import Report, Source, uploads

_STYLE = Path(__file__).parent / "workload_form.css"
OWN = "own"  # the choice that asks for a file; no name of lengths
_SETS = tuple(name for name in LENGTH_SETS if name != "sharegpt_paper_filtered")  # it is "sharegpt" by its long name
ARRIVALS = ("poisson", "constant", "trace")
_MOST = 131_072  # tokens, in a field of the form
_SAFE = 2**53 - 1  # the largest whole number that a browser counts to
# field -> lowest, highest, step of its widget; whole numbers stay whole
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


def changed(scenario: Scenario, name: str, value: Any) -> Scenario:
    """The scenario with one field of its workload, or its seed, put in. Raises ScenarioError.

    Other lengths take the fields with them that belong to no other kind, and recorded times if they have none; a file
    comes with its own times and runs as long as they do, and both go with it.
    """
    data = to_dict(scenario)
    if name == "seed":
        return from_dict(data | {"seed": value})
    given = data["workload"] | {name: value}
    if name == "lengths":
        own = Workload.MADE_UP.get(value, ())
        foreign = {field for fields in Workload.MADE_UP.values() for field in fields} - set(own)
        given = {field: kept for field, kept in given.items() if field not in foreign}
        recorded = Workload.UPLOAD.fullmatch(value) is not None
        if recorded or given.get("arrivals") == "trace":
            given["arrivals"] = "trace" if recorded else "poisson"
        if recorded:
            given["duration"], given["warmup"] = uploads.span(value)
        elif scenario.workload is not None and scenario.workload.is_upload:
            given = {field: kept for field, kept in given.items() if field not in ("duration", "warmup")}
    return from_dict(data | {"workload": given})


@lru_cache(16)
def _facts(code: str) -> tuple[Source, Report]:
    scenario = from_code(code)
    assert scenario.workload is not None
    return workloads.source_of(scenario.workload), workloads.report(scenario.workload, scenario)


def facts(scenario: Scenario) -> tuple[Source, Report]:
    """Where the lengths come from, and what comes. Raises ScenarioError, also for a file: see ``to_code``."""
    if scenario.workload is not None and scenario.workload.is_upload:
        uploads.path(scenario.workload.lengths)  # it may be gone since it was counted
    return _facts(to_code(scenario))


def show(key: str) -> None:
    """The form for the open scenario. ``key``: of its widgets, different for each place on a page."""
    state = link.current()
    say, workload = state.say, state.scenario.workload
    if workload is None:
        st.caption(say("workload.none"))
        return
    _Form(key, state, workload).show()


class _Form:
    """The widgets: each shows what the scenario holds, whoever changed it."""

    def __init__(self, key: str, state: link.Open, workload: Workload):
        self.key, self.state, self.workload, self.say = key, state, workload, state.say
        self.wants_file = workload.is_upload or bool(st.session_state.get(f"{key}-{OWN}"))

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

    def _widget(self, name: str, value: Any) -> str:
        """The key of a widget that shows ``value`` now."""
        key = f"{self.key}-{name}"
        if st.session_state.get(key) != value:
            st.session_state[key] = value
        return key

    def _change(self, name: str, value: Any) -> None:
        try:
            scenario = changed(self.state.scenario, name, value)
            facts(scenario)  # what cannot be drawn is not opened
        except ScenarioError as error:
            self.state.problem = self.say("problem.kept", problem=str(error))
            return
        st.session_state.pop(f"{self.key}-{OWN}", None)
        link.change(scenario)

    def _moved(self, name: str) -> None:
        value = st.session_state[f"{self.key}-{name}"]
        if value is None:
            return
        if name == "lengths" and value == OWN:
            st.session_state[f"{self.key}-{OWN}"] = True
            return
        self._change(name, value)

    def _lengths(self) -> None:
        here = self.workload.lengths
        chosen = OWN if self.wants_file and not self.workload.is_upload else here
        st.selectbox(
            self.say("workload.field.lengths"), list(dict.fromkeys([*_SETS, *Workload.MADE_UP, here, OWN])),
            key=self._widget("lengths", chosen), on_change=self._moved, args=("lengths",), width=330,
            format_func=lambda name: _title(self.say, name),
        )  # fmt: skip

    def _arrivals(self) -> None:
        recorded = workloads.kind_of(self.workload) in ("upload", "file")
        st.selectbox(
            self.say("workload.field.arrivals"), [a for a in ARRIVALS if recorded or a != "trace"],
            key=self._widget("arrivals", self.workload.arrivals), on_change=self._moved, args=("arrivals",), width=330,
            format_func=lambda name: self.say(f"workload.arrivals.{name}"),
        )  # fmt: skip

    def _number(self, name: str, disabled: bool = False) -> None:
        low, high, step = _NUMBERS[name]
        value = self.state.scenario.seed if name == "seed" else getattr(self.workload, name)
        key = f"workload.help.{name}"
        st.number_input(
            self.say(f"workload.field.{name}"), low, high, step=step,
            key=self._widget(name, type(low)(min(max(value, low), high))), on_change=self._moved, args=(name,),
            width=170, disabled=disabled, help=self.say(f"workload.help.{name}") if key in self.say else None,
        )  # fmt: skip

    def _range(self, name: str) -> None:
        for end, value in zip(("from", "to"), getattr(self.workload, name), strict=True):
            st.number_input(
                self.say(f"workload.field.{name}.{end}"), 1, _MOST, step=16, on_change=self._range_moved, args=(name,),
                key=self._widget(f"{name}-{end}", min(value, _MOST)), width=170,
            )  # fmt: skip

    def _range_moved(self, name: str) -> None:
        ends = [st.session_state[f"{self.key}-{name}-{end}"] for end in ("from", "to")]
        if None not in ends:
            self._change(name, ends)

    def _uploader(self) -> None:
        st.html(_STYLE)
        st.file_uploader(
            self.say("workload.upload"), help=self.say("workload.upload.help"), on_change=self._uploaded,
            # a new edition empties it: a file is opened once
            key=f"{self.key}-file-{self.state.edition}", max_upload_size=uploads.MAX_BYTES // 10**6,
        )  # fmt: skip

    def _uploaded(self) -> None:
        file = st.session_state[f"{self.key}-file-{self.state.edition}"]
        if file is None:
            return
        try:
            word = uploads.keep(file.getvalue(), file.name)
        except ScenarioError as error:
            self.state.problem = self.say("problem.kept", problem=str(error))
        else:
            self._change("lengths", word)
        self.state.edition += 1

    def _told(self) -> None:
        say, scenario = self.say, self.state.scenario
        try:
            source, report = facts(scenario)
        except ScenarioError as error:
            st.caption(say.error(error))  # whoever runs it warns
            return
        st.caption(_source(say, source) + "  \n" + _report(say, report, scenario))


def _title(say: Messages, name: str) -> str:
    if name in LENGTH_SETS or name in Workload.MADE_UP or name == OWN:
        return say(f"workload.lengths.{name}")
    return uploads.name_of(name)


def _source(say: Messages, source: Source) -> str:
    """Source and licence in a sentence."""
    if source.kind == "set":
        return say("workload.source.set", requests=source.requests, source=source.source, licence=source.licence)
    if source.made_up:
        return say(f"workload.source.{source.name}")
    return say("workload.source.file", name=source.name, n=source.requests)


def _report(say: Messages, report: Report, scenario: Scenario) -> str:
    """How many come, and how many of them never run."""
    told = [say("workload.report", n=report.requests, longest=report.longest)]
    if report.over_model:
        told.append(say("workload.report.model", n=report.over_model, most=scenario.max_model_len))
    if report.over_pool:
        told.append(say("workload.report.pool", n=report.over_pool, most=scenario.slots))
    return say.sentences(*told)
