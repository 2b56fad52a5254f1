"""The page "Sweeps": what to vary and what to look at; the picture, which grows as runs come in; the run of a point."""

from __future__ import annotations

import math
import threading
from typing import Any

import cachetools
import streamlit as st

from vizkv import scenario as scenarios
from vizkv import sweep
from vizkv.link import to_code
from vizkv.messages import Messages
from vizkv.metrics import METRICS
from vizkv.scenario import Scenario, ScenarioError
from vizkv.sweep import Axis, Outcome, Task, Value
from vizkv.sweep.table import cells, in_order, number, problems, to_csv, to_parquet
from vizkv.ui import hardware, lesson, link, plot, sweep_point
from vizkv.ui.offered import tell
from vizkv.ui.sweep_asked import (
    MAX_ON_PAGE,
    MAX_SEEDS,
    NONE,
    WORDS,
    Asked,
    applicable,
    asked,
    grid,
    offered,
    parameter_name,
    ready,
    value_in,
    word_of,
)
from vizkv.ui.sweep_jobs import Job
from vizkv.views import sweeps
from vizkv.views.sweeps import Line, Picture, Spot

_JOB, _PRESET = "sweep.job", "sweep.preset"
_LOOK_S = 0.8  # how often the picture is drawn anew while runs come in
_KEPT = 32  # lists of tasks
_STYLE = """<style>
.st-key-sweep-ready [data-testid="stButtonGroup"] button[aria-checked="true"] { background: #1F5FD1 !important; }
.st-key-sweep-ready [data-testid="stButtonGroup"] button[aria-checked="true"] p { color: #FFFFFF; font-weight: 700; }
</style>"""


# ---- above the picture -----------------------------------------------------------------------------------------------


def controls() -> None:
    """The ready-made ones in a row, and below it what they are made of."""
    state = link.current()
    say, known = state.say, link.presets(state.page)
    if st.session_state.setdefault(_PRESET, state.preset.id) != state.preset.id:  # chosen in the drawer
        st.session_state[_PRESET] = state.preset.id
        _as_it_stands(state)
    wanted = asked(state)
    hardware.current()  # nonsense leaves its sentence, which stands below the controls
    st.html(_STYLE)
    with st.container(key="sweep-ready"):
        st.segmented_control(
            say("sweep.ready"), list(known), default=state.preset.id, key=f"sweep-ready-{state.edition}",
            format_func=lambda name: say(f"sweep.short.{name}"), on_change=_open, label_visibility="collapsed",
            width="stretch",
        )  # fmt: skip
    widths = [3, 3, 3, 3, 4, 3, 2.2] if wanted.y else [3, 4, 3, 4, 3, 2.2]
    columns = iter(st.columns(widths, vertical_alignment="bottom", gap="small"))
    names = list(applicable(state.scenario))
    _choose(next(columns), "x", names, wanted.x.name, say)
    _write(next(columns), "xs", wanted.xs, say)
    others = [NONE, *(name for name in names if name != wanted.x.name)]
    _choose(next(columns), "y", others, wanted.y.name if wanted.y else NONE, say)
    if wanted.y:
        _write(next(columns), "ys", wanted.ys, say)
    _choose(next(columns), "metric", list(METRICS), wanted.metric, say)
    with next(columns), st.popover(_counts(wanted, say), icon=":material/tune:", width="stretch"):
        _systems(state.scenario, wanted, say)
    run = next(columns)
    tasks = _tasks(state, wanted)
    running = (job := _job(tasks)) is not None and job.running
    if job is not None and running:
        run.button(say("sweep.stop"), key="sweep-stop", icon=":material/stop:", width="stretch", on_click=job.stop)
    else:
        run.button(
            say("sweep.run"), key="sweep-run", type="primary", icon=":material/play_arrow:", width="stretch",
            on_click=_start, args=(tasks,), disabled=not tasks,
        )  # fmt: skip


