"""Each copy of a run as a step of its own: who reads the block, what is copied, and who reads it afterwards."""

from hypothesis import given
from hypothesis import strategies as st

from tests.views.test_saving import PAGED, figure_8, run
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario.schema import from_dict
from vizkv.trace.events import Kind
from vizkv.views.facts.branches import picture as side_by_side
from vizkv.views.facts.branches import shared, texts
from vizkv.views.facts.copies import copies, picture


def real(request, **more):
    base = {"slots": 96, "max_model_len": 64, "systems": [PAGED | more]}
    return engine.run(from_dict(base | {"requests": [request]}), load_model("tiny"))


def beams():
    return real({"id": "c", "prompt": "It was the best of times, it was", "beam_width": 3, "output_tokens": 7})


def test_figure_8_copies_block_1_to_3_and_the_other_then_writes_in_place():
    trace = real(
        {"id": "A", "prompt": "Four score and seven years ago our", "samples": 2,
         "sample_token_ids": [[2758, 12], [1974, 12]]},
        free_order=[7, 1, 3],
    )  # fmt: skip
    (copy,) = copies(trace, 0)
    assert (copy.step, copy.who, copy.readers, copy.others) == (1, "A1", ("A1", "A2"), ("A2",))
    assert (copy.logical, copy.source, copy.block) == (1, 1, 3)
    assert (copy.pieces, copy.written) == ((" years", " ago", " our"), (" fathers",))


def test_there_is_one_copy_for_each_event():
    trace = beams()
    events = [e for s in range(trace.steps) for e, _ in trace.systems[0].events(s) if e.kind == Kind.COPIED]
    found = copies(trace, 0)
    assert [(c.source, c.block, c.logical, len(c.pieces)) for c in found] == [(e.a, e.b, e.c, e.d) for e in events]


def test_each_copy_takes_one_reader_from_the_block():
    readers = [
        copy.readers for copy in copies(run([{"id": "A", "prompt_tokens": 5, "samples": 4, "output_tokens": 2}]), 0)
    ]
    assert readers == [("A1", "A2", "A3", "A4"), ("A2", "A3", "A4"), ("A3", "A4")]


def test_a_beam_that_is_dropped_in_the_same_step_is_shown_with_its_own_word():
    first = [copy for copy in copies(beams(), 0) if copy.step == 1]
    assert [(c.who, c.written) for c in first] == [("c0", (" the",)), ("c1", (" in",))]


def test_the_pictures_count_references_slots_and_bytes():
    (copy,) = copies(figure_8(), 0)
    html = picture(copy, {"OPT-13B": 819_200}, messages())
    assert html.count("<section>") == 3
    before, moved, after = html.split("<section>")[1:]
    assert "2 references" in before
    assert "3 slots copied" in moved and "2,457,600 bytes in OPT-13B" in moved
    assert after.count("1 reference<") == 2


def test_what_a_student_writes_is_text_and_no_markup():
    trace = real({"id": "A", "prompt": "<b>bold</b> & <script>alert(1)</script>", "samples": 2, "temperature": 1.0,
                  "output_tokens": 4})  # fmt: skip
    say = messages()
    html = side_by_side(texts(trace), say) + "".join(picture(c, {}, say) for c in copies(trace, 0))
    assert "<script" not in html and "<b>bold" not in html


def test_texts_part_where_their_first_own_token_is():
    found = texts(real({"id": "A", "prompt": "Four score and seven years ago our", "samples": 3,
                        "sample_token_ids": [[2758, 12, 12], [2758, 14, 14], [1974, 12, 12]]}))  # fmt: skip
    assert [(t.id, t.prompt, t.common) for t in found] == [("A1", 7, 8), ("A2", 7, 8), ("A3", 7, 7)]
    assert "".join(found[0].pieces) == "Four score and seven years ago our fathers,"


def test_equal_texts_are_said_to_be_equal():
    found = texts(real({"id": "A", "prompt": "Four score", "samples": 2, "output_tokens": 4}))
    assert found[0].common == len(found[0].pieces)
    assert "the same as another" in side_by_side(found, messages())


@given(st.lists(st.lists(st.sampled_from("ab "), max_size=6).map(tuple), max_size=8))
def test_what_a_text_shares_is_what_a_comparison_of_all_pairs_finds(rows):
    def equal(a, b):
        return next((n for n, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))

    others = [[equal(row, other) for j, other in enumerate(rows) if j != i] for i, row in enumerate(rows)]
    assert shared(rows) == [max(found, default=0) for found in others]
