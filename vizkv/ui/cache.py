"""The page "Prefix cache": pools and block sizes to try, the picture that grows as runs come in, the run of a point."""

from __future__ import annotations

import math
import threading
from typing import Any

import cachetools
import streamlit as st

from vizkv import engine, sweep
from vizkv import scenario as scenarios
from vizkv.export import swept
from vizkv.hardware import DEFAULT, GIB, HardwareError
from vizkv.ledgers import Series, ledgers
from vizkv.messages import Messages
from vizkv.requests import MAX_SLOTS
from vizkv.scenario import ScenarioError, from_dict
from vizkv.sweep import Outcome, Task, said
from vizkv.sweep.prefix import demand, grid, quickest_first
from vizkv.sweep.table import in_order, number, problems, to_csv, to_parquet
from vizkv.sweep.work import MAX_STEPS
from vizkv.ui import hardware, link, offered, plot, workload_form
from vizkv.ui.cache_asked import TABLED, Asked, asked, short, tasks
from vizkv.ui.drawer import MAX_LENGTH
from vizkv.ui.sweep_jobs import Job
from vizkv.views import cache as views
from vizkv.views import sweeps
from vizkv.views.cache import Curve, Happened
from vizkv.views.sweeps import Line, Picture
from vizkv.workload import uploads

_JOB = "cache.job"
_BEGUN = "cache.begun"
_LOOK_S = 0.8  # how often the picture is drawn anew while runs come in
_KEPT_RUNS = 8  # clicked points, some megabytes each
_STYLE = """<style>
.st-key-cache-metric [data-testid="stButtonGroup"] button[aria-checked="true"],
.st-key-cache-metric button[aria-checked="true"] { background: #1F5FD1 !important; }
.st-key-cache-metric button[aria-checked="true"] p { color: #FFFFFF; font-weight: 700; }
</style>"""
_NAME = 24  # letters of a file's name that there is room for
_LONG = 2_000_000  # blocks that a run takes or finds: from here on it is a matter of a minute and of gigabytes


# ---- above the picture -----------------------------------------------------------------------------------------------


def controls() -> None:
    """What to vary, the workload, what the pool is in bytes; Run."""
    state = link.current()
    say = state.say
    _name_the_pool(state)
    wanted = _wanted(state)
    sizes, pools, form, memory, run = st.columns([2, 4.7, 3.3, 1.9, 1.6], vertical_alignment="bottom", gap="small")
    _write(sizes, "sizes", wanted.sizes.text if wanted else "", say)
    _write(pools, "pools", short(wanted.pools) if wanted else "", say)
    with form, st.popover(_workload_name(state), icon=":material/stacked_line_chart:", width="stretch"):
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
            on_click=_start, args=(todo,), disabled=not todo,
        )  # fmt: skip


def _workload_name(state: link.Open) -> str:
    """What the form is folded behind: made up, or whose trace."""
    lengths = state.scenario.workload.lengths if state.scenario.workload is not None else ""
    key = f"workload.lengths.{lengths}"
    return state.say(key) if key in state.say else uploads.name_of(lengths)[-_NAME:]


def _name_the_pool(state: link.Open) -> None:
    """Prompts of this length are of a model that reads them: OPT-13B only where somebody asked for it."""
    if hardware.AS not in state.more:
        state.more[hardware.AS] = DEFAULT.word if _BEGUN in st.session_state else hardware.START
    st.session_state[_BEGUN] = True


def _wanted(state: link.Open) -> Asked | None:
    """What is asked for; None, with a sentence, where the workload cannot be drawn."""
    try:
        return asked(state)
    except ScenarioError as error:
        state.problem = str(error)
        return None


def _write(place: Any, name: str, value: str, say: Messages) -> None:
    key = f"cache-{name}"
    st.session_state[key] = value
    place.text_input(
        say(f"cache.{name}"), key=key, on_change=_set, args=(name,), max_chars=500, help=say("cache.values.help")
    )


def _set(name: str) -> None:
    """Keep what was written if that can be run; else say why not. Empty: what stands ready."""
    state, before = link.current(), dict(link.current().more)
    state.problem = ""
    state.more[name] = st.session_state[f"cache-{name}"].strip()
    point = state.more.pop("point", "")
    if not state.more[name]:
        del state.more[name]
    wanted = _wanted(state)
    if state.problem:
        state.more, state.problem = before, state.say("problem.kept", problem=state.problem)
    elif wanted is not None and point in map(said, grid(wanted.pools, wanted.sizes)):
        state.more["point"] = point


def _longest(state: link.Open) -> None:
    """The model's maximum: longer requests are counted and never run."""
    key, most = "cache-longest", min(state.scenario.max_model_len, MAX_LENGTH)
    st.session_state[key] = most

    def change() -> None:
        if (value := st.session_state[key]) is not None:
            link.change(state.scenario.model_copy(update={"max_model_len": value}))

    st.number_input(
        state.say("drawer.max_model_len"), 1, MAX_LENGTH, step=1024, key=key, on_change=change, width=240,
        help=state.say("drawer.max_model_len.help"),
    )  # fmt: skip


def _job(todo: list[Task]) -> Job | None:
    """The job of these tasks, if there is one; another one is stopped: nobody looks at it any more."""
    job: Job | None = st.session_state.get(_JOB)
    if job is not None and job.keys != frozenset(task.key for task in todo):
        job.stop()
        return None
    return job


def _start(todo: list[Task]) -> None:
    if (job := st.session_state.get(_JOB)) is not None:
        job.stop()
    st.session_state[_JOB] = Job(quickest_first(todo))


# ---- the picture -----------------------------------------------------------------------------------------------------


