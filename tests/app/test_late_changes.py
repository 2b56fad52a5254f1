"""A change of a widget arrives late: its widget is gone, another page is shown, a link was taken, words are others."""

import copy

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from tests.app.visitor import link_of, opened, rested
from vizkv.ui import link, pages

PAGES = [name for name in pages.PAGES if name != "lecture"]
_OPENED = {}


def visited(page):
    """A page that was opened, once for all tests: they only read it."""
    if page not in _OPENED:
        _OPENED[page] = opened(page)
    return _OPENED[page]


def metadata(app):
    """What Streamlit keeps of each widget that was ever drawn."""
    return list(app._session_state._state._new_widget_state.widget_metadata.values())


def kept(app):
    """What the session holds besides its widgets."""
    state = app._session_state._state
    return {key: app.session_state[key] for key in state.filtered_state if key not in state._key_id_mapper}


def facts(of):
    """What is open on each page."""
    return copy.deepcopy({
        name: (state.preset.id, state.scenario, state.more, state.edition, state.problem, state.view)
        for name, state in of["vizkv"].items()
    })  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_callback_whose_widget_is_gone_changes_nothing(page, monkeypatch):
    app = visited(page)
    session = kept(app)
    monkeypatch.setattr(st, "session_state", session)
    before, called = facts(session), 0
    for widget in metadata(app):
        if widget.callback is not None and widget.value_type != "trigger_value":
            widget.callback(*(widget.callback_args or ()), **(widget.callback_kwargs or {}))
            called += 1
    assert facts(session) == before
    assert called or page == "cost"


@pytest.mark.parametrize("page", PAGES)
def test_a_callback_of_a_page_that_was_left_changes_no_page(page, monkeypatch):
    app = visited(page)
    session = kept(app) | {widget.id: None for widget in metadata(app)}
    session |= dict.fromkeys(app._session_state._state._key_id_mapper._key_id_mapping, "nonsense")
    session["vizkv.page"] = "cost" if page == "memory" else "memory"
    session["vizkv"] = dict(session["vizkv"])
    monkeypatch.setattr(st, "session_state", session)
    monkeypatch.setattr(st, "query_params", {})
    link.current()  # the other page
    before = facts(session)
    for widget in metadata(app):
        if widget.callback is not None and not str(widget.callback).startswith("<function _"):  # the bar's own
            widget.callback(*(widget.callback_args or ()), **(widget.callback_kwargs or {}))
    assert facts(session) == before


def send(app, widget, field, value):
    """A message of the browser about one widget, as it was drawn, with the page as it is now."""
    states = WidgetStates()
    states.widgets.append(WidgetState(id=widget.proto.id, **{field: value}))
    app._run(states)
    assert not app.exception, app.exception
    return app


def example(app):
    return next(box for box in app.sidebar.selectbox if box.key.startswith("drawer-preset"))


def test_an_example_chosen_while_another_page_opens_is_passed_over():
    app = opened("memory")
    box = example(app)
    rested(app.switch_page("pages/table.py"))
    before = link_of(app)
    send(app, box, "string_value", box.options[1])
    assert link_of(app) == before


def test_an_example_chosen_while_the_language_changes_is_passed_over():
    app = opened("memory", lang="en")
    box = example(app)
    rested(app.button(key="bar-language").click())
    assert example(app).options != box.options
    before = link_of(app)
    send(app, box, "string_value", box.options[1])
    assert link_of(app) == before and before["lang"] == "zh"


def test_a_figure_chosen_twice_opens():
    app = opened("paper", lang="en")
    (row,) = app.button_group
    for name in ("paper-figure-7", "paper-figure-8"):
        (row,) = app.button_group
        rested(row.set_value(name))
        assert link_of(app)["preset"] == name
