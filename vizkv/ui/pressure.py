"""The page "Under pressure": controls for the sizes above the player, results below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from vizkv.limits import kept
from vizkv.messages.catalogue import Messages
from vizkv.scenario.requests import request_name
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.trace.trace import Trace
from vizkv.ui import link, outside, store, widgets
from vizkv.ui.charts import plot
from vizkv.ui.memory.compact import OPT_13B
from vizkv.ui.player import runs
from vizkv.views.charts import strips
from vizkv.views.facts import pressure
from vizkv.views.facts.pressure import Pressure
from vizkv.views.payload.pack import View
from vizkv.workload import Clock

BLOCK_SIZES = (1, 2, 4, 8, 16, 32)
WATERMARKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3)
MOST_REQUESTS = 16
LINK = 16  # GB per second, about the bandwidth of 16 lanes of PCIe 3.0
SHOWN = 6  # preemptions of one system that are listed before the list scrolls
TALL = 430  # height in pixels of a list that scrolls


# ---- above the player ------------------------------------------------------------------------------------------------


def changed(scenario: Scenario, name: str, value: Any, example: Scenario) -> Scenario:
    """Return the scenario with one control's value applied. Raises ScenarioError.

    ``example``: supplies the additional requests when the number of requests is raised.
    """
    data = to_dict(scenario)
    if name == "slots":
        data["slots"] = value
    elif name == "requests":
        data["requests"] = _so_many(data.get("requests", []), to_dict(example).get("requests", []), value)
    else:
        for part, system in zip(data["systems"], scenario.systems, strict=True):
            if name in system.knobs():
                part.pop("free_order", None)  # it lists blocks of the previous size
                part[name] = value
    return from_dict(data)


def _so_many(requests: list[dict[str, Any]], more: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return ``count`` requests: the given ones, then those of the example, then the given ones again."""
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
    """Draw the controls for pool, block size, requests and watermark behind a button; each change is a new scenario."""
    state = link.current()
    if link.session().lecture:  # in a lecture the beats choose the sizes
        return
    say, scenario, example = state.say, state.scenario, state.preset.scenario
    sized = next((s for s in scenario.systems if "block_size" in s.knobs()), None)
    spared = next((s for s in scenario.systems if "watermark" in s.knobs()), None)
    step = 8 if example.slots <= 128 else 32
    with st.container(key="pressure-sizes"), st.popover(_sizes(scenario, say), icon=":material/tune:"):
        _control("slots", range(step, 5 * example.slots // 2 + 1, step), scenario.slots, say, say.number)
        if sized:
            _control("block_size", BLOCK_SIZES, sized.block, say, say.number)
        if scenario.requests:
            _control("requests", range(1, MOST_REQUESTS + 1), len(scenario.requests), say, say.number)
        if spared:
            tip = say("pressure.watermark.help")
            _control("watermark", WATERMARKS, getattr(spared, "watermark"), say, say.percent, tip)  # noqa: B009


def _sizes(scenario: Scenario, say: Messages) -> str:
    size = next((s.block for s in scenario.systems if s.block), None)
    if size is None:
        return say("pressure.sizes.pool", slots=scenario.slots)
    return say("pressure.sizes", slots=scenario.slots, size=size)


def _control(
    name: str, values: Sequence[Any], value: Any, say: Messages, label: Callable[[Any], str], tip: str | None = None
) -> None:
    key, choices = widgets.shows(f"pressure-{name}", value), sorted({*values, value})
    st.select_slider(
        say(f"pressure.{name}"), choices, key=key, format_func=label, help=tip,
        on_change=widgets.changed(key, partial(_set, name), choices),
    )  # fmt: skip


def _set(name: str, value: Any) -> None:
    state = link.current()
    try:
        link.change(changed(state.scenario, name, value, state.preset.scenario))
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))


# ---- below the player ------------------------------------------------------------------------------------------------


@kept.cached(64 << 20, key=lambda key, trace: key)
def _told(key: str, trace: Trace) -> list[Pressure]:
    return pressure.by_system(trace)


def below(run: runs.Run, view: View) -> None:
    """Draw the strips, the preemptions and their reasons, the numbers, the costs, Orca's scheduling, the text check."""
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


def _strips(run: runs.Run, systems: list[Pressure], view: View, say: Messages) -> None:
    count = len(run.trace.requests)
    drawn = len(strips.rows(systems, count))
    st.subheader(say("pressure.strips"))
    some = say("pressure.strips.some", count=count, drawn=drawn)
    st.caption(say("pressure.strips.about") if drawn == count else some)
    theme = st.context.theme.type or "light"
    figure = strips.strips(run.trace, systems, view.step, theme, say)
    plot.show(figure, alt=say("chart.alt.strips"), key="pressure-strips")