def _choose(place: Any, name: str, options: list[str], value: str, say: Messages) -> None:
    key = f"sweep-{name}"
    st.session_state[key] = value  # a preset, the link or the drawer may have changed it
    place.selectbox(
        say(f"sweep.{name}"), options, key=key, on_change=_set, args=(name,),
        format_func=lambda option: _label(name, option, say),
    )  # fmt: skip


def _label(name: str, option: str, say: Messages) -> str:
    if name == "metric":
        return say(f"metric.{option}")
    return say("sweep.none") if option == NONE else parameter_name(option, say)


def _write(place: Any, name: str, value: str, say: Messages) -> None:
    key = f"sweep-{name}"
    st.session_state[key] = value
    place.text_input(
        say(f"sweep.{name}"), key=key, on_change=_set, args=(name,), help=say("sweep.values.help"),
        max_chars=500,
    )  # fmt: skip


def _counts(wanted: Asked, say: Messages) -> str:
    systems = say("sweep.systems.n", n=len(wanted.systems))
    return systems if wanted.seeds == 1 else say("sweep.counts", systems=systems, seeds=wanted.seeds)


def _systems(scenario: Scenario, wanted: Asked, say: Messages) -> None:
    st.session_state["sweep-systems"] = list(wanted.systems)
    st.session_state["sweep-seeds"] = wanted.seeds
    st.multiselect(
        say("sweep.systems"), list(range(len(scenario.systems))), key="sweep-systems", on_change=_set,
        args=("systems",), format_func=lambda index: say.name(scenario.systems[index].label),
    )  # fmt: skip
    st.number_input(
        say("sweep.seeds"), 1, MAX_SEEDS, key="sweep-seeds", on_change=_set, args=("seeds",),
        help=say("sweep.seeds.help"),
    )  # fmt: skip


def _open() -> None:
    state = link.current()
    name = st.session_state[f"sweep-ready-{state.edition}"] or state.preset.id  # clicked off: as it stands ready
    preset = link.presets(state.page)[name]
    _as_it_stands(state)
    st.session_state[_PRESET] = name
    link.change(preset.scenario, preset)


def _as_it_stands(state: link.Open) -> None:
    """Forget what the controls say: the preset's own sweep."""
    state.more = {key: word for key, word in state.more.items() if key not in WORDS}


def _set(name: str) -> None:
    """A control moved: keep what it says if that can be made, else say why not."""
    state, value = link.current(), st.session_state[f"sweep-{name}"]
    before = dict(state.more)
    state.problem = ""
    if name in ("systems", "seeds"):
        everything = name == "systems" and len(value) in (0, len(state.scenario.systems))
        word = "" if everything else ",".join(map(str, sorted(value))) if name == "systems" else str(value)
    else:
        word = value.strip()
    state.more[name] = word
    if name in ("x", "y") and word != NONE:
        own = ready(state)
        state.more[f"{name}s"] = (
            getattr(own, f"{name}s") if word == getattr(own, name) else offered(word, state.scenario)
        )
    if name == "x" and word == before.get("y", ready(state).y):
        state.more["y"] = NONE
    chosen = state.more.pop("point", "")
    wanted = asked(state)
    if state.problem:
        state.more, state.problem = before, state.say("problem.kept", problem=state.problem)
        return
    if (
        chosen
        and name not in ("x", "y")
        and any(chosen == word_of(index, point) for index in wanted.systems for point in grid(wanted))
    ):
        state.more["point"] = chosen
    for key in [key for key, word in state.more.items() if not word]:
        del state.more[key]


@cachetools.cached(cachetools.LRUCache(_KEPT), key=lambda *what: what[:-1], lock=threading.Lock())
def _points(code: str, axes: tuple[Axis, ...], seeds: int, systems: tuple[int, ...], scenario: Scenario) -> list[Task]:
    return sweep.points(scenario, axes, seeds, systems)


