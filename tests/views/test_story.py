"""Sentences, charts and numbers say what the trace says."""

import pytest

from vizkv import engine, replay, scenario
from vizkv.messages import messages
from vizkv.presets import preset
from vizkv.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.views import charts, narration, numbers
from vizkv.views.moments import moments, start_of, step_of
from vizkv.views.series import series

SAY = messages()


def run(name):
    return engine.run(preset(name).scenario.model_copy(update={"model": "none"}))


def told(trace, step, lens, system=0):
    return narration.tell(replay.at(trace.systems[system], trace.requests, step), SAY)[lens]


@pytest.fixture(scope="module")
def alone():
    return run("readers-question-alone")


def test_the_sentence_of_a_step_counts_what_each_lens_sees(alone):
    assert "1,748 are empty, and all 1,748 count as reserved" in told(alone, 293, "online")
    assert "1,748 are empty: 200 will be written (reserved), 1,548 never will" in told(alone, 293, "hindsight")


def test_the_step_in_which_it_finishes_says_what_becomes_known(alone):
    assert "Only now is it known: the 1,548 slots" in told(alone, 493, "online")
    assert "all along" in told(alone, 493, "hindsight")
    assert told(alone, 494, "online") == "All requests have finished; every slot is free again."


def test_the_refusal_of_the_issue_is_told_word_for_word():
    trace = run("external-fragmentation")
    sentence = "B is refused: it needs 512 slots in one piece; 960 are free, the largest hole is 448."
    assert told(trace, 10, "online").startswith(sentence)


def test_a_preemption_names_the_victim_and_what_it_loses():
    trace = run("out-of-memory")
    paged = next(i for i, s in enumerate(trace.systems) if s.kind == "paged")
    steps = replay.walk(trace.systems[paged], trace.requests)
    sentence = next(narration.tell(r, SAY).online for r in steps if r.preempted)
    assert sentence.startswith("C is preempted") and "will be computed again" in sentence


def test_one_slot_is_not_slots():
    trace = engine.run(
        scenario.from_dict({
            "slots": 16, "model": "none", "systems": [{"kind": "paged", "block_size": 4}],
            "requests": [{"id": "A", "prompt_tokens": 2, "output_tokens": 2}],
        })
    )  # fmt: skip
    assert "the 1 slot that it held" in told(trace, 1, "online")


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("accounting", ACCOUNTINGS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_shares_in_the_charts_close(lens, accounting, theme):
    systems = series(run("contiguity-costs"))
    figure = charts.over_time(systems, lens, accounting, theme, SAY)
    assert len(figure.data) == len(systems) * len(CATEGORIES)
    for i in range(0, len(figure.data), len(CATEGORIES)):
        for point in zip(*(trace.y for trace in figure.data[i : i + len(CATEGORIES)])):
            assert sum(point) == pytest.approx(100)
    bars = charts.at_peak(systems, lens, accounting, theme, SAY)
    for system in range(len(systems)):
        assert sum(bar.x[system] for bar in bars.data) == pytest.approx(100)


def test_the_peak_is_the_step_in_which_most_is_held(alone):
    by_name = {s.name: s for s in series(alone)}
    assert by_name["Orca (Max)"].peak == 493  # all 2,048 are held all the time: then the fullest of these steps
    assert by_name["PagedAttention"].peak == 493


def test_the_table_has_a_row_a_system_and_its_shares_close(alone):
    table = numbers.table(series(alone), "hindsight", "paper", SAY)
    columns = list(table.values())
    assert columns[0] == [s.name for s in alone.systems]
    for row in range(len(alone.systems)):
        assert sum(column[row] for column in columns[1:6]) == pytest.approx(100, abs=0.3)


def test_a_long_run_is_drawn_with_few_points():
    trace = engine.run(
        scenario.from_dict({
            "slots": 4096, "max_model_len": 4096, "model": "none", "systems": [{"kind": "paged"}],
            "requests": [{"prompt_tokens": 1, "output_tokens": 3000}],
        })
    )  # fmt: skip
    figure = charts.over_time(series(trace), "online", "textbook", "light", SAY)
    assert len(figure.data[0].x) <= charts.MOST_POINTS + 1
    assert figure.data[0].x[-1] == trace.steps - 1


def test_moments_are_found_by_what_has_been_written(alone):
    chips = moments(alone, preset("readers-question-alone"), SAY)
    assert [(m.label, m.step) for m in chips] == [("A at 100", 93), ("A at 300", 293), ("A ends at 500", 493)]
    assert start_of(alone, preset("readers-question-alone")).step == 293
    assert step_of(alone, {"request": "A", "written": 9999}) is None
    assert step_of(alone, {"request": "nobody", "written": 1}) is None
