"""The page "Prefix cache": pool and block sizes to try, a picture that grows as runs finish, the run of one point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from vizkv import sweeps as sweep
from vizkv.engine import engine
from vizkv.export import swept
from vizkv.limits import kept
from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import markdown
from vizkv.replay.ledgers import Series, ledgers
from vizkv.scenario import schema as scenarios
from vizkv.scenario.hardware import DEFAULT, GIB, HardwareError
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.sweeps import Outcome, Task, said
from vizkv.sweeps.prefix import demand, grid, quickest_first
from vizkv.sweeps.table import in_order, number, problems, to_csv, to_parquet
from vizkv.sweeps.work import MAX_STEPS
from vizkv.systems.base.parts import MAX_SLOTS
from vizkv.ui import hardware, link, store, widgets
from vizkv.ui.cache.asked import TABLED, Asked, asked, short, tasks
from vizkv.ui.charts import plot
from vizkv.ui.export import offered
from vizkv.ui.guard import guarded
from vizkv.ui.memory.drawer import MAX_LENGTH
from vizkv.ui.sweep.jobs import Job
from vizkv.ui.workload import form as workload_form
from vizkv.views.charts import cache as views
from vizkv.views.charts import sweeps
from vizkv.views.charts.cache import Curve, Happened
from vizkv.views.charts.sweeps import Line, Picture
from vizkv.workload import uploads

_JOB = "cache.job"
_BEGUN = "cache.begun"
_LOOK_S = 0.8  # seconds between two redraws while runs are computed
_RUNS = 64 << 20  # cache size in bytes for the runs of clicked points
_NAME = 24  # characters of a file's name that fit
_LONG = 2_000_000  # blocks taken or hit by a run; above this it needs a minute and gigabytes


# ---- above the picture -----------------------------------------------------------------------------------------------


def controls() -> None:
    """Draw the axes, the workload, the pool's size in bytes, and the Run button."""
    state = link.current()
    say = state.say
    _name_the_pool(state)
    wanted = _wanted(state)
    sizes, pools, form, memory, run = st.columns([2, 4.7, 3.3, 1.9, 1.6], vertical_alignment="bottom", gap="small")
    _write(sizes, "sizes", wanted.sizes.text if wanted else "", say)
    _write(pools, "pools", short(wanted.pools) if wanted else "", say)
    with form, st.popover(markdown(_workload_name(state)), icon=":material/stacked_line_chart:", width="stretch"):
        workload_form.show("cache-workload")
        _longest(state)
    with memory, st.popover(say("cache.memory"), icon=":material/memory:", width="stretch"):
        hardware.show("cache-hardware", most=MAX_SLOTS)
    todo = tasks(state, wanted) if wanted else []
    job = _job(todo)
    if job is not None and job.running:
        run.button(say("sweep.stop"), key="cache-stop", icon=":material/stop:", width="stretch", on_click=job.stop)
    else:
        run.button(
            say("sweep.run"), key="cache-run", type="primary", icon=":material/play_arrow:", width="stretch",
            on_click=widgets.clicked(_start, todo), disabled=not todo,
        )  # fmt: skip


def _workload_name(state: link.Open) -> str:
    """Return the title of the workload form: drawn, or the name of the trace file."""
    lengths = state.scenario.workload.lengths if state.scenario.workload is not None else ""
    key = f"workload.lengths.{lengths}"
    return state.say(key) if key in state.say else uploads.name_of(lengths)[-_NAME:]


def _name_the_pool(state: link.Open) -> None:
    """Label the pool with a model that reads prompts of this length; OPT-13B only if a link or visitor chose it."""
    if hardware.AS not in state.more:
        state.more[hardware.AS] = DEFAULT.word if store.has(_BEGUN) else hardware.START
    store.put(_BEGUN, True)


def _wanted(state: link.Open) -> Asked | None:
    """Return what is asked for, or None after showing a sentence if the workload cannot be drawn."""
    try:
        return asked(state)
    except ScenarioError as error:
        state.problem = str(error)
        return None


