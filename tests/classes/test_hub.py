"""A class without sockets: which answers count, and a show that was compiled anew under it."""

from __future__ import annotations

import pytest

from vizkv.classes import hub as hubs
from vizkv.classes import protocol
from vizkv.classes.protocol import Answer, Asked, Place

COLOUR = Asked("used", ("used", "free"))
SLOT = Asked("26", ("14", "26"), pick=True)
LONG = ((COLOUR, SLOT), (), (SLOT,))


@pytest.fixture
def hub(tmp_path, monkeypatch) -> hubs.Hub:
    """A server's classes, in a folder of their own."""
    monkeypatch.setenv("VIZKV_STATE", str(tmp_path))
    return hubs.Hub()


@pytest.mark.parametrize("value", ["26", "0", "65535"])
def test_a_click_on_any_slot_answers_a_question_that_is_clicked(value):
    said = {"beat": 0, "question": 1, "value": value}
    assert protocol.answer(said, LONG) == Answer(0, 1, value)
    assert protocol.answer(said | {"question": 0}, LONG) is None


@pytest.mark.parametrize("value", ["-1", "1e5", "٣", "123456789", "", " 7", 7, None, ["26"]])
def test_a_value_that_is_no_slot_answers_nothing(value):
    assert protocol.answer({"beat": 0, "question": 1, "value": value}, LONG) is None


def test_an_answer_counts_for_the_question_that_is_put_and_for_no_other(hub):
    room, _ = hub.begin("short", LONG)
    assert not room.answer("a", Answer(0, 1, "26")), "the first question is put, not the second"
    room.move(Place(0, 2))
    assert room.answer("a", Answer(0, 1, "26")) and room.tally((0, 1)) == {"26": 1}
    room.move(Place(0, 3))
    assert not room.answer("b", Answer(0, 1, "26")), "it is answered on the stage"
    room.move(Place(1, 0))
    assert not room.answer("b", Answer(0, 0, "used")), "this beat asks nothing"


def test_a_voter_too_many_is_not_counted_and_known_ones_may_still_change(hub, monkeypatch):
    monkeypatch.setattr(hubs, "MAX_VOTERS", 1)
    room, _ = hub.begin("short", LONG)
    assert room.answer("a", Answer(0, 0, "used"))
    assert not room.answer("b", Answer(0, 0, "used"))
    assert room.answer("a", Answer(0, 0, "free")) and room.tally((0, 0)) == {"free": 1}


def test_a_class_goes_on_with_a_shorter_show_at_a_beat_and_with_answers_that_it_has(hub):
    room, secret = hub.begin("short", LONG)
    room.answer("a", Answer(0, 0, "used"))
    room.answer("b", Answer(0, 0, "free"))
    room.move(Place(2, 1))
    room.adopt(((Asked("used", ("used", "other")),), ()))
    for found in (room, hubs.Hub().find(room.code)):
        assert (found.place.beat, found.place.part) == (1, 0)
        assert found.tally((0, 0)) == {"used": 1}
        assert found.is_lecturer(secret)


def test_a_class_that_nobody_uses_makes_room_and_one_in_use_does_not(hub, monkeypatch):
    monkeypatch.setattr(hubs, "MAX_CLASSES", 2)
    used, _ = hub.begin("short", LONG)
    left, _ = hub.begin("short", LONG)
    used.students = 1
    used.seen = left.seen = left.seen - hubs.IDLE_S - 1
    new, _ = hub.begin("short", LONG)
    assert set(hub.classes) == {used.code, new.code}
    with pytest.raises(hubs.FullError, match="There are 2 classes"):
        hub.begin("short", LONG)


def test_a_file_that_nobody_has_written_to_for_a_month_is_deleted(hub, monkeypatch):
    room, _ = hub.begin("short", LONG)
    monkeypatch.setattr(hubs.kept, "KEPT_S", -1.0)
    assert hubs.Hub().find(room.code) is None
    assert not room.log.path.exists()
