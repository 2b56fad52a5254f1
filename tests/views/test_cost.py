"""What paging costs, drawn and said: every number on the page is one that was measured."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from vizkv.messages.catalogue import messages
from vizkv.views.charts import cost

SAY = messages()
SIZES = (1, 16, 256)


class Spread(NamedTuple):
    low: float
    median: float
    high: float


@dataclass
class Cost:
    length: int
    block_size: int
    overhead: Spread
    contiguous = Spread(9, 10, 11)
    paged = Spread(10, 12.34, 14)
    gather = Spread(1, 2, 3)
    floor: float = 4.56
    rounds: int = 40


def measured(**overheads: float) -> list[Cost]:
    """Costs at lengths 128 and 2048; ``overheads``: b16_128=0.1 and so on."""
    found = []
    for size, length in itertools.product(SIZES, (128, 2048)):
        share = overheads.get(f"b{size}_{length}", 0.5)
        found.append(Cost(length, size, Spread(share - 0.02, share, share + 0.03)))
    return found


def test_a_block_table_that_was_slower_is_told_so_at_vllms_block_size():
    text = cost.sentence(measured(b16_128=0.114, b16_2048=0.297), 1, SAY)
    assert "**the block table costs time.**" in text
    assert "blocks of **16**" in text and "took **11 % to 30 %** longer" in text
    assert "128 to 2,048 tokens" in text and "1 thread:" in text and "40 or more rounds" in text


def test_a_block_table_that_was_faster_is_told_so():
    text = cost.sentence(measured(b16_128=-0.051, b16_2048=-0.2), 2, SAY)
    assert "**the block table was faster.**" in text
    assert "was **5 % to 20 %** shorter" in text and "2 threads:" in text
    assert "costs" not in text and "longer" not in text


def test_quartiles_on_both_sides_of_zero_are_no_difference_beyond_noise():
    text = cost.sentence(measured(b16_128=-0.025, b16_2048=0.015), 1, SAY)
    assert "**no difference beyond noise.**" in text and "−2 % to +2 %" in text
    assert "costs" not in text and "faster" not in text


def test_a_difference_that_rounds_to_nothing_is_none():
    close = [Cost(n, 16, Spread(0.001, 0.002, 0.003)) for n in (128, 2048)]
    assert "**no difference beyond noise.** " in cost.sentence(close, 1, SAY)


@pytest.mark.parametrize(
    ("short", "long", "told"),
    [
        (-0.3, 0.2, "**30 % shorter** for 128 tokens; **20 % longer** for 2,048 tokens"),
        (0.0, 0.2, "**equally long within noise** for 128 tokens; **20 % longer** for 2,048 tokens"),
        (-0.3, 0.0, "**30 % shorter** for 128 tokens; **equally long within noise** for 2,048 tokens"),
    ],
)
def test_lengths_that_disagree_are_told_one_by_one(short, long, told):
    text = cost.sentence(measured(b16_128=short, b16_2048=long), 1, SAY)
    assert "**it depends on the length of the text.**" in text and told in text


def test_equal_overheads_are_said_once():
    assert "took **7 %** longer" in cost.sentence(measured(b16_128=0.07, b16_2048=0.071), 1, SAY)


def test_a_measurement_that_was_left_early_has_its_sentence_too():
    text = cost.sentence(measured()[:1], 1, SAY)
    assert "blocks of **1**" in text and "texts of 128 tokens" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("shares", [(0.1, 0.3), (-0.1, -0.3), (0.0, 0.01), (-0.3, 0.3)])
def test_the_sentence_has_no_place_left_open(language, shares):
    text = cost.sentence(measured(b16_128=shares[0], b16_2048=shares[1]), 1, messages(language))
    assert "{" not in text and "16" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_question_promises_no_answer(language):
    question = messages(language)("cost.question")
    assert not any(word in question for word in ("not free", "longer", "slower", "免费", "慢"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_shows_the_medians_that_were_measured(theme):
    costs = measured(b16_128=0.114, b256_2048=-0.2)
    figure = cost.chart(costs, SIZES, theme, SAY)
    for line, length in zip(figure.data, (128, 2048), strict=True):
        points = [c for c in costs if c.length == length]
        assert list(line.y) == [c.overhead.median * 100 for c in points]
        assert list(line.error_y.array) == pytest.approx([3.0] * len(points))
    low, top = figure.layout.yaxis.range
    assert low < -20 and top > 50


def test_lines_differ_in_dash_and_marker_and_not_only_in_colour():
    lines = cost.chart(measured(), SIZES, "light", SAY).data
    for part in (lambda t: t.line.dash, lambda t: t.marker.symbol, lambda t: t.line.color):
        assert len({part(line) for line in lines}) == len(lines)


def test_the_papers_numbers_are_labelled_as_the_papers():
    figure = cost.chart(measured(), SIZES, "light", SAY)
    (band,) = (s for s in figure.layout.shapes if s.type == "rect")
    assert (band.y0, band.y1) == (20, 26)
    assert any("paper" in a.text and "20–26 %" in a.text for a in figure.layout.annotations)


def test_the_line_at_nothing_ends_before_the_names_of_the_lines():
    figure = cost.chart(measured(b256_128=0.0), SIZES, "light", SAY)
    (zero,) = (s for s in figure.layout.shapes if s.type == "line")
    name = next(a for a in figure.layout.annotations if "128" in a.text)
    left, right = figure.layout.xaxis.range
    pixel = (right - left) / 1200  # of a chart on a wide page
    assert zero.y0 == zero.y1 == 0 and zero.x1 < name.x + name.xshift * pixel


def test_labels_at_the_lines_ends_do_not_cover_each_other():
    places = cost.apart([1.0, 1.0, 1.1, 9.0], 2.0)
    assert all(b - a >= 2.0 - 1e-9 for a, b in itertools.pairwise(sorted(places)))
    assert places[3] == 9.0  # nothing is near it
    assert sum(places[:3]) == pytest.approx(3.1)  # the others move as little as they can
    assert cost.apart([], 1.0) == []


def test_the_table_has_a_row_a_pair():
    costs = measured()
    columns = cost.table(costs, SAY)
    assert all(len(values) == len(costs) for values in columns.values())
    assert columns[SAY("cost.table.paged")] == [12.3] * 6
    assert columns[SAY("cost.table.floor")] == [4.6] * 6


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_shows_the_same_tokens_in_one_piece_and_in_blocks(theme):
    picture = cost.picture(theme, SAY)
    for token in range(14):
        assert picture.count(f">{token}</text>") >= 2
    assert picture.startswith("<svg") and "aria-label" in picture