def _write(place: Any, name: str, value: str, say: Messages) -> None:
    key = widgets.shows(f"cache-{name}", value)
    place.text_input(
        say(f"cache.{name}"), key=key, on_change=widgets.changed(key, partial(_set, name)), max_chars=500,
        help=say("cache.values.help"),
    )  # fmt: skip


def _set(name: str, value: str | None) -> None:
    """Store what was typed if it is valid, else show why not. An empty field means the default."""
    state, before = link.current(), dict(link.current().more)
    state.problem = ""
    state.more[name] = (value or "").strip()
    point = state.more.pop("point", "")
    if not state.more[name]:
        del state.more[name]
    wanted = _wanted(state)
    if state.problem:
        state.more, state.problem = before, state.say("problem.kept", problem=state.problem)
    elif wanted is not None and point in map(said, grid(wanted.pools, wanted.sizes)):
        state.more["point"] = point


def _longest(state: link.Open) -> None:
    """Draw the field for the model's maximum length: longer requests are counted but never run."""
    most = min(state.scenario.max_model_len, MAX_LENGTH)
    key = widgets.shows("cache-longest", most)

    def change(value: int | None) -> None:
        if value is not None:
            link.change(state.scenario.model_copy(update={"max_model_len": value}))

    st.number_input(
        state.say("drawer.max_model_len"), 1, MAX_LENGTH, most, 1024, key=key, width=240,
        on_change=widgets.changed(key, change), help=state.say("drawer.max_model_len.help"),
    )  # fmt: skip


def _job(todo: list[Task]) -> Job | None:
    """Return the job of these tasks, or None. A job of other tasks is stopped: its results are not shown any more."""
    job: Job | None = store.get(_JOB)
    if job is not None and job.keys != frozenset(task.key for task in todo):
        job.stop()
        return None
    return job


def _start(todo: list[Task]) -> None:
    if (job := store.get(_JOB)) is not None:
        job.stop()
    store.put(_JOB, Job(quickest_first(todo)))


# ---- the picture -----------------------------------------------------------------------------------------------------


def show() -> None:
    """Draw the picture and everything below it; redraws itself while runs are computed."""
    state = link.current()
    wanted = _wanted(state)
    job = _job(tasks(state, wanted)) if wanted else None
    st.fragment(guarded(_show), run_every=_LOOK_S if job is not None and job.running else None)(
        job is not None and job.running
    )  # fmt: skip


def _show(expected: bool) -> None:
    """Draw the fragment. ``expected``: whether runs were being computed when this automatic redraw was scheduled."""
    state = link.current()
    say, wanted = state.say, _wanted(state)
    if wanted is None:
        link.write(state)
        return
    todo = tasks(state, wanted)
    job = _job(todo)
    outcomes: dict[str, Outcome] = {**sweep.known(todo), **(job.found if job else {})}
    told = [(task, task.problem or outcomes.get(task.key)) for task in todo]
    found = in_order(todo, [(task, outcome) for task, outcome in told if outcome is not None])
    keys = {task.key for task in todo if task.key}
    _progress(job, sum(key in outcomes for key in keys), len(keys), say)
    if todo:
        curves = swept.curves(wanted.scenario, wanted.pools, wanted.sizes, wanted.point, found)
        _picture(state, wanted, curves)
        _about(state, wanted, curves)
        for sentence, about in problems(found).items():
            st.info(
                say("sweep.problem", n=len(about), system=about[0].system, problem=sentence), icon=":material/block:"
            )
        _point(state, wanted, todo, outcomes)
        _table(state, wanted, found)
    if found:
        _downloads(state, wanted, found)
    link.write(state)
    if expected and not (job is not None and job.running):
        st.rerun()  # rerun the whole page, which ends the automatic redraw


