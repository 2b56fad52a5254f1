"""The piece "Where did the card's memory go" on the page "What if": examples, settings, an own config.json, links."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import link_of, opened, rested, warnings
from vizkv.scenario.memory_examples import EXAMPLES, FOLDER
from vizkv.ui import card
from vizkv.ui.link import Open

KINDS = ("selectbox", "number_input")


def drawn(app):
    return {one.key: one for kind in KINDS for one in getattr(app, kind)}


def put(app, **settings):
    for name, value in settings.items():
        drawn(app)[f"whatif-card-{name}"].set_value(value)
    return rested(app)


def words(app):
    return " ".join(one.value for one in app.markdown)


def state(app) -> Open:
    return app.session_state["vizkv"]["whatif"]


@pytest.fixture
def app():
    return opened("whatif", card="rtx-3090")


def test_the_worked_example_is_answered_in_its_first_sentence(app):
    assert "max_model_len 29,000 fits: one request of that length needs 1,813 of 1,952 blocks." in words(app)
    assert "max_model_len 35,000 does not fit" in words(app) and "GPU KV cache size: 31,232 tokens" in words(app)
    assert not warnings(app)


def test_what_is_folded_is_not_drawn():
    app = opened("whatif")
    assert not [key for key in drawn(app) if key and key.startswith("whatif-card")]
    assert any("max_model_len 29,000 fits, 35,000 does not" in one.label for one in app.expander)


def test_every_part_of_the_bar_can_be_put_in(app):
    put(app, activations=2.99)
    assert "max_model_len 29,000 does not fit" in words(app)
    assert drawn(app)["whatif-card-kv"].value == 2.89
    put(app, kv=3.81)
    assert drawn(app)["whatif-card-utilisation"].value == pytest.approx(0.939)
    put(app, utilisation=0.9)  # the one follows from the other, whichever was put in last
    assert drawn(app)["whatif-card-kv"].value == 2.89
    put(app, memory=48.0, weights=15.5, graphs=1.0, max_model_len=131_072)
    assert "max_model_len 131,072 fits" in words(app)


def test_a_link_carries_the_settings(app):
    put(app, card="l40s", max_model_len=40_000)
    again = opened("whatif", **{name: word for name, word in link_of(app).items() if name == "card"})
    assert drawn(again)["whatif-card-card"].value == "l40s"
    assert drawn(again)["whatif-card-max_model_len"].value == 40_000
    assert words(again) == words(app)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_can_be_chosen(name, app):
    put(app, example=name)
    assert "GPU KV cache size" in words(app) and not warnings(app)
    assert drawn(app)["whatif-card-card"].value == EXAMPLES[name].settings["card"]


@pytest.mark.parametrize("word", ["voodoo", "rtx-3090,memory=big", "rtx-3090,cards=3", "own", "rtx-3090,a=b" * 60])
def test_nonsense_in_a_link_leaves_a_sentence_and_the_first_example(word):
    app = opened("whatif", card=word)
    assert "card" not in state(app).more
    assert not app.exception


def test_a_setting_that_cannot_be_is_refused_in_a_sentence_and_nothing_changes(app):
    put(app, cards=16)
    put(app, cards=2)
    before = words(app)
    put(app, kv=90.0)
    (sentence,) = warnings(app)
    assert "GiB together" in sentence and words(app).replace(sentence, "") == before
    assert drawn(app)["whatif-card-kv"].value != 90.0


class File:
    """What Streamlit hands over of an upload."""

    def __init__(self, name, data):
        self.name, self._data = name, data

    def getvalue(self):
        return self._data


def upload(name, data):
    """A page with nothing but the piece, after its uploader's callback was called."""

    def script():
        import streamlit as st

        from vizkv.ui import card, link

        link.enter("whatif")
        if "file" in st.session_state:
            card._open(st.session_state.pop("file"))
        card.show("whatif-card")

    app = AppTest.from_function(script, default_timeout=30)
    app.query_params["card"] = "rtx-3090"
    app.run()
    app.session_state["file"] = File(name, data)
    app.run()
    assert not app.exception, app.exception
    return app


def test_somebodys_own_file_is_counted():
    app = upload("gemma.json", (FOLDER / "gemma-3-27b.json").read_bytes())
    assert "Bytes a token: 81,920" in words(app) and "Your file: gemma.json" in str(
        drawn(app)["whatif-card-example"].options
    )


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"{", "is not valid JSON"),
        (json.dumps({"num_hidden_layers": "many"}).encode(), "num_hidden_layers is 'many'"),
        (b" " * (2 * 2**20 + 1), "is larger than 2,097,152 bytes"),
    ],
)
def test_a_file_that_is_no_configuration_gets_one_sentence(data, named):
    app = upload("x.json", data)
    (sentence,) = warnings(app)
    assert named in sentence.replace("\\", "") and "1,952 blocks" in words(app)


def test_the_field_of_the_link_is_one_that_the_page_knows():
    from vizkv.ui.pages import PAGES

    assert card.CARD in PAGES["whatif"].fields