def _reasons(run: runs.Run, systems: list[Pressure], view: View, say: Messages) -> None:
    st.subheader(say("pressure.why"))
    never: dict[str, list[str]] = {}
    for system in systems:
        for sentence in pressure.never(system, run.trace, say):
            never.setdefault(sentence, []).append(say.name(system.name))
    md = say.in_markdown
    if never:
        lines = [md("narration.with", sentence=s, system=say("list.systems").join(names)) for s, names in never.items()]
        st.info("  \n".join(lines), icon=":material/block:")
    able = [(index, system) for index, system in enumerate(systems) if system.can_preempt]
    if not any(system.preemptions for _, system in able):
        st.markdown(say("pressure.why.nobody"))
        return
    st.caption(say("pressure.why.about"))
    few = len(able) <= 2
    places = st.columns(len(able), gap="large" if few else "medium")
    for column, (index, system) in zip(places, able, strict=True):
        with column:
            st.markdown(f"**{md.name(system.name)}**")
            many = len(system.preemptions) > SHOWN
            with st.container(height=TALL, border=False) if many else st.container():
                for number, one in enumerate(system.preemptions):
                    button, text = st.columns([1, 4 if few else 2], vertical_alignment="center")
                    # bold marks the open step; another button type would be a new button and lose the keyboard focus
                    label = say("pressure.go", step=one.step)
                    button.button(
                        f":blue[**{label}**]" if one.step == view.step else label, width="stretch",
                        key=f"pressure-go-{index}-{number}", on_click=widgets.clicked(link.go, one.step),
                    )  # fmt: skip
                    text.markdown(pressure.why(one, system, run.trace, say))


def _clock(trace: Trace) -> Clock:
    workload = from_dict(trace.scenario).workload
    return Clock.of(workload) if workload else Clock()


def _numbers(run: runs.Run, systems: list[Pressure], say: Messages) -> None:
    clock, trace = _clock(run.trace), run.trace
    st.subheader(say("pressure.numbers"))
    rate = store.get("pressure-rate", LINK)  # the slider for it is drawn further below
    st.caption(
        say("pressure.numbers.about", slots=trace.systems[0].slots, iteration=clock.iteration_ms, token=clock.token_ms)
    )
    a_token = runs.bytes_per_token(trace)
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


def _compared(trace: Trace, systems: list[Pressure], say: Messages) -> None:
    """Show the terms behind the last column: tokens times milliseconds, and bytes over a link."""
    clock = _clock(trace)
    st.subheader(say("pressure.cost"))
    control, sums = st.columns([1, 3], gap="large")
    rate = control.slider(
        say("pressure.cost.rate"), 1, 64, LINK, key="pressure-rate", help=say("pressure.cost.rate.help")
    )
    for system in systems:
        if system.can_preempt:
            sums.markdown(_sum(system, clock, rate, say.in_markdown))
    sums.caption(say("pressure.cost.paper"))


def _cost(system: Pressure, clock: Clock, rate: float) -> float:
    return system.again * clock.token_ms + pressure.milliseconds(system.copied_slots, OPT_13B, rate)


def _sum(system: Pressure, clock: Clock, rate: int, say: Messages) -> str:
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


def _orca(trace: Trace, systems: list[Pressure], say: Messages) -> None:
    """Compare the first system that reserves the maximum under Orca's scheduling with a paged one that recomputes."""
    orca = next((s for s in systems if s.reserve == "max"), None)
    able = [s for s in systems if s.can_preempt]
    other = next((s for s in able if s.recovery == "recompute"), able[0] if able else None)
    if orca is None or other is None:
        return
    ids = [request.id for request in trace.requests]
    md = say.in_markdown
    st.subheader(md("pressure.orca", system=orca.name))
    if not orca.most:
        st.markdown(say("pressure.orca.nobody"))
        return
    gap = orca.steps - other.steps
    later = say("pressure.orca.later", n=gap) if gap > 0 else say("pressure.orca.earlier", n=-gap)
    st.markdown(
        md(
            "pressure.orca.most", n=orca.most, other=md.name(other.name), others=other.most, steps=orca.steps,
            other_steps=other.steps, later=later if gap else say("pressure.orca.same"),
        )
    )  # fmt: skip
    if not orca.refusals:
        st.markdown(say("pressure.orca.none"))
        return
    lines = [
        md(
            "pressure.orca.refused", step=r.step, request=ids[r.request], need=r.need, held=r.held,
            running=say("narration.list").join(ids[who] for who in r.running), written=r.written,
            n=orca.waits[r.request],
        )
        for r in orca.refusals[:SHOWN]
    ]  # fmt: skip
    if len(orca.refusals) > SHOWN:
        lines.append(md("pressure.orca.more", n=len(orca.refusals) - SHOWN))
    st.markdown("\n".join(f"- {line}" for line in lines))


def ample(trace: Trace) -> Scenario:
    """Return the scenario with one paged system that holds all requests at once. Raises ScenarioError."""
    system = next((s for s in trace.systems if s.block_size), None)
    size = system.block_size if system else 1
    data = dict(trace.scenario)
    data.pop("actions", None)
    slots = sum(-(-request.final_slots // size) * size for request in trace.requests)
    return from_dict(data | {"slots": slots, "systems": [{"kind": "paged", "block_size": size}]})


def _same(run: runs.Run, say: Messages) -> None:
    """Show that a preempted request writes the same text: compare with a run in which nothing is preempted."""
    st.subheader(say("pressure.same"))
    if run.trace.model == "none":
        st.info(say("proof.lengths"), icon=":material/lightbulb:")
        return
    try:
        outside.check_model(run.trace.model)
    except ScenarioError as error:  # a saved trace
        st.warning(say.in_markdown.error(error), icon=":material/error:")
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
                st.error(
                    say.in_markdown("pressure.same.no", system=system.name, request=who_), icon=":material/lightbulb:"
                )
                return
    count = max(sum(map(len, system.tokens)) for system in run.trace.systems)
    st.success(say("pressure.same.yes", tokens=count, slots=free.systems[0].slots), icon=":material/lightbulb:")
