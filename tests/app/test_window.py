"""A run too long to be packed whole is shown in windows; what is lit up is in the link."""

from dataclasses import replace

import pytest

from tests.app.visitor import link_of, opened, player, rested, warnings
from vizkv.scenario.code import to_code
from vizkv.scenario.schema import from_dict
from vizkv.ui.player import runs, stage
from vizkv.ui.whatif import player as whatif_player
from vizkv.views.payload.window import WIDTH

LONG = {
    "slots": 2048, "max_model_len": 1024, "model": "none",
    "systems": [{"kind": "contiguous"}, {"kind": "paged", "block_size": 16}],
    "workload": {"rate": 6.0, "duration": 60.0, "warmup": 0.0, "drain": False},
}  # fmt: skip
CODE = to_code(from_dict(LONG))


def test_a_link_opens_its_step_of_a_long_run_in_a_window_around_it():
    app = opened(s=CODE, step="1000", lens="hindsight")
    view, header, arrays = player(app)
    assert view["step"] == 1000 and header["steps"] == WIDTH < header["total"]
    assert header["first"] < 1000 < header["first"] + header["steps"]
    assert arrays["0/step"][1000 - header["first"]] == 1000
    assert link_of(app)["step"] == "1000"


def test_a_step_beyond_the_window_opens_the_next(monkeypatch):
    app = opened(s=CODE, step="1000")
    _, before, _ = player(app)
    beyond = before["first"] + before["steps"]
    wish = {"step": beyond, "lens": "online", "accounting": "paper", "lit": "free", "play": True}
    monkeypatch.setattr(stage.player, "told", lambda page: wish)
    view, header, _ = player(rested(app))
    assert header["first"] > before["first"] and header["first"] < beyond < header["first"] + header["steps"]
    assert (view["step"], view["lit"], view["play"]) == (beyond, "free", True)
    assert link_of(app)["step"] == str(beyond)


def test_a_short_run_is_whole():
    _, header, arrays = player(opened(preset="figure-3"))
    assert header["first"] == 0 and header["steps"] == header["total"] and "0/time_s" not in arrays


def test_what_is_lit_is_in_the_link():
    app = opened(preset="readers-question", lit="internal", lit_in="1")
    view, _, _ = player(app)
    assert (view["lit"], view["lit_in"]) == ("internal", 1)
    assert (link_of(app)["lit"], link_of(app)["lit_in"]) == ("internal", "1")
    assert "lit" not in link_of(opened(preset="figure-3"))


@pytest.mark.parametrize(("field", "value"), [("lit", "wasted"), ("lit_in", "9")])
def test_nonsense_about_what_is_lit_gets_a_sentence(field, value):
    app = opened(preset="figure-3", **{field: value})
    assert value in warnings(app)[0]
    view, _, _ = player(app)
    assert (view["lit"], view["lit_in"]) == ("", -1)


def test_windows_of_a_run_are_packed_once():
    trace = runs.trace(from_dict(LONG), long=True)
    window = runs.windows.around(trace, 900, 1)
    assert runs.packed("run", trace, window, "en") is runs.packed("run", trace, window, "en")


def at_a_moment(second="30.0", category="internal", **more):
    app = opened("whatif", s=CODE, at=f"0:{second}:{category}", **more)
    for _ in range(40):  # the run is under way in the background
        found = [c for c in app.get("bidi_component") if c.proto.bytes[:4] == b"VZP1"]
        if found:
            return app, *runs.payload.unpack(found[0].proto.bytes)
        rested(app)
    raise AssertionError("the player did not come")


def test_a_number_on_the_page_what_if_opens_its_slots():
    _, view, header, arrays = at_a_moment(category="")
    assert (header["lead"], view["focus"], view["lit"], view["reveal"]) == (0, 0, "", True)
    frame = view["step"] - header["first"]
    assert arrays["0/time_s"][frame] == pytest.approx(30.0, abs=0.1)
    assert 0 <= arrays["0/time_s"][frame] - arrays["1/time_s"][frame] < 0.2
    _, view, _, _ = at_a_moment(category="internal")
    assert view["lit"] == "internal"


def test_whoever_comes_back_to_a_moment_finds_it_as_it_was_left():
    app, view, _, _ = at_a_moment()
    channel = app.session_state[whatif_player._SHOWN].player
    channel.view = replace(channel.view, step=view["step"] + 3, lit="free")
    rested(app.switch_page("pages/memory.py"))
    rested(app.switch_page("pages/whatif.py"))
    found = next(c for c in app.get("bidi_component") if c.proto.bytes[:4] == b"VZP1")
    back, _, _ = runs.payload.unpack(found.proto.bytes)
    assert (back["step"], back["lit"], back["reveal"]) == (view["step"] + 3, "free", False)


def test_the_player_of_a_moment_closes_again():
    app, *_ = at_a_moment()
    rested(next(b for b in app.button if b.key == "whatif-close").click())
    assert "at" not in link_of(app)
    assert whatif_player._SHOWN not in app.session_state


def test_a_link_may_say_where_in_the_run_of_a_moment_the_reader_stood():
    app, view, _, _ = at_a_moment()
    del app.session_state[whatif_player._SHOWN]
    page = app.session_state["vizkv"]["whatif"]
    page.view = replace(page.view, step=view["step"] + 5, lit="free")  # as begun from such a link
    rested(app)
    found = next(c for c in app.get("bidi_component") if c.proto.bytes[:4] == b"VZP1")
    there, header, _ = runs.payload.unpack(found.proto.bytes)
    assert (there["step"], there["lit"], header["lead"]) == (view["step"] + 5, "free", 0)
    assert (link_of(app)["step"], link_of(app)["lit"]) == (str(view["step"] + 5), "free")
