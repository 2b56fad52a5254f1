"""The page "Under pressure": the sizes that decide it, above the player; what came of it, below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from vizkv.messages import Messages
from vizkv.requests import request_name
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, from_dict, to_dict
from vizkv.trace import Trace
from vizkv.ui import link, plot, runs
from vizkv.ui.compact import OPT_13B
from vizkv.views import pressure, strips
from vizkv.views.payload import View
from vizkv.views.pressure import Told
from vizkv.workload import Clock

BLOCK_SIZES = (1, 2, 4, 8, 16, 32)
WATERMARKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3)
MOST_REQUESTS = 16
LINK = 16  # GB a second, about what 16 lanes of PCIe 3.0 carry
SHOWN = 6  # preemptions of a system before the list scrolls
TALL = 430  # pixels of a list that scrolls
# the button stands beside the player's headline: a line of its own would push the player off a small screen
_BESIDE = """
.st-key-pressure-sizes [data-testid="stPopover"] { width: 16rem; }
@media (min-width: 1100px) {
  [data-testid="stLayoutWrapper"]:has(> .st-key-pressure-sizes) { height: 0; margin-bottom: -1rem; z-index: 3; }
  .st-key-pressure-sizes { align-items: flex-end; }
  .st-key-pressure-sizes [data-testid="stPopover"] button { min-height: 1.7rem; padding: 0 0.75rem; }
  .st-key-sentence { padding-right: 17rem; } /* or beside a sentence that stands in that place */
}
"""


# ---- above the player ------------------------------------------------------------------------------------------------


def changed(scenario: Scenario, name: str, value: Any, example: Scenario) -> Scenario:
    """The scenario with one control's value put in. Raises ScenarioError.

    ``example``: where requests come from when there are to be more of them.
    """
    data = to_dict(scenario)
    if name == "slots":
        data["slots"] = value
    elif name == "requests":
        data["requests"] = _so_many(data.get("requests", []), to_dict(example).get("requests", []), value)
    else:
        for part in data["systems"]:
            if part["kind"] == "paged":
                part.pop("free_order", None)  # it named blocks of another size
                part[name] = value
    return from_dict(data)


def _so_many(requests: list[dict[str, Any]], more: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first ``count`` requests; where there are fewer, those of the example follow, and then these once more."""
    result = requests[:count]
    taken = {request["id"] for request in result}
    for request in more:
        if len(result) < count and request["id"] not in taken:
            result.append(request)
            taken.add(request["id"])
    source, arrival = more or requests, max((r.get("arrival_step", 0) for r in result), default=-1)
    for index in range(count - len(result)):
        name = next(name for n in range(count + len(taken) + 1) if (name := request_name(n)) not in taken)
        taken.add(name)
        arrival += 1
        result.append(source[index % len(source)] | {"id": name, "arrival_step": arrival})
    return result


