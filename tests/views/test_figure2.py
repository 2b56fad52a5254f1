"""Figure 2 from our own run: its numbers, how its bars grow, and when the paper's numbers stand for it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.engine.engine import run
from vizkv.live import FOLDER, MODULES, assets
from vizkv.messages.catalogue import messages
from vizkv.replay.averages import by_category
from vizkv.replay.ledgers import Series, ledgers
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.trace.slots import CATEGORIES, Code
from vizkv.ui.whatif import knobs as whatif_knobs
from vizkv.ui.whatif import runs as whatif_runs
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.charts.figure2 import over_time as figure2_chart
from vizkv.views.charts.figure2.live import FRAMES, Drawn, Told, comparable, first_counted, growth, marks
from vizkv.views.charts.figure2.over_time import Line
from vizkv.views.facts.records import summary
from vizkv.views.picture.palette import PALETTE
from vizkv.views.systems import contiguous

FIGURE_2 = preset("figure-2").scenario
say = messages()


def shortened(**more):
    """Figure 2's experiment, a few seconds of it."""
    data = to_dict(FIGURE_2)
    data["workload"] |= {"duration": 12.0, "warmup": 4.0} | more
    return from_dict(data)


def told(scenario, index, shares, **more):
    fields = scenario.model_dump()
    return Told(
        name=scenario.systems[index].label, system=fields["systems"][index], shares=np.array(shares, float),
        batched=7.0, seconds=0.034, steps=1000, never=0, comparable=comparable(fields, index), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def five():
    """Figure 2's experiment in full, with five seeds."""
    seeds = whatif_runs.Seeds(FIGURE_2, range(5))
    seeds.wait()
    assert not seeds.problem
    return seeds.results


def test_the_mean_of_five_seeds_is_within_2_5_points_of_each_of_the_papers_13_numbers(five):
    systems = [told(FIGURE_2, i, ends[0][0], seeds=tuple(shares for shares, _ in ends)) for i, ends in enumerate(five)]
    found = figure2.numbers(systems)
    assert len(found) == 13
    assert {(n.system, n.category): n.difference for n in found if abs(n.difference) > 2.5} == {}


def test_one_seed_differs_from_another_by_less_than_the_systems_do(five):
    used = [[by_category(shares, "hindsight", "paper")["used"] for shares, _ in ends] for ends in five]
    assert all(max(low) < min(high) for low, high in zip(used, used[1:], strict=False))


@pytest.mark.parametrize(("size", "used"), [(8, 97.2), (16, 96.3), (32, 94.7), (64, 91.4), (128, 85.4), (256, 75.2)])
def test_larger_blocks_hold_less_that_is_used(size, used):
    scenario = whatif_knobs.turned(FIGURE_2, "block_size", size)
    lane = whatif_runs.Lane(whatif_runs.alone(scenario, 3))
    lane.go(float("inf"), lambda: False)
    assert by_category(lane.growth.shares[-1], "hindsight", "paper")["used"] == pytest.approx(used, abs=2.5)


# ---- bars that grow ----


def test_the_last_picture_is_the_summary_of_the_run():
    scenario = shortened()
    trace = run(scenario)
    printed = summary(trace)
    for system in trace.systems:
        grown = growth(ledgers(system, trace.requests), system.time_s, marks(12.0), (4.0, 12.0))
        assert grown.frames == figure2.FRAMES
        for lens in ("hindsight", "online"):
            for accounting in ("paper", "textbook"):
                shares = by_category(grown.shares[-1], lens, accounting)
                assert shares == pytest.approx(printed[system.name]["percent"][lens][accounting], abs=1e-3)
        assert grown.batched[-1] == pytest.approx(printed[system.name]["mean_batched_requests"], abs=1e-3)


def one_code_a_step(codes, seconds):
    counts = np.zeros((len(codes), len(Code)), np.int64)
    counts[np.arange(len(codes)), codes] = 10
    told = Series("a", 10, counts, np.ones(len(codes), np.int64), 0, 0, 0, 0, 0)
    return told, np.array(seconds, float)


def test_within_the_warm_up_only_the_last_moments_are_shown_and_behind_it_all_since():
    used, free = int(Code.USED), int(Code.FREE)
    series, seconds = one_code_a_step([free, free, used, used, free, used], [1, 2, 3, 4, 5, 6])
    grown = growth(series, seconds, np.array([2.0, 4.0, 6.0]), (4.0, 6.0))
    assert grown.shares[:, used].tolist() == [0, 100, pytest.approx(200 / 3)]


def test_every_picture_adds_up_to_the_pool_also_where_nothing_happened():
    series, seconds = one_code_a_step([0, 1, 2], [5.0, 5.5, 9.0])
    grown = growth(series, seconds, np.arange(1.0, 13.0), (6.0, 12.0))
    assert np.allclose(grown.shares.sum(1), 100)
    assert grown.shares[0, Code.FREE] == 100  # before anything has come


def test_without_a_step_behind_the_warm_up_all_steps_count():
    series, seconds = one_code_a_step([0, 0, 1, 1], [1, 2, 3, 4])
    grown = growth(series, seconds, np.array([5.0, 10.0]), (5.0, 10.0))
    assert grown.shares[-1, [0, 1]].tolist() == [50, 50]


# ---- the paper's numbers ----


def test_the_papers_numbers_add_up_to_the_pool():
    for name in ("max", "pow2", "oracle"):
        assert sum(contiguous.PAPER[name].shares.values()) == pytest.approx(100, abs=0.2)


@pytest.mark.parametrize(
    ("knob", "value", "where"),
    [
        ("block_size", 32, [True, True, True, False]),
        ("placement", "ideal", [False, False, False, True]),
        ("slots", 16384, [False] * 4),
        ("max_model_len", 1024, [False] * 4),
        ("lengths", "azure2023_conv", [False] * 4),
        ("rate", 5.0, [False] * 4),
    ],
)
def test_only_a_system_that_runs_where_the_paper_measured_is_compared(knob, value, where):
    fields = whatif_knobs.turned(FIGURE_2, knob, value).model_dump()
    assert [comparable(fields, i).shares for i in range(4)] == where


def test_batched_requests_are_compared_at_2_requests_a_second_and_shares_at_4():
    at_4, at_2 = FIGURE_2.model_dump(), whatif_knobs.turned(FIGURE_2, "rate", 2.0).model_dump()
    assert [(comparable(at_4, i).shares, comparable(at_4, i).batched) for i in range(4)] == [(True, False)] * 4
    assert [(comparable(at_2, i).shares, comparable(at_2, i).batched) for i in range(4)] == [(False, True)] * 4


def test_seed_and_names_do_not_move_the_operating_point():
    data = to_dict(FIGURE_2)
    data |= {"seed": 7, "name": "mine"}
    data["systems"][0]["name"] = "Orca"
    data["workload"]["lengths"] = "sharegpt_paper_filtered"
    fields = from_dict(data).model_dump()
    assert all(comparable(fields, i).shares for i in range(4))


def test_why_we_differ_is_told_from_the_run():
    shares = np.zeros(len(Code))
    shares[[Code.USED, Code.PENDING, Code.SURPLUS, Code.ROUNDING]] = [20.4, 13.3, 50.3, 16.0]
    lines = figure2.why([told(FIGURE_2, 0, shares)], Drawn(3602, 153.94, 348.8), FIGURE_2.model_dump(), say)
    text = " ".join(lines)
    assert "153.9 prompt and 348.8 output tokens" in text and "161 and 338" in text
    assert "16 % of the pool in Orca (Max)" in text
    assert "seed 0" in text and "33 ms and 0.1 ms" in text and "900 s" in text
    assert "external & others: 16 % beside the paper’s 8.9 % (+7.1 points)" in text


def test_a_difference_has_its_sign_and_zero_has_none():
    assert [figure2.signed(v, say) for v in (1.25, -0.5, 0.04, -0.04)] == ["+1.2", "−0.5", "±0", "±0"]


# ---- the chart ----


def test_a_click_names_the_system_and_the_second():
    series, seconds = one_code_a_step([0, 1, 2], [1.0, 2.0, 3.0])
    lines = [Line("a", series, seconds), Line("b", series, seconds)]
    chart = figure2_chart.over_time(lines, [None, None], "hindsight", "paper", "light", say, duration=3.0, warmup=1.0)
    traces = [(i, trace) for i, trace in enumerate(chart.data) if trace.xaxis == "x2"]
    for index, trace in traces:
        assert figure2_chart.clicked([{"curve_number": index, "x": trace.x[1]}], 2) == (1, 2.0)
    assert len(chart.data) == 2 * len(CATEGORIES)


def test_the_ghost_is_drawn_where_it_differs():
    series, seconds = one_code_a_step([0, 1, 2], [1.0, 2.0, 3.0])
    other, _ = one_code_a_step([1, 1, 1], [1.0, 2.0, 3.0])
    lines = [Line("a", series, seconds), Line("b", series, seconds)]
    before = [Line("a", series, seconds), Line("b", other, seconds)]
    chart = figure2_chart.over_time(
        lines, before, "hindsight", "textbook", "dark", say, duration=3.0, warmup=1.0
    )  # fmt: skip
    dashed = [trace for trace in chart.data if trace.line.dash]
    assert {trace.xaxis for trace in dashed} == {"x2"} and len(dashed) == 4  # each with its rim


# ---- the browser half ----


def test_the_bars_have_the_colours_of_the_palette():
    light, dark = (FOLDER / "live.css").read_text().split('[data-theme="dark"]')[:2]
    for theme, css in (("light", light), ("dark", dark)):
        css = css.split(".vizlive *")[0]
        for name in CATEGORIES:
            assert f"--lv-{name}: {PALETTE[theme][name]};" in css
            if name not in ("used", "free"):
                assert f"--lv-ink-{name}: {PALETTE[theme]['ink.' + name]};" in css


def test_every_word_that_the_browser_says_is_in_the_catalogue():
    texts = say.group("live.")
    source = "".join((FOLDER / name).read_text() for name in (*MODULES, "live.html"))
    said = set(re.findall(r'(?:say\(|data-text=|data-label=)"([a-z.]+)"', source))
    assert said <= set(texts)
    built = re.compile(
        r"(category|short|lens|accounting|batched|paper|aria|before|seeds|ghost|run|where)\b.*|pause|play"
    )
    assert {key for key in texts if key not in said and not built.fullmatch(key)} == set()


def test_the_module_is_one_and_imports_nothing():
    html, css, js = assets()
    assert [line.split()[1] for line in js.splitlines() if re.match(r"(import|export)\b", line)] == ["default"]
    assert "http" not in (html + css + js).replace("http://www.w3.org/2000/svg", "")


@given(st.floats(1, 1e5), st.floats(0, 1))
def test_the_first_picture_that_counts_is_the_first_one_behind_the_warm_up(duration, part):
    warmup = duration * part
    first = first_counted(duration, warmup)
    assert first == FRAMES or marks(duration)[first - 1] > warmup
    assert first == 1 or marks(duration)[first - 2] <= warmup
