"""The ready-made sweeps: each can be made, and lands where others did."""

import pytest

from tests.sweeps.small import forgetful
from vizkv.replay.metrics import METRICS
from vizkv.scenario.presets import list_presets, preset
from vizkv.sweeps import parse_values, points, run
from vizkv.views.charts.sweeps import READY

WITHIN = 2.5  # points, as everywhere in this project


def axes(ready):
    return [parse_values(ready.x, ready.xs), *([parse_values(ready.y, ready.ys)] if ready.y else [])]


def test_every_preset_of_the_page_is_a_sweep_and_every_sweep_a_preset():
    assert [p.id for p in list_presets() if p.page == "sweep"] == list(READY)


@pytest.mark.parametrize("name", READY)
def test_every_point_of_a_ready_made_sweep_can_be_run(name):
    ready = READY[name]
    assert ready.metric in METRICS
    made = points(preset(name).scenario, axes(ready))
    assert not [task.problem for task in made if task.problem]
    drawn = {(task.index, task.point[0][1]) for task in made}
    assert {(index, x) for index, x, _ in ready.references} <= drawn


# the block sizes themselves: tests/engine/test_figure_2.py
@pytest.mark.parametrize("name", ["sweep-contiguity", "sweep-figure-13"])
def test_a_sweep_lands_where_others_did(name):
    ready, known = READY[name], {(index, x): value for index, x, value in READY[name].references}
    made = points(preset(name).scenario, axes(ready))
    wanted = [task for task in made if (task.index, task.point[0][1]) in known]
    found = {(task.index, task.point[0][1]): outcome[ready.metric] for task, outcome in
             run(wanted, jobs=1, store=forgetful())}  # fmt: skip
    if name == "sweep-figure-13":
        # our lengths are drawn from quantiles: the paper's 30.42 batched requests of vLLM are of its own requests
        assert 24 < found.pop((3, 2.0)) < 30.42
    assert all(abs(value - known[where]) <= WITHIN for where, value in found.items()), found
