"""Charts without a browser: what Plotly's figure holds is what is drawn, in each format."""

import io
import re

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from vizkv.engine import engine
from vizkv.export import figures
from vizkv.export.charts.draw import FORMATS, PAGE, chart
from vizkv.export.charts.words import number, text_of, wrapped
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import preset
from vizkv.trace.slots import Code
from vizkv.views.charts import heat
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.figure2 import bars as figure2_bars
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.series import series
from vizkv.views.picture.palette import PALETTE
from vizkv.views.systems import contiguous

SAY = messages()
BEGINS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.fixture(scope="module")
def trace():
    return engine.run(preset("external-fragmentation").scenario.model_copy(update={"model": "none"}))


@pytest.fixture(scope="module")
def figure(trace):
    return charts.at_peak(series(trace), "hindsight", "textbook", "light", SAY)


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def share(image, colour):
    """Of the pixels that are exactly of a colour."""
    return float((image[:, :, :3] == rgb(colour)).all(2).mean())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_chart_is_the_same_bytes_each_time(figure, kind):
    made = chart(figure, kind)
    assert made.startswith(BEGINS[kind]) and made == chart(figure, kind)


def test_a_note_beside_a_value_is_as_high_as_the_value():
    plot = go.Figure(go.Scatter(x=[0, 1], y=[0, 100], mode="lines", line={"color": "#FFFFFF"}))
    plot.update_layout(height=400, paper_bgcolor="#FFFFFF", plot_bgcolor="#FFFFFF").update_yaxes(range=[0, 100])
    for y in (10, 90):
        plot.add_hline(y=y, line={"color": "#00FF00", "width": 2})
        plot.add_annotation(x=0.5, y=y, text="■■■", showarrow=False, font={"color": "#FF0000", "size": 40})
    image = pixels(chart(plot, "png"))
    middle = len(image) // 2
    for part in (image[:middle], image[middle:]):
        red, green = (np.flatnonzero((part[:, :, :3] == rgb(ink)).all(2).any(1)) for ink in ("#FF0000", "#00FF00"))
        assert red.min() < green.mean() < red.max()
        assert abs(red.mean() - green.mean()) < 10


def test_a_bar_is_as_long_as_its_number():
    bars = go.Figure(go.Bar(y=["a", "b"], x=[10, 40], orientation="h", marker={"color": "#3487FF"}))
    bars.update_xaxes(range=[0, 100]).update_layout(
        height=200, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)"
    )
    blue = (pixels(chart(bars, "png"))[:, :, :3] == rgb("#3487FF")).all(2)
    lengths = sorted({int(row.sum()) for row in blue if row.any()})
    assert lengths[-1] / lengths[0] == pytest.approx(4, abs=0.1)


def test_stacked_areas_fill_the_shares_of_the_pool(trace):
    told = series(trace)[:1]
    image = pixels(chart(charts.over_time(told, "online", "textbook", "light", SAY), "png", legend=False))
    free = told[0].shares("online", "textbook")[:, 4].sum() / told[0].slots
    used = told[0].shares("online", "textbook")[:, 0].sum() / told[0].slots
    drawn = share(image, PALETTE["light"]["free"]) / share(image, PALETTE["light"]["used"])
    assert drawn == pytest.approx(free / used, rel=0.15)


def test_a_category_is_hatched_and_not_only_coloured(trace):
    told = series(trace)
    svg = chart(charts.at_peak(told, "online", "textbook", "light", SAY), "svg").decode()
    assert svg.count("<pattern") >= 2


def test_a_background_is_the_page_or_nothing(figure):
    assert list(pixels(chart(figure, "png", theme="dark"))[0, 0, :3]) == rgb(PAGE["dark"])
    assert pixels(chart(figure, "png", transparent=True))[0, 0, 3] == 0


def test_scale_is_pixels_and_nothing_else(figure):
    one, two = (Image.open(io.BytesIO(chart(figure, "png", scale=scale))).size for scale in (1, 2))
    assert two == (2 * one[0], 2 * one[1])


def test_a_caption_takes_nothing_from_the_chart(figure):
    plain, told = (Image.open(io.BytesIO(chart(figure, "png", caption=text))).size for text in ("", "种子 7"))
    assert told[0] == plain[0] and told[1] > plain[1]


def test_the_description_is_in_the_svg(figure):
    svg = chart(figure, "svg", alt="a < b & 中文").decode()
    assert 'role="img"' in svg and '<desc id="alt">a &lt; b &amp; 中文</desc>' in svg


def test_chinese_is_drawn_and_not_as_boxes():
    def ink(text):
        image = pixels(chart(go.Figure().add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text=text, showarrow=False, font={"size": 60}
        ), "png"))  # fmt: skip
        return (image[:, :, :3] < 128).all(2).sum()

    assert ink("缓存") != ink("内存")  # two boxes would be as black as two others


def test_the_bars_of_figure_2_fill_the_pool_and_are_marked_with_the_papers_parts():
    fields = preset("figure-2").scenario.model_dump()
    codes = np.zeros(len(Code))
    codes[[Code.USED, Code.FREE]] = 30, 70
    systems = [
        figure2.Told(f"S{i}", system, codes, 7.5, 0.0, 1, 0, figure2.comparable(fields, i))
        for i, system in enumerate(fields["systems"])
    ]
    drawn = figure2_bars.bars(systems, "online", "textbook", "light", SAY)
    stacks = np.array([trace.y for trace in drawn.data if trace.type == "bar"], float)
    assert stacks.sum(0).tolist() == [100.0] * len(systems)
    assert not any(trace.type == "scatter" for trace in drawn.data)
    paper = figure2_bars.bars(systems, figure2.LENS, figure2.ACCOUNTING, "light", SAY)
    (marks,) = (trace for trace in paper.data if trace.type == "scatter")
    assert marks.y[0] == contiguous.PAPER["max"].shares["used"] and marks.x[-1] == "S3"
    assert chart(paper, "png").startswith(BEGINS["png"])


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(ValueError, match="pie"):
        chart(go.Figure(go.Pie(values=[1, 2])), "png")
    with pytest.raises(ValueError, match="jpg"):
        chart(go.Figure(), "jpg")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_of_a_run_is_drawn_in_both_languages(trace, theme):
    for name in figures.names(trace):
        for language in ("en", "zh"):
            made = figures.figure(name, trace, 3, "online", "textbook", theme, messages(language))
            assert chart(made, "svg", theme=theme, caption=name)


def test_a_table_of_colours_has_its_cells():
    kv = np.linspace(-1, 1, 2 * 2 * 2 * 8).reshape(2, 2, 2, 8)
    image = pixels(chart(heat.vectors(kv, "light", SAY), "png"))
    assert share(image, heat.SCALES["light"][0]) > 0.001 and share(image, heat.SCALES["light"][-1]) > 0.001


def test_axis_numbers_are_as_the_figure_asks():
    assert number(16384, None) == "16,384" and number(0.25, ".0%") == "25%" and number(-3, None) == "−3"
    assert number(1234.5, None, ", ") == "1 234,5"


def test_tags_are_not_written_out():
    assert text_of("<b>33 %</b><br>of A &amp; B") == ("33 %\nof A & B", True)


def test_a_long_caption_breaks_in_both_languages():
    lines = wrapped("一二三四五六，七八", 4, len)
    assert "".join(lines) == "一二三四五六，七八" and not any(re.match("，", line) for line in lines)
    assert wrapped("one two three", 7, len) == ["one two", "three"]
