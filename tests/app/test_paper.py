"""The page "The paper, replayed" without a browser: the choice of figures, the printed numbers, who does it how."""

import re

import pytest

from tests.app.visitor import control, link_of, opened, player, rested, warnings
from vizkv.messages.catalogue import messages
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.views.facts import figures

PAPER = [p.id for p in list_presets() if p.page == "paper"]
DIFFERING = {"paper-figure-3": 1, "paper-prefix-cache-now": 2}


def numbers(app):
    """(step, what, printed, here, mark) of each row of the table, and the steps that stand out."""
    (table,) = [h.proto.body for h in app.get("html") if "<table" in h.proto.body]
    rows = re.findall(r"<tr( class='vizkv-now'[^>]*)?>((?:<td.*?</td>)+)</tr>", table)
    cells = [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?</td>", row)] for _, row in rows]
    return cells, {row[0] for row, (now, _) in zip(cells, rows, strict=True) if now}


def said(app):
    return "\n".join(m.value for m in app.markdown)


def chosen(app):
    """The figure that is marked in the row."""
    (row,) = app.button_group
    return row.value


@pytest.mark.parametrize("name", PAPER)
def test_a_figure_opens_at_its_step_with_its_numbers(name):
    app = opened("paper", preset=name)
    assert not warnings(app)
    view, header, _ = player(app)
    assert view["step"] == preset(name).step
    assert header["headline"] == messages()(f"preset.{name}.question")
    rows, now = numbers(app)
    assert len(rows) == len(figures.FIGURES[name])
    assert [row[4] for row in rows].count("≠") == DIFFERING.get(name, 0)
    assert now == {str(view["step"])}
    assert "text" in header["panels"]


@pytest.mark.parametrize("name", PAPER)
def test_a_figure_says_what_is_scripted_and_who_does_it_how(name):
    text = said(opened("paper", preset=name))
    say = messages()
    assert say(f"preset.{name}.scripted") in text and say(f"preset.{name}.try") in text
    for column in ("paper", "v0", "v1"):
        assert say(f"paper.{name}.{column}") in text
    document = name.startswith("paper-prefix-cache")
    assert (say("paper.column.document") in text) is document
    assert (f"**{say('paper.column.paper')}**" in text) is not document


@pytest.mark.parametrize("name", PAPER[1:])
def test_choosing_a_figure_opens_it_and_puts_it_into_the_link(name):
    app = opened("paper")
    assert link_of(app)["preset"] == PAPER[0]
    app = rested(app.button_group[0].set_value(name))
    assert link_of(app)["preset"] == name
    assert player(app)[0]["step"] == preset(name).step
    again = opened("paper", **link_of(app))
    assert not warnings(again) and chosen(again) == name


def test_a_figure_that_is_clicked_off_opens_as_printed():
    app = opened("paper", preset="paper-figure-8", step="4")
    app = rested(app.button_group[0].set_value(None))
    assert chosen(app) == "paper-figure-8"
    assert player(app)[0]["step"] == 1


def test_the_drawer_and_the_row_choose_the_same():
    app = opened("paper")
    app = rested(control(app, "selectbox", "preset").set_value("paper-figure-9"))
    assert chosen(app) == "paper-figure-9"
    assert numbers(app)[0][0][:4] == ["11", "Block table of c0", "0, 1, 3, 5", "0, 1, 3, 5"]


def test_the_rows_of_the_players_step_stand_out():
    _, now = numbers(opened("paper", preset="paper-figure-9", step="13"))
    assert now == {"13"}


def test_where_a_printed_number_differs_it_is_counted():
    captions = [c.value for c in opened("paper", preset="paper-prefix-cache-now").caption]
    assert any(c.startswith("7 of 9 agree") for c in captions)
    captions = [c.value for c in opened("paper", preset="paper-prefix-cache").caption]
    assert any(c.startswith("All 9 agree") for c in captions)


@pytest.mark.parametrize("name", PAPER)
@pytest.mark.parametrize(
    ("kind", "control_name", "value"), [("selectbox", "model", "none"), ("number_input", "slots", 64)]
)
def test_a_changed_figure_says_that_its_numbers_no_longer_apply(name, kind, control_name, value):
    app = opened("paper", preset=name)
    app = rested(control(app, kind, control_name).set_value(value))
    if not warnings(app):  # else it could not be run, and nothing has changed
        assert messages()("figures.changed") in [c.value for c in app.caption]
    assert len(numbers(app)[0]) == len(figures.FIGURES[name])


def test_another_scenario_in_the_link_is_compared_and_shown():
    data = to_dict(preset("paper-figure-7").scenario)
    other = from_dict(data | {"systems": [{"kind": "paged", "block_size": 2}]})
    app = opened("paper", preset="paper-figure-7", s=to_code(other))
    assert not warnings(app)
    assert "≠" in {row[4] for row in numbers(app)[0]}


@pytest.mark.parametrize("query", [{"preset": "figure-3"}, {"preset": "nonsense"}, {"step": "999"}, {"request": "Z"}])
def test_nonsense_in_a_link_is_a_sentence_and_the_page_works(query):
    app = opened("paper", **query)
    assert len(warnings(app)) == 1
    assert player(app)[1]["systems"] and numbers(app)[0]


def test_a_figure_is_proved_on_demand():
    app = opened("paper", preset="paper-figure-9")
    app = rested(app.button(key="prove").click())
    assert len(app.success) == 1 and "Proved" in app.success[0].value
