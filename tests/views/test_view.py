"""The one codec of a view: whatever a link or a browser says, what comes out is a view of the run."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.scenario.presets import preset
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.views.view import COLOURS, FIELDS, Limits, View, kept, marked, parse, plays, reported, words

RUNS = (
    Limits(),
    Limits(steps=12, requests=("A", "B", "-1", "0"), lengths=(5, 9, 1, 3), slots=(32, 64)),
    Limits.of(engine.run(preset("figure-3").scenario.model_copy(update={"model": "none"}))),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
TEXT = st.text(max_size=12) | st.from_regex(r"[-+]{0,3}[0-9]{1,14}(\.[0-9]+)?(-[0-9]+)?", fullmatch=True)
KNOWN = st.sampled_from([*LENSES, *ACCOUNTINGS, *COLOURS, *CATEGORIES, "A", "B", "0.0-31", "1.0-63", "-1", "0", "8"])
REPORTS = st.dictionaries(
    st.sampled_from([*FIELDS, *(f.name for f in fields(View)), "page"]), JSON | TEXT | KNOWN | st.integers(-2, 70)
)
WORDS = st.dictionaries(st.sampled_from(FIELDS), TEXT | KNOWN)


def assert_is_a_view(view, limits):
    """Every field has its type and is one that the run has."""
    whose = limits.lengths if view.request < 0 else limits.lengths[view.request : view.request + 1]
    numbers = (view.step, view.focus, view.request, view.position, view.lit_in)
    assert all(type(number) is int for number in numbers), view
    assert 0 <= view.step <= limits.steps
    assert -1 <= view.focus < max(1, len(limits.slots)) and -1 <= view.lit_in < max(1, len(limits.slots))
    assert view.request == -1 or 0 <= view.request < len(limits.requests)
    assert -1 <= view.position < max(whose, default=1)
    assert view.lens in LENSES and view.accounting in ACCOUNTINGS and view.colour in COLOURS
    assert view.lit in ("", *CATEGORIES)
    if view.mark:
        system, first, last = marked(view.mark)
        assert first <= last < limits.slots[system]


@given(JSON | REPORTS, st.sampled_from(RUNS))
def test_any_json_is_a_view_of_the_run_or_none(told, limits):
    view = reported(told, limits)
    assert plays(told) in (True, False)
    if view is not None:
        assert_is_a_view(view, limits)


@given(WORDS, st.sampled_from(RUNS))
def test_any_words_of_a_link_are_a_view_of_the_run_and_each_other_one_is_told(query, limits):
    view, refused = parse(query, limits, View(step=3, lens="hindsight"))
    assert_is_a_view(view, limits)
    for one in refused:
        assert one.value == query[one.field] and getattr(view, one.field) == getattr(View(3, "hindsight"), one.field)


@given(REPORTS, st.sampled_from(RUNS))
def test_a_link_opens_the_view_that_it_was_written_from(told, limits):
    view = parse(told, limits)[0]
    again, refused = parse(words(view, limits.requests), limits)
    assert not refused
    assert again == (view if view.lit else View(**(vars(view) | {"lit_in": -1})))


@given(REPORTS, st.sampled_from(RUNS), st.sampled_from(RUNS))
def test_what_is_kept_in_another_run_is_a_view_of_that_one(told, limits, other):
    view = parse(told, limits)[0]
    assert_is_a_view(kept(view, other), other)
    assert kept(view, limits) == view


@pytest.mark.parametrize("field", ["step", "focus", "position", "lit_in"])
@pytest.mark.parametrize("word", ["--1", "--9", "---0", "-", "", "+1", " 1", "1_0", "\u0664", "1.0", "1e3", "9" * 5000])
def test_a_number_of_a_link_that_is_none_is_refused(field, word):
    view, (refused,) = parse({field: word}, RUNS[1])
    assert view == View()
    assert (refused.field, refused.value) == (field, word) and refused.valid


def test_a_request_is_named_by_its_id_in_a_link_and_by_its_index_in_a_report():
    assert parse({"request": "0"}, RUNS[1])[0].request == 3
    assert parse({"request": 0}, RUNS[1])[0].request == 0
    assert parse({"request": "-1"}, RUNS[1])[0].request == 2


def test_a_report_with_an_empty_number_keeps_its_other_fields():
    """JavaScript writes NaN as null."""
    told = {"step": 5, "lens": "hindsight", "lit": "used", "lit_in": None, "request": -1, "position": -1, "mark": ""}
    assert reported(told, RUNS[1]) == View(step=5, lens="hindsight", lit="used")