def _progress(job: Job | None, done: int, total: int, say: Messages) -> None:
    """Show one line of progress; its height is the same for every state."""
    text = say("sweep.state.some", done=done, n=total) if done else say("sweep.state.none", n=total)
    if job is not None and job.problem:
        text = say.in_markdown.error(job.problem)
    elif job is not None and job.running:
        text = say("sweep.state.running", done=done, n=total)
    elif total and done == total:
        text = say("sweep.state.all", n=total)
    elif job is not None and job.stopped:
        text = say("sweep.state.stopped", done=done, n=total)
    st.progress(done / max(1, total), text)


def _picture(state: link.Open, wanted: Asked, curves: list[Curve]) -> None:
    say, theme, setup = state.say, st.context.theme.type or "light", hardware.current()
    told = views.headline(*views.chosen(curves), say)
    st.markdown("##### " + markdown(told))
    offered.tell(told)
    weight = setup.bytes_per_token * setup.copies
    memory = {int(n): say("cache.gib", gib=_gib(int(n) * weight)) for n in wanted.pools.values}
    figure = views.chart(curves, memory, theme, say)
    figure.update_xaxes(title={"text": say("cache.axis.pool.of", model=hardware.label(setup, say)), "standoff": 6})
    plot.show(
        figure, key="cache-picture", on_select=widgets.picked("cache-picture", _pick), selection_mode="points",
        alt=say("cache.alt"),
    )  # fmt: skip


def _gib(count: int) -> float:
    """Return GiB, rounded to three significant digits."""
    gib = count / GIB
    return round(gib, 2 if gib < 1 else 1 if gib < 100 else 0)


def _pick(points: list[Mapping[str, Any]]) -> None:
    if word := widgets.word(points):
        link.current().more["point"] = word


def _about(state: link.Open, wanted: Asked, curves: list[Curve]) -> None:
    """Explain the source of the requests, why block sizes differ, and why the curves stay below the dashed line."""
    say, needs = state.say, demand(wanted.scenario)
    told = [say("cache.workload.is", n=needs.requests, tokens=needs.prompt_tokens, fresh=needs.fresh)]
    source, report = workload_form.facts(state.scenario)
    if source.made_up:
        told.insert(0, say("cache.made-up"))
    elif report.rows is not None:
        told.insert(0, say("cache.file", name=source.name, n=report.rows))
    if needs.too_long:
        told.append(say("cache.too-long", n=needs.too_long, most=wanted.scenario.max_model_len))
    st.caption(say.in_markdown.sentences(*told))
    if not needs.step:
        st.info(say("cache.nothing-shared"), icon=":material/info:")
    blocks = needs.prompt_tokens // min(curve.block for curve in curves)
    if blocks > _LONG:
        st.info(say("cache.long", n=blocks), icon=":material/hourglass:")
    sizes, below = st.columns(2, gap="large")
    sizes.markdown(views.why_blocks(curves, needs.prompt_tokens, needs.step, say.in_markdown))
    below.markdown(views.why_below(curves, say.in_markdown))


# ---- the run of a point ----------------------------------------------------------------------------------------------


@kept.cached(_RUNS, key=lambda task: task.key)
def _run(task: Task) -> tuple[Series, Happened]:
    trace = engine.run(from_dict(task.scenario), max_steps=MAX_STEPS)
    (system,) = trace.systems
    return ledgers(system, trace.requests), views.happened(system, [r.prompt_tokens for r in trace.requests])


