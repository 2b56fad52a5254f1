"""One point of a sweep: its run in words, its ledger over time, its slots, and buttons to open it elsewhere."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from vizkv import sweeps as sweep
from vizkv.engine import engine
from vizkv.limits import kept
from vizkv.replay.ledgers import Series, ledgers
from vizkv.scenario import schema as scenarios
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict
from vizkv.sweeps import Outcome, Task
from vizkv.trace.trace import Trace
from vizkv.ui import link, pages, store
from vizkv.ui.charts import plot
from vizkv.ui.player import window as window_player
from vizkv.ui.player.runs import MAX_SLOTS
from vizkv.ui.sweep.asked import Asked, parameter_name
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts import sweeps

_RUNS = 128 << 20  # cache size in bytes


@kept.cached(_RUNS, key=lambda task: (task.key, task.system))
def _run(task: Task) -> tuple[Trace, Series]:
    trace = engine.run(from_dict(task.scenario), max_steps=engine.MAX_STEPS)
    trace = replace(trace, systems=(replace(trace.systems[0], name=task.system),))
    return trace, ledgers(trace.systems[0], trace.requests)


def show(state: link.Open, wanted: Asked, tasks: list[Task], outcomes: dict[str, Outcome]) -> None:
    """Show the chosen run in words and over time, with buttons that open it on other pages."""
    say, theme = state.say, st.context.theme.type or "light"
    assert wanted.point is not None
    task = next(t for t in tasks if (t.index, t.point) == wanted.point)  # the first seed
    where = say("sweep.joint").join(
        say("sweep.value", name=parameter_name(name, say), value=sweep.written(value)) for name, value in task.point
    )
    st.subheader(say.in_markdown("sweep.point", system=task.system, where=where))
    outcome = task.problem or outcomes.get(task.key)
    if outcome is None or isinstance(outcome, str):
        st.info(say.in_markdown.error(outcome) if outcome else say("sweep.point.later"), icon=":material/hourglass:")
        return
    told, ledger = st.columns([2, 3], gap="large")
    with told:
        st.markdown(sweeps.words(task.system, outcome, say.in_markdown))
        if wanted.seeds > 1:
            st.caption(say("sweep.point.seed", seed=task.seed))
        try:
            whole = sweep.put(state.scenario, task.point)
        except ScenarioError:  # a system of another kind cannot run with these values
            whole = sweep.put(state.scenario, task.point, [task.index])
        if (
            "whatif" in pages.PAGES
            and state.scenario.workload is not None
            and st.button(
                say("sweep.open"), key="sweep-open", icon=":material/open_in_new:", help=say("sweep.open.help")
            )
        ):
            hand(whole, "whatif")
            st.switch_page(pages.PAGES["whatif"].file)
        st.download_button(
            say("sweep.point.toml"), scenarios.to_toml(whole), "point.toml", "application/toml",
            icon=":material/download:", key="sweep-point-toml",
        )  # fmt: skip
    with ledger:
        try:
            with st.spinner(say("sweep.point.running")):
                trace, series = _run(task)
        except ScenarioError as error:
            st.info(say.in_markdown.error(error), icon=":material/block:")
            return
        plot.show(
            charts.over_time([series], "hindsight", "paper", theme, say),
            alt=say("chart.alt.over-time"), key="sweep-ledger",
        )  # fmt: skip
    if trace.systems[0].slots <= MAX_SLOTS:
        window_player.show("sweep", f"{task.key}:{task.system}", trace, series.peak)


def hand(scenario: Scenario, page: str) -> None:
    """Make another page open a scenario when it is shown next."""
    here = store.get(link._PAGE)
    store.put(link._PAGE, page)
    try:
        # the tokens of a workload are made up, so a model would change nothing
        link.change(scenario.model_copy(update={"model": "none"}) if scenario.workload else scenario)
        link.current().edition += 1
    finally:
        store.put(link._PAGE, here)