def controls() -> None:
    """Pool, block size, requests, watermark, behind one button; each change is a scenario, and so a link."""
    state = link.current()
    if link.session().lecture:  # the beats choose
        return
    say, scenario, example = state.say, state.scenario, state.preset.scenario
    paged = [s for s in scenario.systems if isinstance(s, PagedSystem)]
    step = 8 if example.slots <= 128 else 32
    st.html(f"<style>{_BESIDE}</style>")
    with st.container(key="pressure-sizes"), st.popover(_sizes(scenario, say), icon=":material/tune:"):
        _control("slots", range(step, 5 * example.slots // 2 + 1, step), scenario.slots, say, say.number)
        if paged:
            _control("block_size", BLOCK_SIZES, paged[0].block_size, say, say.number)
        if scenario.requests:
            _control("requests", range(1, MOST_REQUESTS + 1), len(scenario.requests), say, say.number)
        if paged:
            tip = say("pressure.watermark.help")
            _control("watermark", WATERMARKS, paged[0].watermark, say, say.percent, tip)


def _sizes(scenario: Scenario, say: Messages) -> str:
    size = next((s.block_size for s in scenario.systems if isinstance(s, PagedSystem)), None)
    if size is None:
        return say("pressure.sizes.pool", slots=scenario.slots)
    return say("pressure.sizes", slots=scenario.slots, size=size)


def _control(
    name: str, values: Sequence[Any], value: Any, say: Messages, label: Callable[[Any], str], tip: str | None = None
) -> None:
    key = f"pressure-{name}"
    st.session_state[key] = value  # the scenario may have changed in the drawer, by a link or by Undo
    st.select_slider(
        say(f"pressure.{name}"), sorted({*values, value}), key=key, format_func=label, on_change=_set, args=(name,),
        help=tip,
    )  # fmt: skip


def _set(name: str) -> None:
    state = link.current()
    try:
        link.change(changed(state.scenario, name, st.session_state[f"pressure-{name}"], state.preset.scenario))
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
    state.edition += 1  # the drawer shows the same sizes


# ---- below the player ------------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=24, show_spinner=False)
def _told(key: str, _trace: Trace) -> list[Told]:
    return pressure.told(_trace)


def below(run: runs.Run, view: View) -> None:
    """Strips, reasons, numbers, costs, Orca, and that the text is the same."""
    say, systems = link.current().say, _told(run.key, run.trace)
    _strips(run, systems, view, say)
    _reasons(run, systems, view, say)
    _numbers(run, systems, say)
    _compared(run.trace, systems, say)
    _orca(run.trace, systems, say)
    _same(run, say)
    st.subheader(say("pressure.rules"))
    for part in ("v1", "paper", "orca"):
        st.markdown(say(f"pressure.rules.{part}"))


def _strips(run: runs.Run, systems: list[Told], view: View, say: Messages) -> None:
    count = len(run.trace.requests)
    drawn = len(strips.rows(systems, count))
    st.subheader(say("pressure.strips"))
    some = say("pressure.strips.some", count=count, drawn=drawn)
    st.caption(say("pressure.strips.about") if drawn == count else some)
    theme = st.context.theme.type or "light"
    figure = strips.strips(run.trace, systems, view.step, theme, say)
    plot.show(figure, alt=say("chart.alt.strips"), key="pressure-strips")


def _reasons(run: runs.Run, systems: list[Told], view: View, say: Messages) -> None:
    st.subheader(say("pressure.why"))
    never: dict[str, list[str]] = {}
    for system in systems:
        for sentence in pressure.never(system, run.trace, say):
            never.setdefault(sentence, []).append(say.name(system.name))
    if never:
        lines = [
            say("narration.with", sentence=s, system=say("list.systems").join(names)) for s, names in never.items()
        ]
        st.info("  \n".join(lines), icon=":material/block:")
    paged = [(index, system) for index, system in enumerate(systems) if system.kind == "paged"]
    if not any(system.preemptions for _, system in paged):
        st.markdown(say("pressure.why.nobody"))
        return
    st.caption(say("pressure.why.about"))
    few = len(paged) <= 2
    places = st.columns(len(paged), gap="large" if few else "medium")
    for column, (index, system) in zip(places, paged, strict=True):
        with column:
            st.markdown(f"**{say.name(system.name)}**")
            many = len(system.preemptions) > SHOWN
            with st.container(height=TALL, border=False) if many else st.container():
                for number, one in enumerate(system.preemptions):
                    button, text = st.columns([1, 4 if few else 2], vertical_alignment="center")
                    # bold marks the open step: another type would make another button, and lose the keyboard
                    label = say("pressure.go", step=one.step)
                    button.button(
                        f":blue[**{label}**]" if one.step == view.step else label, on_click=link.go,
                        args=(one.step,), key=f"pressure-go-{index}-{number}", width="stretch",
                    )  # fmt: skip
                    text.markdown(pressure.why(one, system, run.trace, say))


def _clock(trace: Trace) -> Clock:
    workload = from_dict(trace.scenario).workload
    return Clock.of(workload) if workload else Clock()


def _numbers(run: runs.Run, systems: list[Told], say: Messages) -> None:
    clock, trace = _clock(run.trace), run.trace
    st.subheader(say("pressure.numbers"))
    rate = st.session_state.get("pressure-rate", LINK)  # its slider stands below
    st.caption(
        say("pressure.numbers.about", slots=trace.systems[0].slots, iteration=clock.iteration_ms, token=clock.token_ms)
    )
    a_token = _bytes_per_token(trace)
    columns: dict[str, list[Any]] = {
        "refused": [len(s.refusals) for s in systems],
        "preempted": [len(s.preemptions) for s in systems],
        "never": [len(s.never) for s in systems],
        "again": [s.again for s in systems],
        "found": [s.found for s in systems],
        "out": [s.out for s in systems],
        "back": [s.back for s in systems],
    }
    for rare in ("never", "found"):
        if not any(columns[rare]):
            del columns[rare]
    told = {say(f"pressure.column.{name}"): values for name, values in columns.items()}
    for model, size in {trace.model: a_token, "OPT-13B": OPT_13B}.items():
        if size:
            told[say("pressure.column.bytes", model=model)] = [s.copied_slots * size for s in systems]
    told |= {
        say("pressure.column.steps"): [s.steps for s in systems],
        say("pressure.column.batch"): [round(s.batch, 2) for s in systems],
        say("pressure.column.latency"): [round(s.mean_latency, 2) for s in systems],
        say("pressure.column.seconds"): [round(s.seconds, 2) for s in systems],
        say("pressure.column.cost"): [round(_cost(s, clock, rate), 1) for s in systems],
    }
    formats = {say(f"pressure.column.{name}"): "%.2f" for name in ("batch", "latency", "seconds")}
    formats[say("pressure.column.cost")] = "%.1f"
    shown = {name: st.column_config.NumberColumn(format=formats.get(name, "localized")) for name in told}
    named: dict[str, list[Any]] = {say("pressure.column.system"): [say.name(s.name) for s in systems]}
    st.dataframe(named | told, hide_index=True, column_config=shown)


def _compared(trace: Trace, systems: list[Told], say: Messages) -> None:
    """The sums behind the last column: tokens times milliseconds, bytes over a link."""
    clock = _clock(trace)
    st.subheader(say("pressure.cost"))
    control, sums = st.columns([1, 3], gap="large")
    rate = control.slider(
        say("pressure.cost.rate"), 1, 64, LINK, key="pressure-rate", help=say("pressure.cost.rate.help")
    )
    for system in systems:
        if system.kind == "paged":
            sums.markdown(_sum(system, clock, rate, say))
    sums.caption(say("pressure.cost.paper"))


def _cost(system: Told, clock: Clock, rate: float) -> float:
    return system.again * clock.token_ms + pressure.milliseconds(system.copied_slots, OPT_13B, rate)


def _sum(system: Told, clock: Clock, rate: int, say: Messages) -> str:
    again = {"tokens": system.again, "token": clock.token_ms}
    if system.recovery != "swap":
        cost = round(_cost(system, clock, rate), 1)
        return say("pressure.cost.recompute", system=system.name, cost=cost, **again)
    text = say(
        "pressure.cost.swap", system=system.name, out=system.out, back=system.back, size=system.block_size,
        bytes=OPT_13B, total=system.copied_slots * OPT_13B, rate=rate,
        cost=round(pressure.milliseconds(system.copied_slots, OPT_13B, rate), 1),
    )  # fmt: skip
    if system.again:
        cost = round(_cost(system, clock, rate), 1)
        more = round(system.again * clock.token_ms, 1)
        full = sum(not p.swap for p in system.preemptions)
        text = say.sentences(text, say("pressure.cost.swap.again", n=full, again=more, cost=cost, **again))
    return text


def _bytes_per_token(trace: Trace) -> int:
    if trace.model == "none":
        return 0
    try:
        return int(runs.model(trace.model).config.bytes_per_token)
    except ScenarioError:  # a saved trace whose model is not here
        return 0


def _orca(trace: Trace, systems: list[Told], say: Messages) -> None:
    """What the first system that reserves the maximum would have done, beside a paged one that recomputes, as V1."""
    orca = next((s for s in systems if s.reserve == "max"), None)
    paged = [s for s in systems if s.kind == "paged"]
    other = next((s for s in paged if s.recovery == "recompute"), paged[0] if paged else None)
    if orca is None or other is None:
        return
    ids = [request.id for request in trace.requests]
    st.subheader(say("pressure.orca", system=orca.name))
    if not orca.most:
        st.markdown(say("pressure.orca.nobody"))
        return
    gap = orca.steps - other.steps
    later = say("pressure.orca.later", n=gap) if gap > 0 else say("pressure.orca.earlier", n=-gap)
    st.markdown(
        say(
            "pressure.orca.most", n=orca.most, other=say.name(other.name), others=other.most, steps=orca.steps,
            other_steps=other.steps, later=later if gap else say("pressure.orca.same"),
        )
    )  # fmt: skip
    if not orca.refusals:
        st.markdown(say("pressure.orca.none"))
        return
    lines = [
        say(
            "pressure.orca.refused", step=r.step, request=ids[r.request], need=r.need, held=r.held,
            running=say("narration.list").join(ids[who] for who in r.running), written=r.written,
            n=orca.waits[r.request],
        )
        for r in orca.refusals[:SHOWN]
    ]  # fmt: skip
    if len(orca.refusals) > SHOWN:
        lines.append(say("pressure.orca.more", n=len(orca.refusals) - SHOWN))
    st.markdown("\n".join(f"- {line}" for line in lines))


def ample(trace: Trace) -> Scenario:
    """The same requests in one paged system that has room for all of them at once. Raises ScenarioError."""
    system = next((s for s in trace.systems if s.block_size), None)
    size = system.block_size if system else 1
    data = dict(trace.scenario)
    data.pop("actions", None)
    slots = sum(-(-request.final_slots // size) * size for request in trace.requests)
    return from_dict(data | {"slots": slots, "systems": [{"kind": "paged", "block_size": size}]})


def _same(run: runs.Run, say: Messages) -> None:
    """Whoever is preempted writes what it would have written: compared with a run in which nobody is."""
    st.subheader(say("pressure.same"))
    if run.trace.model == "none":
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    try:
        with st.spinner(say("pressure.same.running")):
            free = runs.trace(ample(run.trace))
    except ScenarioError:
        st.info(say("pressure.same.large"), icon=":material/lightbulb:")
        return
    right = free.systems[0].tokens
    for system in run.trace.systems:
        for who, tokens in enumerate(system.tokens):
            if tokens and tokens != right[who]:
                who_ = run.trace.requests[who].id
                st.error(say("pressure.same.no", system=system.name, request=who_), icon=":material/lightbulb:")
                return
    count = max(sum(map(len, system.tokens)) for system in run.trace.systems)
    st.success(say("pressure.same.yes", tokens=count, slots=free.systems[0].slots), icon=":material/lightbulb:")