def _point(state: link.Open, wanted: Asked, todo: list[Task], outcomes: dict[str, Outcome]) -> None:
    """Describe the run of the point in words; a clicked point is run again to show its ledger."""
    say, theme = state.say, st.context.theme.type or "light"
    task = next(t for t in todo if t.point == wanted.point)
    point = dict(task.point)
    st.subheader(say("cache.point", slots=point["slots"], block=point["block_size"]))
    outcome = task.problem or outcomes.get(task.key)
    if outcome is None or isinstance(outcome, str):
        st.caption(say.in_markdown.error(outcome) if outcome else say("sweep.point.later"))
        return
    words, ledger = st.columns([2, 3], gap="large")
    told = None
    long = demand(wanted.scenario).prompt_tokens // int(point["block_size"]) > _LONG
    if wanted.picked and long:
        ledger.info(say("cache.point.long"), icon=":material/hourglass:")
    elif wanted.picked:
        try:
            with ledger, st.spinner(say("sweep.point.running")):
                series, told = _run(task)
        except ScenarioError as error:
            ledger.info(say.in_markdown.error(error), icon=":material/block:")
    with words:
        st.markdown(views.words(outcome, told, say.in_markdown))
        whole = sweep.put(wanted.scenario, task.point)
        try:
            st.markdown(hardware.caption(whole, state.more.get(hardware.AS, "")))
        except HardwareError as error:
            st.caption(say.in_markdown.error(error))
        st.download_button(
            say("sweep.point.toml"), scenarios.to_toml(whole), "point.toml", "application/toml",
            icon=":material/download:", key="cache-point-toml",
        )  # fmt: skip
    with ledger:
        if told is not None:
            plot.show(views.over_time(series, told, theme, say), alt=say("chart.alt.ledger"), key="cache-ledger")
        elif not wanted.picked:
            st.button(
                say("cache.point.show"), key="cache-point-show", icon=":material/area_chart:",
                on_click=widgets.clicked(state.more.__setitem__, "point", said(wanted.point)),
                help=say("cache.point.show.help"),
            )  # fmt: skip


def _table(state: link.Open, wanted: Asked, found: list[tuple[Task, Outcome]]) -> None:
    """Show another metric of the same runs: what the cache gains."""
    say, theme, key = state.say, st.context.theme.type or "light", "cache-table"
    st.subheader(say("cache.table"))
    chooser = widgets.shows("cache-metric", wanted.metric)

    def choose(name: str | None) -> None:
        state.more["metric"] = name or wanted.metric

    st.segmented_control(
        say("sweep.metric"), TABLED, key=chooser, format_func=lambda name: say(f"metric.{name}"),
        on_change=widgets.changed(chooser, choose, TABLED), label_visibility="collapsed",
    )  # fmt: skip
    known = {t.point: outcome[wanted.metric] for t, outcome in found if not isinstance(outcome, str)}
    spots = []
    for point in grid(wanted.pools, wanted.sizes):
        value = known.get(point, math.nan)
        x, y = (number(v) for _, v in point)
        assert x is not None and y is not None
        spots.append(sweeps.Spot(x, value, value, value, said(point), y, point == wanted.point))
    own = tuple(number(value) for _, value in wanted.own)
    picture = Picture(wanted.metric, "slots", [Line(0, "", spots)], "block_size", (own[0], own[1]))
    figure = sweeps.chart(picture, theme, say)
    figure.update_layout(height=140 + 56 * len(wanted.sizes.values))
    plot.show(
        figure, key=key, on_select=widgets.picked(key, _pick), selection_mode="points",
        alt=say("sweep.alt", metric=say(f"metric.{wanted.metric}"), x=say("parameter.slots")),
    )  # fmt: skip


def _downloads(state: link.Open, wanted: Asked, found: list[tuple[Task, Outcome]]) -> None:
    say, name = state.say, state.file_name
    csv, parquet, toml = st.columns(3)
    csv.download_button(
        say("sweep.csv"), lambda: to_csv(found), f"{name}.csv", "text/csv", icon=":material/download:",
        width="stretch", key="cache-csv",
    )  # fmt: skip
    parquet.download_button(
        say("sweep.parquet"), lambda: to_parquet(found), f"{name}.parquet", "application/vnd.apache.parquet",
        icon=":material/download:", width="stretch", key="cache-parquet",
    )  # fmt: skip
    toml.download_button(
        say("sweep.toml"), scenarios.to_toml(wanted.scenario), f"{name}.toml", "application/toml",
        icon=":material/download:", width="stretch", key="cache-toml",
    )  # fmt: skip
