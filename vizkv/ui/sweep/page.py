"""The page "Sweeps": what to vary and measure, a picture that grows as runs finish, the run of one point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from vizkv import sweeps as sweep
from vizkv.limits import kept
from vizkv.messages.catalogue import Messages
from vizkv.messages.escape import markdown
from vizkv.replay.metrics import METRICS
from vizkv.scenario import schema as scenarios
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import Axis, Outcome, Task, Value
from vizkv.sweeps.table import cells, in_order, number, problems, to_csv, to_parquet
from vizkv.ui import hardware, link, store, widgets
from vizkv.ui.charts import plot
from vizkv.ui.export.offered import tell
from vizkv.ui.guard import guarded
from vizkv.ui.memory import lesson
from vizkv.ui.sweep import point as sweep_point
from vizkv.ui.sweep.asked import (
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
from vizkv.ui.sweep.jobs import Job
from vizkv.views.charts import sweeps
from vizkv.views.charts.sweeps import Line, Picture, Spot

_JOB, _PRESET = "sweep.job", "sweep.preset"
_LOOK_S = 0.8  # seconds between two redraws while runs are computed
_TASKS = 64 << 20  # cache size in bytes for lists of tasks


# ---- above the picture -----------------------------------------------------------------------------------------------


def controls() -> None:
    """Draw the ready-made sweeps in a row, and below it the controls of the open one."""
    state = link.current()
    say, known = state.say, link.presets(state.page)
    if store.first(_PRESET, state.preset.id) != state.preset.id:  # it was chosen in the drawer
        store.put(_PRESET, state.preset.id)
        _as_it_stands(state)
    wanted = asked(state)
    hardware.current()  # an invalid word leaves its error sentence, shown below the controls
    key = widgets.shows("sweep-ready-made", state.preset.id)
    with st.container(key="sweep-ready"):
        st.segmented_control(
            say("sweep.ready"), list(known), key=key, format_func=lambda name: say(f"sweep.short.{name}"),
            on_change=widgets.changed(key, _open, known), label_visibility="collapsed", width="stretch",
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
            on_click=widgets.clicked(_start, tasks), disabled=not tasks,
        )  # fmt: skip


def _choose(place: Any, name: str, options: list[str], value: str, say: Messages) -> None:
    key = widgets.shows(f"sweep-{name}", value)
    place.selectbox(
        say(f"sweep.{name}"), options, key=key, on_change=widgets.changed(key, partial(_set, name), options),
        format_func=lambda option: _label(name, option, say),
    )  # fmt: skip


def _label(name: str, option: str, say: Messages) -> str:
    if name == "metric":
        return say(f"metric.{option}")
    return say("sweep.none") if option == NONE else parameter_name(option, say)


def _write(place: Any, name: str, value: str, say: Messages) -> None:
    key = widgets.shows(f"sweep-{name}", value)
    place.text_input(
        say(f"sweep.{name}"), key=key, on_change=widgets.changed(key, partial(_set, name)),
        help=say("sweep.values.help"), max_chars=500,
    )  # fmt: skip


def _counts(wanted: Asked, say: Messages) -> str:
    systems = say("sweep.systems.n", n=len(wanted.systems))
    return systems if wanted.seeds == 1 else say("sweep.counts", systems=systems, seeds=wanted.seeds)


def _systems(scenario: Scenario, wanted: Asked, say: Messages) -> None:
    systems, seeds = widgets.shows("sweep-systems", list(wanted.systems)), widgets.shows("sweep-seeds", wanted.seeds)
    known = list(range(len(scenario.systems)))
    st.multiselect(
        say("sweep.systems"), known, key=systems, on_change=widgets.changed(systems, partial(_set, "systems"), known),
        format_func=lambda index: say.name(scenario.systems[index].label),
    )  # fmt: skip
    st.number_input(
        say("sweep.seeds"), 1, MAX_SEEDS, wanted.seeds, key=seeds, help=say("sweep.seeds.help"),
        on_change=widgets.changed(seeds, partial(_set, "seeds")),
    )  # fmt: skip


def _open(name: str | None) -> None:
    """Open a ready-made sweep. None means that the open one was deselected: it is reset."""
    state = link.current()
    preset = link.presets(state.page)[name or state.preset.id]
    _as_it_stands(state)
    store.put(_PRESET, preset.id)
    link.change(preset.scenario, preset)


def _as_it_stands(state: link.Open) -> None:
    """Reset all controls to the preset's sweep."""
    state.more = {key: word for key, word in state.more.items() if key not in WORDS}


def _set(name: str, value: Any) -> None:
    """Store a control's new value if the sweep is valid with it, else show why not."""
    state = link.current()
    if value is None:  # the field was emptied
        return
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


