"""A chart for a phone: the same data, and every word of it inside some 350 pixels."""

import numpy as np
import plotly.graph_objects as go

from tests.views.test_never_colour_alone import Ledger
from vizkv.messages.catalogue import messages
from vizkv.views.charts import cache, heat
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.phone import for_phone

SAY = messages("en")


def same(before, after):
    one, two = ([(t["x"], t["y"]) for t in figure.to_dict()["data"]] for figure in (before, after))
    return one == two


def test_plots_side_by_side_stand_below_each_other_under_their_own_names():
    wide = charts.over_time([Ledger(), Ledger(), Ledger()], "hindsight", "textbook", "light", SAY)
    tall = for_phone(wide)
    assert same(wide, tall)
    axes = [(tall.layout[f"xaxis{n}"], tall.layout[f"yaxis{n}"]) for n in ("", 2, 3)]
    assert all(x.domain == (0, 1) and y.showticklabels for x, y in axes)
    tops = [y.domain[1] for _, y in axes]
    assert all(upper.domain[0] > lower.domain[1] for (_, upper), (_, lower) in zip(axes, axes[1:], strict=False))
    assert [(title.x, title.y) for title in tall.layout.annotations] == [(0, top) for top in tops]
    assert tall.layout.height > wide.layout.height
    assert [bool(x.title.text) for x, _ in axes] == [False, False, True]


def test_what_stands_beside_the_lines_moves_over_them():
    spots = [cache.Spot(2**n, 40.0 + n, "", False) for n in range(10, 17)]
    wide = cache.chart([cache.Curve(16, 77.2, spots)], {s.slots: "1 GiB" for s in spots}, "light", SAY)
    narrow = for_phone(wide)
    assert same(wide, narrow) and narrow.layout.margin.r < 20 < wide.layout.margin.r
    assert {one.xanchor for one in narrow.layout.annotations if one.x == 1} == {"right"}
    numbers = narrow.layout.xaxis.ticktext
    assert len(numbers) < 7 and numbers[-1] == wide.layout.xaxis.ticktext[-1]


def test_a_long_line_below_a_plot_is_broken_and_a_tall_legend_has_room():
    attention = heat.attention(np.full(10, 0.1), [4, 1, 7], 4, list("abcdefghij"), "light", SAY)
    assert "<br>" in for_phone(attention).layout.xaxis2.title.text
    figure = go.Figure([go.Bar(x=[1], y=[1], name=f"a rather long name, number {n}") for n in range(6)])
    figure.update_layout(height=300, margin={"b": 40}, xaxis={"title": {"text": "step"}})
    layout = for_phone(figure).layout
    assert layout.margin.b >= 7 * 20 and layout.height - layout.margin.b == 300 - 40
