"""K and V as pictures, and attention by block."""

import numpy as np
import pytest

from vizkv.messages.catalogue import messages
from vizkv.views.charts import heat

KV = np.random.default_rng(0).normal(size=(2, 3, 2, 8)).astype(np.float32)


def luminance(colour):
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def tables(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scale_is_even_around_zero(theme):
    figure = heat.vectors(KV, theme, messages())
    for trace, values in zip(tables(figure), KV, strict=True):
        assert trace.zmin == -trace.zmax == -np.abs(values).max()
        middle = trace.colorscale[len(trace.colorscale) // 2]
        assert middle[0] == 0.5 and middle[1] == heat.SCALES[theme][2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_strong_values_stand_out_without_seeing_colours(theme):
    shades = [luminance(c) for c in heat.SCALES[theme]]
    assert abs(shades[0] - shades[2]) > 0.35 and abs(shades[4] - shades[2]) > 0.35
    outwards = np.diff(np.abs(np.array(shades) - shades[2]))
    assert (outwards[:2] < 0).all() and (outwards[2:] > 0).all()


def test_every_number_of_the_slot_is_in_the_picture_in_its_row():
    figure = heat.vectors(KV, "light", messages())
    for part, trace in enumerate(tables(figure)):
        assert np.array_equal(np.array(trace.z), KV[part].reshape(6, 8))
        assert trace.customdata[3][0] == "layer 2, head 2"


@pytest.mark.parametrize(("count", "size"), [(1, 4), (4, 4), (10, 4), (7, 1), (40, 16), (100, 1)])
def test_a_blocks_bar_is_the_sum_of_its_tokens(count, size):
    weights = np.random.default_rng(count).random(count)
    weights /= weights.sum()
    table = list(range(50, 50 + -(-count // size)))
    blocks, tokens = heat.attention(weights, table, size, ["x"] * count, "light", messages()).data
    assert sum(blocks.y) == pytest.approx(1)
    assert len(blocks.y) == len(table) and len(tokens.y) == count
    for row, share in enumerate(blocks.y):
        inside = [i for i in tokens.x if abs(i - blocks.x[row]) <= blocks.width[row] / 2]
        assert share == pytest.approx(weights[inside].sum())
        assert blocks.customdata[row][1] == 50 + row