@kept.cached(_TASKS, key=lambda scenario, *what: (digest_of(scenario), *what))
def _points(
    scenario: Scenario, axes: tuple[Axis, ...], seeds: int, systems: tuple[int, ...]
) -> list[Task]:  # fmt: skip
    return sweep.points(scenario, axes, seeds, systems)


def _tasks(state: link.Open, wanted: Asked) -> list[Task]:
    """Return the runs; if they are invalid, leave a sentence and return none."""
    try:
        axes = tuple(wanted.axes)
        tasks = _points(state.scenario, axes, wanted.seeds, wanted.systems)
        if (count := len(sweep.distinct(tasks))) > MAX_ON_PAGE:
            raise ScenarioError(state.say("sweep.many", n=count, most=MAX_ON_PAGE))
    except ScenarioError as error:
        state.problem = str(error)
        return []
    return tasks


def _job(tasks: list[Task]) -> Job | None:
    """Return the job of these tasks, or None. A job of other tasks is stopped: its results are not shown any more."""
    job: Job | None = store.get(_JOB)
    if job is not None and job.keys != frozenset(task.key for task in tasks):
        job.stop()
        return None
    return job


def _start(tasks: list[Task]) -> None:
    if (job := store.get(_JOB)) is not None:
        job.stop()
    store.put(_JOB, Job(tasks))


# ---- the picture -----------------------------------------------------------------------------------------------------


def show() -> None:
    """Draw the picture and everything below it; redraws itself while runs are computed."""
    state = link.current()
    wanted = asked(state)
    tasks = _tasks(state, wanted)
    running = (job := _job(tasks)) is not None and job.running
    st.fragment(guarded(_show), run_every=_LOOK_S if running else None)(running)


def _show(expected: bool) -> None:
    """Draw the fragment. ``expected``: whether runs were being computed when this automatic redraw was scheduled."""
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
        st.info(
            say.in_markdown("sweep.problem", n=len(about), system=about[0].system, problem=sentence),
            icon=":material/block:",
        )
    if wanted.point is not None and tasks:
        sweep_point.show(state, wanted, tasks, outcomes)
    what = _about(state.scenario, wanted, say)
    st.caption(markdown(what))
    tell(what)
    if found:
        _downloads(state, found)
    link.write(state)
    if expected and not (job is not None and job.running):
        st.rerun()  # rerun the whole page, which ends the automatic redraw


def _known(tasks: list[Task], outcomes: dict[str, Outcome]) -> list[tuple[Task, Outcome]]:
    told = [(task, task.problem or outcomes.get(task.key)) for task in tasks]
    return [(task, outcome) for task, outcome in told if outcome is not None]


def _progress(job: Job | None, done: int, total: int, say: Messages) -> None:
    """Draw a progress bar while runs are computed, else one line about the results."""
    if job is not None and job.running:
        waits, runs = say("sweep.state.waiting"), say("sweep.state.running", done=done, n=total)
        st.progress(done / max(1, total), waits if job.waiting else runs)
        return
    text = say("sweep.state.some", done=done, n=total) if done else say("sweep.state.none", n=total)
    if job is not None and job.problem:
        text = say.in_markdown.error(job.problem)
    elif total and done == total:
        text = say("sweep.state.all", n=total)
    elif job is not None and job.stopped:
        text = say("sweep.state.stopped", done=done, n=total)
    st.markdown(text)


def _picture(state: link.Open, wanted: Asked, tasks: list[Task], found: list[tuple[Task, Outcome]]) -> None:
    say, theme = state.say, st.context.theme.type or "light"
    key = "sweep-picture"
    figure = sweeps.chart(picture(state, wanted, tasks, found), theme, say)

    def pick(points: list[Mapping[str, Any]]) -> None:
        if word := widgets.word(points):
            state.more["point"] = word

    plot.show(
        figure, key=key, on_select=widgets.picked(key, pick), selection_mode="points",
        alt=say("sweep.alt", metric=say(f"metric.{wanted.metric}"), x=parameter_name(wanted.x.name, say)),
    )  # fmt: skip


def picture(state: link.Open, wanted: Asked, tasks: list[Task], found: list[tuple[Task, Outcome]]) -> Picture:
    """Return the picture of the results."""
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
    say, name = state.say, state.file_name
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
    """Explain the ready-made sweep and suggest what to try; not for a sweep that was changed."""
    state = link.current()
    own, wanted = ready(state), asked(state)
    if (wanted.x.name, wanted.y.name if wanted.y else "") == (own.x, own.y):
        lesson.about(state)
