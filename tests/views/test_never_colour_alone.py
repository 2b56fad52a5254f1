"""Whoever sees no colours, or sits in the back row, reads the same from a chart."""

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from vizkv.messages.catalogue import messages
from vizkv.trace.slots import CATEGORIES
from vizkv.views.charts import heat
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.figure2 import over_time as figure2_chart
from vizkv.views.charts.projector import HATCH, LINE, TYPE, for_projector
from vizkv.views.picture.palette import HATCH as HATCHES

SAY = messages("en")


class Ledger:
    """Five shares over ten steps, as charts ask for them."""

    name, slots, steps, peak = "one", 100, 10, 3

    def shares(self, lens, accounting):
        return np.tile(np.array([20, 30, 10, 15, 25]), (10, 1))


def over_seconds(theme):
    line = figure2_chart.Line("one", Ledger(), np.arange(10.0))
    return figure2_chart.over_time(
        [line], [None], "hindsight", "textbook", theme, SAY, duration=10.0, warmup=1.0
    )  # fmt: skip


BANDS = {
    "over steps": lambda theme: charts.over_time([Ledger()], "hindsight", "textbook", theme, SAY),
    "at the peak": lambda theme: charts.at_peak([Ledger()], "hindsight", "textbook", theme, SAY),
    "over seconds": over_seconds,
}


def shape(trace):
    pattern = trace.marker.pattern if trace.type == "bar" else trace.fillpattern
    return pattern.shape or ""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", BANDS)
def test_a_category_has_its_hatch_in_every_chart(name, theme):
    figure = BANDS[name](theme)
    assert [shape(trace) for trace in figure.data] == [HATCHES[category] for category in CATEGORIES]


def test_what_is_wasted_differs_from_what_is_used_without_any_colour():
    wasted = [HATCHES[name] for name in ("reserved", "internal", "external")]
    assert all(wasted) and len(set(wasted)) == 3 and not HATCHES["used"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_neighbouring_blocks_of_attention_differ_in_their_hatch(theme):
    figure = heat.attention(np.full(10, 0.1), [4, 1, 7], 4, list("abcdefghij"), theme, SAY)
    for bars in figure.data:
        shapes = list(bars.marker.pattern.shape)
        edges = [a != b for a, b in itertools.pairwise(shapes)]
        assert sum(edges) == 2, "a block's bars share a hatch, and the next block has another"


def test_strong_negative_numbers_of_k_and_v_carry_a_sign():
    kv = np.zeros((2, 1, 2, 4))
    kv[0, 0, 1, 2], kv[0, 0, 0, 0] = -1.0, 1.0
    marks = [t for t in heat.vectors(kv, "light", SAY).data if t.type == "scatter"]
    assert [(list(t.x), list(t.y)) for t in marks] == [([2], [1]), ([], [])]


def test_a_large_models_negative_numbers_carry_a_sign_too():
    kv = np.ones((2, 30, 3, 64))  # as of SmolLM2-135M: a sign for each, as small as its cell
    kv[1, ::2] = -1.0
    keys, values = (t for t in heat.vectors(kv, "light", SAY).data if t.type == "scatter")
    assert (len(keys.x), len(values.x)) == (0, 15 * 3 * 64)
    assert 2 <= values.marker.size < 5


def test_on_a_projector_the_same_data_are_drawn_larger():
    near, far = BANDS["at the peak"]("light"), for_projector(BANDS["at the peak"]("light"), "light")
    for before, after in zip(near.data, far.data, strict=True):
        assert list(before.x) == list(after.x) and list(before.y) == list(after.y)
        assert after.textfont.size == pytest.approx(TYPE * before.textfont.size)
        assert after.marker.line.width == pytest.approx(LINE * before.marker.line.width)
        assert after.marker.pattern.size == pytest.approx(HATCH * before.marker.pattern.size)
    assert far.layout.font.size == pytest.approx(TYPE * near.layout.font.size)
    assert far.layout.height > near.layout.height and far.layout.font.color == "#000000"


def test_on_a_large_projector_type_height_and_margins_grow_alike():
    small, large = (for_projector(BANDS["at the peak"]("light"), "light", larger) for larger in (1.0, 1.5))
    assert large.layout.font.size == pytest.approx(1.5 * small.layout.font.size)
    assert large.data[0].textfont.size == pytest.approx(1.5 * small.data[0].textfont.size)
    assert large.layout.height == pytest.approx(1.5 * small.layout.height, abs=1)
    assert large.layout.margin.b > small.layout.margin.b


def test_markers_of_several_sizes_all_grow():
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1, 2], marker={"size": [10, 20], "line": {"width": [0, 3]}}))
    grown = for_projector(figure, "dark").data[0].marker
    assert grown.size[1] == 2 * grown.size[0] > 20 and grown.line.width[1] > 3