def _tasks(state: link.Open, wanted: Asked) -> list[Task]:
    """What is to be run. None, with a sentence, where it cannot be."""
    try:
        axes = tuple(wanted.axes)
        tasks = _points(to_code(state.scenario), axes, wanted.seeds, wanted.systems, state.scenario)
        if (count := len(sweep.distinct(tasks))) > MAX_ON_PAGE:
            raise ScenarioError(state.say("sweep.many", n=count, most=MAX_ON_PAGE))
    except ScenarioError as error:
        state.problem = str(error)
        return []
    return tasks


def _job(tasks: list[Task]) -> Job | None:
    """The job of these tasks, if there is one; another one is stopped: nobody looks at it any more."""
    job: Job | None = st.session_state.get(_JOB)
    if job is not None and job.keys != frozenset(task.key for task in tasks):
        job.stop()
        return None
    return job


def _start(tasks: list[Task]) -> None:
    if (job := st.session_state.get(_JOB)) is not None:
        job.stop()
    st.session_state[_JOB] = Job(tasks)


# ---- the picture -----------------------------------------------------------------------------------------------------


def show() -> None:
    """The picture and what is below it; drawn anew by itself while runs come in."""
    state = link.current()
    wanted = asked(state)
    tasks = _tasks(state, wanted)
    running = (job := _job(tasks)) is not None and job.running
    st.fragment(_show, run_every=_LOOK_S if running else None)(running)


def _show(expected: bool) -> None:
    """``expected``: whether runs were coming in when this began to be drawn by itself."""
    state = link.current()
    say, wanted = state.say, asked(state)
    tasks = _tasks(state, wanted)
    job = _job(tasks)
    outcomes: dict[str, Outcome] = {**sweep.known(tasks), **(job.found if job else {})}
    found = in_order(tasks, _known(tasks, outcomes))
    total = len(sweep.distinct(tasks))
    done = sum(key in outcomes for key in {task.key for task in tasks if task.key})
    _progress(job, done, total, say)
    if tasks:
        _picture(state, wanted, tasks, found)
    for sentence, about in problems(found).items():
        st.info(say("sweep.problem", n=len(about), system=about[0].system, problem=sentence), icon=":material/block:")
    if wanted.point is not None and tasks:
        sweep_point.show(state, wanted, tasks, outcomes)
    what = _about(state.scenario, wanted, say)
    st.caption(what)
    tell(what)
    if found:
        _downloads(state, found)
    link.write(state)
    if expected and not (job is not None and job.running):
        st.rerun()  # the whole page: nothing more comes in


def _known(tasks: list[Task], outcomes: dict[str, Outcome]) -> list[tuple[Task, Outcome]]:
    told = [(task, task.problem or outcomes.get(task.key)) for task in tasks]
    return [(task, outcome) for task, outcome in told if outcome is not None]


def _progress(job: Job | None, done: int, total: int, say: Messages) -> None:
    """A bar while runs come in; else in a line what is here."""
    if job is not None and job.running:
        waits, runs = say("sweep.state.waiting"), say("sweep.state.running", done=done, n=total)
        st.progress(done / max(1, total), waits if job.waiting else runs)
        return
    text = say("sweep.state.some", done=done, n=total) if done else say("sweep.state.none", n=total)
    if job is not None and job.problem:
        text = say.error(job.problem)
    elif total and done == total:
        text = say("sweep.state.all", n=total)
    elif job is not None and job.stopped:
        text = say("sweep.state.stopped", done=done, n=total)
    st.markdown(text)


