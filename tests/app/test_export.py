"""The drawer "Figures for slides": on each page, with what that page has, and nothing drawn while it is closed."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from vizkv.messages.catalogue import messages

ROOT = Path(__file__).parents[2]
SAY = messages()


def opened(page: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params.update(lang="en", **query)
    app.run()
    if page:
        app.switch_page(f"pages/{page}.py").run()
    app.session_state["export"] = True
    return app.run()


def choices(app: AppTest):
    return next(box for box in app.selectbox if box.key == "export-what")


def test_every_choice_of_the_first_page_can_be_asked_for():
    app = opened()
    for what in choices(app).options:
        choices(app).select(what).run()
        assert not app.exception, what


@pytest.mark.parametrize(
    ("page", "some"), [("cost", "deck"), ("cost", "page"), ("table", "table"), ("sweep", "chart:sweep")]
)
def test_each_page_offers_what_it_shows(page, some):
    app = opened(page)
    key = some.replace("chart:", "export.chart.") if ":" in some else f"export.what.{some}"
    assert not app.exception and SAY(key) in choices(app).options


def test_a_closed_drawer_has_nothing_in_it():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not any(box.key == "export-what" for box in app.selectbox)


def test_steps_that_are_none_are_answered_with_a_sentence():
    app = opened()
    choices(app).select(SAY("export.what.storyboard")).run()
    field = next(box for box in app.text_input if box.key.startswith("export-steps"))
    field.set_value("0, 9999").run()
    assert any("9999" in warning.value for warning in app.warning)
    assert next(button for button in app.button if button.key == "export-make").disabled


def test_the_alt_text_of_a_picture_can_be_copied():
    app = opened()
    told = "\n".join(block.value for block in app.code)
    assert SAY("picture.how", lens=SAY("lens.online"), accounting=SAY("accounting.textbook")).rstrip(".") in told
    choices(app).select(SAY("export.what.page")).run()
    told = "\n".join(block.value for block in app.code)
    assert SAY("preset.readers-question.question") in told and SAY("chart.alt.peak") in told


def two_pages():
    import plotly.graph_objects as go
    import streamlit as st

    from vizkv.ui.export import offered

    offered.begin()
    offered.offer(go.Figure(), "", "over-time")
    first = offered.settle()
    offered.offer(go.Figure(), "", "at-peak")  # a fragment of that page, later
    st.text(" ".join(first.names()))
    offered.begin()
    offered.offer(go.Figure(), "", "sweep-picture")
    st.text(" ".join(offered.settle().names()))


def test_a_page_does_not_offer_the_charts_of_the_page_before():
    app = AppTest.from_function(two_pages).run()
    assert [text.value for text in app.text] == ["over-time peak", "sweep"]
