"""Sentences, charts and numbers say what the trace says."""

import numpy as np
import pytest

from vizkv import replay
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import preset
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES, Code
from vizkv.views.charts import ledgers as charts
from vizkv.views.charts.series import series
from vizkv.views.facts import aftermath, narration, numbers
from vizkv.views.facts.knowledge import longest
from vizkv.views.facts.moments import moments, start_of, step_of

SAY = messages()


def run(name):
    return engine.run(preset(name).scenario.model_copy(update={"model": "none"}))


def told(trace, step, lens, system=0):
    now = replay.at(trace.systems[system], trace.requests, step)
    return narration.tell(now, SAY, longest(trace))[lens]


@pytest.fixture(scope="module")
def alone():
    return run("readers-question-alone")


def test_the_sentence_of_a_step_counts_what_each_lens_sees(alone):
    assert "It holds 1,748 empty ones, all reserved" in told(alone, 293, "online")
    assert "1,748 are empty: 200 will be written (reserved), 1,548 never will" in told(alone, 293, "hindsight")


def test_the_step_in_which_it_finishes_says_what_becomes_known(alone):
    assert "Only now is it known: the 1,548 slots" in told(alone, 493, "online")
    assert "all along" in told(alone, 493, "hindsight")
    assert told(alone, 494, "online") == "All requests have finished; every slot is free again."


def test_hindsight_says_what_becomes_of_the_slots_and_the_next_step_shows_it():
    trace = run("readers-question")
    step = next(now.step for now in replay.walk(trace.systems[0], trace.requests) if now.finished == [0])
    now = replay.at(trace.systems[0], trace.requests, step)
    told_ = narration.tell(now, SAY, longest(trace), trace.systems[0])
    assert told_.hindsight.endswith("In the next step D has all of its 2,048 slots.")
    assert "next step" not in told_.online  # nothing that the system knows
    assert told(trace, step + 1, "online").startswith("D takes 2,048 slots that A has just given back. E is refused")
    then = replay.at(trace.systems[0], trace.requests, step + 1)
    assert then.live[3].start == now.live[0].start and "in the next D has all" in SAY("preset.readers-question.try")


def test_what_finishes_in_a_static_batch_keeps_its_slots():
    trace = run("static-batch")
    static = next(i for i, s in enumerate(trace.systems) if s.detail.get("batching") == "static")
    steps = [now.step for now in replay.walk(trace.systems[static], trace.requests) if now.finished]
    said = [told(trace, step, "online", static) for step in steps]
    assert [text.endswith("It keeps its slots until the whole batch has finished.") for text in said] == [
        True, True, True, False, True, False,
    ]  # fmt: skip


def test_a_run_that_is_stopped_is_not_said_to_have_finished():
    asked = {"lengths": "constant", "prompt_tokens": 8, "output_tokens": 400, "duration": 2.0, "warmup": 0.0}
    systems = [{"kind": "paged"}, {"kind": "contiguous", "placement": "first-fit"}]
    told_ = {"model": "none", "slots": 4096, "systems": systems}
    for drain, word in ((False, "stopped"), (True, "finished")):
        trace = engine.run(scenario.from_dict(told_ | {"workload": asked | {"drain": drain}}))
        for system in trace.systems:
            assert narration.ended(system, SAY)[0] == word


def test_what_becomes_of_given_back_slots_adds_up():
    """In every system of an example with waits: taken and free are what the replay paints in the next step."""
    asked = preset("out-of-memory").scenario
    data = scenario.to_dict(asked.model_copy(update={"model": "none"}))
    data["systems"] += [{"kind": "virtual", "page": 16}, {"kind": "virtual", "page": 32, "reclaim": "eager"}]
    trace = engine.run(scenario.from_dict(data))
    for system in trace.systems:
        for now in replay.walk(system, trace.requests):
            for who in now.finished:
                text = aftermath.next_step(system, now, who, SAY)
                live = now.live[who]
                held = range(live.start, live.start + live.held)
                if system.block_size:
                    size = system.block_size
                    held = [slot for block in live.block_table for slot in range(block * size, (block + 1) * size)]
                codes = replay.at(system, trace.requests, now.step + 1).codes()[list(held)]
                free = int(np.isin(codes, (Code.FREE, Code.STRANDED, Code.CACHED, Code.MAPPED)).sum())
                assert ("free" in text) == (free > 0) and f"{len(held):,} slot" in text
                if 0 < free < len(held):
                    assert f" {len(held) - free} of its" in text


def test_the_refusal_of_the_issue_is_told_word_for_word():
    trace = run("external-fragmentation")
    sentence = "B is refused: it needs 512 slots in one piece; 960 are free, the largest hole is 448."
    assert told(trace, 10, "online").startswith(sentence)


def test_a_preemption_names_the_victim_and_what_it_loses():
    trace = run("out-of-memory")
    paged = next(i for i, s in enumerate(trace.systems) if s.kind == "paged")
    steps = replay.walk(trace.systems[paged], trace.requests)
    sentence = next(narration.tell(r, SAY, longest(trace)).online for r in steps if r.preempted)
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
    table = numbers.table(alone, series(alone), "hindsight", "paper", SAY)
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


def test_the_bars_of_the_peaks_name_the_step_of_each_system(alone):
    systems = series(alone)
    figure = charts.at_peak(systems, "hindsight", "textbook", "light", SAY)
    assert list(figure.data[0].y) == [f"{s.name}<br>step {s.peak}" for s in systems]


def test_a_moment_that_another_text_has_skipped_is_not_offered():
    example = preset("table-own-text")
    other = example.scenario.model_copy(update={"model": "none"})
    requests = [other.requests[0].model_copy(update={"prompt": None, "prompt_tokens": 12}), *other.requests[1:]]
    trace = engine.run(other.model_copy(update={"requests": requests}))
    labels = [m.label for m in moments(trace, example, SAY)]
    assert "A at 8" not in labels and "A at 9" not in labels and "A at 18" in labels