def _picture(state: link.Open, wanted: Asked, tasks: list[Task], found: list[tuple[Task, Outcome]]) -> None:
    say, theme = state.say, st.context.theme.type or "light"
    key = "sweep-picture"
    figure = sweeps.chart(picture(state, wanted, tasks, found), theme, say)

    def pick() -> None:
        chosen = st.session_state[key].selection.points
        if chosen and chosen[0].get("customdata"):
            state.more["point"] = chosen[0]["customdata"][0]

    plot.show(
        figure, key=key, on_select=pick, selection_mode="points",
        alt=say("sweep.alt", metric=say(f"metric.{wanted.metric}"), x=parameter_name(wanted.x.name, say)),
    )  # fmt: skip


def picture(state: link.Open, wanted: Asked, tasks: list[Task], found: list[tuple[Task, Outcome]]) -> Picture:
    """What is drawn of what was found."""
    numbers = cells(found, wanted.metric)
    names, nothing = {task.index: task.system for task in tasks}, (math.nan, math.nan, math.nan)
    lines = []
    for index, name in names.items():
        spots = []
        for point in grid(wanted):
            cell = numbers.get((index, point))
            mean, low, high = (cell.mean, cell.low, cell.high) if cell else nothing
            spots.append(
                Spot(
                    _place(point[0][1]), mean, low, high, word_of(index, point),
                    _place(point[1][1]) if wanted.y else "", (index, point) == wanted.point,
                )
            )  # fmt: skip
        lines.append(Line(index, name, spots))
    own = ready(state)
    theirs = own.references if not state.changed and (wanted.metric, wanted.x.name) == (own.metric, own.x) else ()
    here = {spot.x for line in lines for spot in line.spots}
    key = f"sweep.reference.{state.preset.id}"
    now = [value_in(axis.name, state.scenario) for axis in wanted.axes] + [None]
    placed = [None if value is None else _place(value) for value in now]
    return Picture(
        wanted.metric, wanted.x.name, lines, wanted.y.name if wanted.y else "",
        (placed[0] if placed[0] in here or not isinstance(placed[0], str) else None, placed[1]),
        [(index, x, value) for index, x, value in theirs if x in here] if not wanted.y else (),
        state.say(key) if key in state.say else "",
    )  # fmt: skip


def _place(value: Value) -> float | str:
    at = number(value)
    return sweep.written(value) if at is None else at


def _about(scenario: Scenario, wanted: Asked, say: Messages) -> str:
    workload = scenario.workload
    text = say("sweep.about.requests", n=len(scenario.requests))
    if workload is not None:
        text = say(
            "sweep.about", slots=scenario.slots, rate=workload.rate, duration=workload.duration,
            warmup=workload.warmup, iteration=workload.iteration_ms, token=workload.token_ms,
        )  # fmt: skip
    if wanted.seeds > 1:
        whiskers = "" if wanted.y else say("sweep.about.whiskers")
        text = say.sentences(text, say("sweep.about.seeds", n=wanted.seeds), whiskers)
    return text


# ---- below -----------------------------------------------------------------------------------------------------------


def _downloads(state: link.Open, found: list[tuple[Task, Outcome]]) -> None:
    say, name = state.say, state.preset.id
    csv, parquet, toml = st.columns(3)
    csv.download_button(
        say("sweep.csv"), lambda: to_csv(found), f"{name}.csv", "text/csv", icon=":material/download:",
        width="stretch", key="sweep-csv",
    )  # fmt: skip
    parquet.download_button(
        say("sweep.parquet"), lambda: to_parquet(found), f"{name}.parquet", "application/vnd.apache.parquet",
        icon=":material/download:", width="stretch", key="sweep-parquet",
    )  # fmt: skip
    toml.download_button(
        say("sweep.toml"), scenarios.to_toml(state.scenario), f"{name}.toml", "application/toml",
        icon=":material/download:", width="stretch", key="sweep-toml",
    )  # fmt: skip


def about() -> None:
    """What the ready-made sweep shows, and what to try; not beside another one made from it."""
    state = link.current()
    own, wanted = ready(state), asked(state)
    if (wanted.x.name, wanted.y.name if wanted.y else "") == (own.x, own.y):
        lesson.about(state)
