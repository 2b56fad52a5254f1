"""What sharing saves, on numbers counted by hand: the paper's Figures 8 and 9, and a prefix cache of two requests."""

import pytest

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario.schema import from_dict
from vizkv.views.facts import saving
from vizkv.views.facts.hits import Admission, cached

PAGED = {"kind": "paged", "block_size": 4}


def run(requests, slots=96, system=PAGED, **more):
    base = {"slots": slots, "max_model_len": 64, "model": "none", "systems": [system]}
    return engine.run(from_dict(base | {"requests": requests} | more))


def figure_8():
    """Two samples of a prompt of 7 tokens: one full block and one of 3, both shared."""
    return run([{"id": "A", "prompt_tokens": 7, "samples": 2, "output_tokens": 2}])


def figure_9():
    """Beam width 4; the survivors of the last step come from c1 and c2, two each."""
    parents = [[0] * 4, *[[0, 1, 2, 3]] * 3, [0, 0, 0, 3], *[[0, 1, 2, 3]] * 3, [0, 0, 0, 3], *[[0, 1, 2, 3]] * 3]
    order = [0, 1, 2, 13, 14, 3, 4, 15, 16, 5, 6, 7, 8, 9, 10, 11, 12]
    system = PAGED | {"prefix_caching": True, "free_order": order}
    request = {"id": "c", "prompt_tokens": 4, "beam_width": 4, "output_tokens": 15}
    return run([request | {"beam_parents": [*parents, [1, 1, 2, 2]]}], slots=68, system=system)


def test_figure_8_saves_2_of_4_blocks_before_the_copy_and_1_of_4_after_it():
    found = saving.saving(figure_8(), 0)
    assert (found.without.tolist(), found.held.tolist()) == ([4, 4], [2, 3])
    assert found.saved.tolist() == [2, 1]
    assert found.shares.tolist() == [0.5, 0.25]
    assert found.most == 0
    assert found.overall == 3 / 8


def test_figure_9_holds_9_blocks_instead_of_16_and_then_9_instead_of_20():
    found = saving.saving(figure_9(), 0)
    # before: 0,1,3,5 / 0,1,3,6 / 0,1,3,7 / 0,2,4,8; after: 0,1,3 shared by all, 6 and 7 by two, and a new block each
    assert found.without.tolist()[10:14] == [16, 16, 16, 20]
    assert found.held.tolist()[10:14] == [9, 9, 5, 9]  # between them the dropped beams have let go: 0,1,3,6 / 0,1,3,7
    assert found.shares[13] == 11 / 20


def test_without_sharing_nothing_is_saved():
    found = saving.saving(run([{"prompt_tokens": 9, "output_tokens": 3}, {"prompt_tokens": 5, "output_tokens": 3}]), 0)
    assert found.saved.tolist() == [0] * len(found.held)
    assert (found.overall, found.most) == (0.0, 0)
    assert found.without.tolist() == [5, 5, 5]


def test_a_prefix_in_the_cache_is_saved_while_both_run():
    ids = list(range(1, 10))
    system = PAGED | {"prefix_caching": True}
    trace = run(
        [
            {"id": "A", "prompt_token_ids": ids, "output_tokens": 3},
            {"id": "B", "prompt_token_ids": [*ids, 77], "output_tokens": 3, "arrival_step": 1},
        ],
        system=system,
    )
    found = saving.saving(trace, 0)
    assert found.without.tolist() == [3, 6, 6, 3]
    assert found.held.tolist() == [3, 4, 4, 3]


def test_a_run_in_which_nobody_ever_runs_saves_nothing():
    found = saving.saving(run([{"prompt_tokens": 60, "output_tokens": 30}]), 0)
    assert found.overall == 0.0
    assert found.shares.tolist() == [0.0] * len(found.held)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_marks_the_step_that_is_shown(theme):
    chart = saving.figure(saving.saving(figure_8(), 0), 1, theme, messages())
    line, mark = chart.data
    assert list(line.y) == [50.0, 25.0]
    assert (list(mark.x), list(mark.y), list(mark.text)) == ([1], [25.0], ["25%"])


def test_the_cache_counts_what_was_found_and_where_it_lay():
    ids = list(range(1, 14))
    trace = run(
        [
            {"id": "A", "prompt_token_ids": ids, "output_tokens": 4},
            {"id": "B", "prompt_token_ids": [*ids[:9], 91, 92], "output_tokens": 2, "arrival_step": 1},
            {"id": "C", "prompt_token_ids": ids[:12], "output_tokens": 2, "arrival_step": 8},
            {"id": "D", "prompt_tokens": 20, "output_tokens": 2, "arrival_step": 11},
        ],
        slots=32, system=PAGED | {"prefix_caching": True},
    )  # fmt: skip
    found = cached(trace, 0)
    assert found.admissions == (
        Admission(0, "A", 13, 0, 0, 0),
        Admission(1, "B", 11, 8, 2, 0),
        Admission(8, "C", 12, 8, 0, 2),  # never the last token: of its three full blocks two
        Admission(11, "D", 20, 0, 0, 0),
    )
    assert (found.found, found.tokens) == (16, 56)
    # D takes 6 and 7, which nobody has used, then the oldest of the cached, the end of A's text before its beginning
    assert found.evicted == ((11, 4), (11, 3), (11, 2), (12, 5))