def show() -> None:
    """The picture and what is below it; drawn anew by itself while runs come in."""
    state = link.current()
    wanted = _wanted(state)
    job = _job(tasks(state, wanted)) if wanted else None
    st.fragment(_show, run_every=_LOOK_S if job is not None and job.running else None)(
        job is not None and job.running
    )  # fmt: skip


def _show(expected: bool) -> None:
    """``expected``: whether runs were coming in when this began to be drawn by itself."""
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
        st.rerun()  # the whole page: nothing more comes in


def _progress(job: Job | None, done: int, total: int, say: Messages) -> None:
    """One line, as high whatever it says."""
    text = say("sweep.state.some", done=done, n=total) if done else say("sweep.state.none", n=total)
    if job is not None and job.problem:
        text = say.error(job.problem)
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
    st.markdown("##### " + told)
    offered.tell(told)
    weight = setup.bytes_per_token * setup.copies
    memory = {int(n): say("cache.gib", gib=_gib(int(n) * weight)) for n in wanted.pools.values}
    figure = views.chart(curves, memory, theme, say)
    figure.update_xaxes(title={"text": say("cache.axis.pool.of", model=hardware.label(setup, say)), "standoff": 6})
    plot.show(
        figure, key="cache-picture", on_select=_pick("cache-picture"), selection_mode="points", alt=say("cache.alt"),
    )  # fmt: skip


def _gib(count: int) -> float:
    """GiB with three figures at most behind the first one that counts."""
    gib = count / GIB
    return round(gib, 2 if gib < 1 else 1 if gib < 100 else 0)


def _pick(key: str) -> Any:
    def pick() -> None:
        chosen = st.session_state[key].selection.points
        if chosen and chosen[0].get("customdata"):
            link.current().more["point"] = chosen[0]["customdata"][0]

    return pick


def _about(state: link.Open, wanted: Asked, curves: list[Curve]) -> None:
    """Where the requests come from and how many never run; why block sizes differ; why runs stay below the dashes."""
    say, needs = state.say, demand(wanted.scenario)
    told = [say("cache.workload.is", n=needs.requests, tokens=needs.prompt_tokens, fresh=needs.fresh)]
    source, report = workload_form.facts(state.scenario)
    if source.made_up:
        told.insert(0, say("cache.made-up"))
    elif report.rows is not None:
        told.insert(0, say("cache.file", name=source.name, n=report.rows))
    if needs.too_long:
        told.append(say("cache.too-long", n=needs.too_long, most=wanted.scenario.max_model_len))
    st.caption(say.sentences(*told))
    if not needs.step:
        st.info(say("cache.nothing-shared"), icon=":material/info:")
    blocks = needs.prompt_tokens // min(curve.block for curve in curves)
    if blocks > _LONG:
        st.info(say("cache.long", n=blocks), icon=":material/hourglass:")
    sizes, below = st.columns(2, gap="large")
    sizes.markdown(views.why_blocks(curves, needs.prompt_tokens, needs.step, say))
    below.markdown(views.why_below(curves, say))


# ---- the run of a point ----------------------------------------------------------------------------------------------


@cachetools.cached(cachetools.LRUCache(_KEPT_RUNS), key=lambda task: task.key, lock=threading.Lock())
def _run(task: Task) -> tuple[Series, Happened]:
    trace = engine.run(from_dict(task.scenario), max_steps=MAX_STEPS)
    (system,) = trace.systems
    return ledgers(system, trace.requests), views.happened(system, [r.prompt_tokens for r in trace.requests])


def _point(state: link.Open, wanted: Asked, todo: list[Task], outcomes: dict[str, Outcome]) -> None:
    """What the run of the point is, in words; one that was clicked on is also run again, for its ledger."""
    say, theme = state.say, st.context.theme.type or "light"
    task = next(t for t in todo if t.point == wanted.point)
    point = dict(task.point)
    st.subheader(say("cache.point", slots=point["slots"], block=point["block_size"]))
    outcome = task.problem or outcomes.get(task.key)
    if outcome is None or isinstance(outcome, str):
        st.caption(outcome or say("sweep.point.later"))
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
            ledger.info(say.error(error), icon=":material/block:")
    with words:
        st.markdown(views.words(outcome, told, say))
        whole = sweep.put(wanted.scenario, task.point)
        try:
            st.markdown(hardware.caption(whole, state.more.get(hardware.AS, "")))
        except HardwareError as error:
            st.caption(say.error(error))
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
                on_click=lambda: state.more.update(point=said(wanted.point)), help=say("cache.point.show.help"),
            )  # fmt: skip


def _table(state: link.Open, wanted: Asked, found: list[tuple[Task, Outcome]]) -> None:
    """The same runs by another number: what the cache is good for."""
    say, theme, key = state.say, st.context.theme.type or "light", "cache-table"
    st.html(_STYLE)
    st.subheader(say("cache.table"))
    st.session_state["cache-metric"] = wanted.metric

    def choose() -> None:
        state.more["metric"] = st.session_state["cache-metric"] or wanted.metric

    st.segmented_control(
        say("sweep.metric"), TABLED, key="cache-metric", format_func=lambda name: say(f"metric.{name}"),
        on_change=choose, label_visibility="collapsed",
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
        figure, key=key, on_select=_pick(key), selection_mode="points",
        alt=say("sweep.alt", metric=say(f"metric.{wanted.metric}"), x=say("parameter.slots")),
    )  # fmt: skip


def _downloads(state: link.Open, wanted: Asked, found: list[tuple[Task, Outcome]]) -> None:
    say, name = state.say, state.preset.id
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
