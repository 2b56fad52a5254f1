"""The picture of a sweep."""

import itertools
import math

import pytest

from vizkv import sweeps as sweep
from vizkv.export import swept
from vizkv.messages.catalogue import messages
from vizkv.replay.metrics import METRICS
from vizkv.scenario.presets import preset
from vizkv.ui import link
from vizkv.ui.sweep import asked as sweep_asked
from vizkv.ui.sweep import page as sweep_page
from vizkv.views.charts.sweeps import READY, Line, Picture, Spot, chart, looks, words

SAY = messages()
NAN = math.nan


def spot(x, mean, y="", **more):
    return Spot(x, mean, mean, mean, f"{x}", y, **more)


def line(index, *spots):
    return Line(index, f"system {index}", spots)


def drawn(*lines, **more):
    return chart(Picture("used", "block_size", lines, **more), "light", SAY)


def test_no_two_of_a_dozen_systems_look_alike_without_colour():
    for theme in ("light", "dark"):
        seen = [tuple(v for k, v in looks(i, theme).items() if k != "colour") for i in range(12)]
        assert len(set(seen)) == 12
        for one, two in itertools.combinations([looks(i, theme) for i in range(6)], 2):
            assert all(one[name] != two[name] for name in ("colour", "dash", "symbol"))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((8, 16, 32), "log"),
        ((8, 16, 32, 64, 128, 256), "log"),
        ((4096, 8192, 16384, 32768), "log"),
        ((8, 64, 256), "log"),
        ((8, 24, 300), "log"),
        ((1, 2, 3), "linear"),
        ((1, 1.5, 2, 2.5, 3, 4), "linear"),
        ((0, 1, 16), "linear"),
        ((8, 16), "linear"),
        ((8, 256), "log"),
    ],
)
def test_an_axis_of_equal_factors_or_of_a_wide_span_is_logarithmic(values, kind):
    axis = drawn(line(0, *(spot(float(x), 50.0) for x in values))).layout.xaxis
    assert axis.type == kind
    assert list(axis.ticktext) == [SAY.exact(float(x)) for x in values]


@pytest.mark.parametrize("name", [name for name, ready in READY.items() if not ready.y])
def test_the_command_line_and_the_page_draw_the_same_axis(name):
    state = link.Open(preset(name), preset(name).scenario)
    wanted = sweep_asked.asked(state)
    tasks = sweep.points(state.scenario, wanted.axes)
    found = [(task, dict.fromkeys(METRICS, 1.0)) for task in tasks]
    page = chart(sweep_page.picture(state, wanted, tasks, found), "light", SAY)
    printed = swept.figure(found, [axis.name for axis in wanted.axes], wanted.metric, "light", SAY)
    assert page.layout.xaxis == printed.layout.xaxis


def test_words_stand_in_their_order_on_the_axis():
    figure = drawn(line(0, spot("ideal", 5.0), spot("buddy", 4.0)))
    assert figure.layout.xaxis.type == "category" and list(figure.layout.xaxis.categoryarray) == ["ideal", "buddy"]


def test_what_is_not_known_yet_is_not_drawn():
    figure = drawn(line(0, spot(8.0, 90.0), spot(16.0, NAN)), line(1, spot(8.0, NAN)))
    assert [list(trace.x) for trace in figure.data] == [[8.0], []]
    assert drawn(line(0, spot(8.0, NAN))).layout.yaxis.range == (0, 103)


def test_numbers_beside_points_do_not_lie_on_each_other():
    figure = drawn(*(line(i, spot(8.0, mean), spot(16.0, mean)) for i, mean in enumerate((90.0, 50.0, 49.5, 20.0))))
    labels = {trace.name: [text for text in trace.text if text] for trace in figure.data}
    assert labels["system 0"] == ["90"] and labels["system 3"] == ["20"]  # said once where it stays
    places = {trace.textposition[0] for trace in figure.data[1:3] if trace.text[0]}
    assert len(places) == sum(bool(trace.text[0]) for trace in figure.data[1:3])  # one above, one below


def test_a_number_stands_beside_the_mark_of_another_point_that_it_would_touch():
    means = (97.0, 39.0, 28.4, 20.3)
    figure = drawn(*(line(i, spot(8.0, mean), spot(16.0, mean)) for i, mean in enumerate(means)))
    assert [trace.textposition[0] for trace in figure.data][:3] == ["top center", "top center", "top right"]


def test_the_chosen_point_and_the_scenario_s_own_are_marked():
    figure = drawn(line(0, spot(8.0, 90.0), spot(16.0, 80.0, chosen=True)), now=(8.0, None))
    assert list(figure.data[0].marker.line.width) == [0, 3]
    (rule,) = figure.layout.shapes
    assert rule.line.dash == "dot" and rule.x0 == 8.0


def test_the_numbers_of_others_stand_behind_ours_under_their_name():
    figure = drawn(line(3, spot(8.0, 90.0)), references=[(3, 8.0, 97.2), (9, 8.0, 1.0)], reference="theirs")
    assert figure.data[0].name == "theirs" and list(figure.data[0].y) == [97.2]
    assert figure.data[0].customdata is None  # a click on them opens nothing


def test_two_parameters_are_a_table_for_each_system_with_its_numbers_in_it():
    cells = [spot(x, x * y, y) for x in (1.0, 2.0) for y in (3.0, 4.0)]
    figure = drawn(line(0, *cells), line(2, *cells), y="rate", now=(1.0, 4.0))
    heat, text = figure.data[0], figure.data[1]
    assert [list(row) for row in heat.z] == [[3.0, 6.0], [4.0, 8.0]]
    assert list(text.text) == ["3", "6", "4", "8"] and [list(d) for d in text.customdata][0] == ["1.0"]
    assert sum(shape.line.dash == "dot" for shape in figure.layout.shapes) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_number_is_legible_on_its_cell(theme):
    cells = [spot(float(x), float(x), 1.0) for x in range(6)]
    figure = chart(Picture("used", "block_size", [line(0, *cells)], y="rate"), theme, SAY)
    colours = list(figure.data[1].textfont.color)
    assert colours[0] != colours[-1]


def test_a_run_in_words_says_only_what_there_was():
    numbers = dict.fromkeys(("used", "reserved", "internal", "external", "mean_batch", "throughput"), 12.34)
    numbers |= {"latency_mean": NAN, "latency_p95": NAN, "finished": 0.0, "unfinished": 3.0, "preemptions": 0.0,
                "never": 1.0, "hit_rate": NAN}  # fmt: skip
    text = words("vLLM", numbers, SAY)
    assert "**12.3 %** of the pool" in text and "3 had not finished" in text and "could never run" in text
    assert "preemption" not in text and "cache" not in text and "percentile" not in text
