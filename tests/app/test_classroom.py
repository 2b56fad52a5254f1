"""A class over the server's web socket: the lecturer's player leads, a student's leads nobody."""

import json
import time
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from vizkv.messages.catalogue import messages
from vizkv.ui.frame import classroom

HERE = {"page": "memory", "step": 5, "lens": "online", "accounting": "paper", "colour": "state", "focus": -1,
        "request": -1, "position": -1, "lit": "", "lit_in": -1, "mark": ""}  # fmt: skip


@pytest.fixture
def joined():
    """joined(class, token="") -> a web socket of the class; all are closed when the test ends."""
    with TestClient(Starlette(routes=classroom.routes())) as client, ExitStack() as sockets:

        def join(room, token=""):
            socket = sockets.enter_context(client.websocket_connect(f"{classroom.PATH}/{room.id}"))
            socket.send_json({"token": token})
            return socket

        yield join


@pytest.fixture
def room():
    made = classroom.begin()
    made.open("memory", {"preset": "figure-3"}, {"preset": "figure-3"})
    return made


def test_a_student_hears_where_the_lecturers_player_stands(joined, room):
    student = joined(room)
    assert student.receive_json()["page"] == "memory"
    lecturer = joined(room, room.token)
    lecturer.send_json(HERE)
    assert student.receive_json()["view"] == {k: v for k, v in HERE.items() if k != "page"}


def test_what_a_student_says_moves_nobody(joined, room):
    student, other = joined(room), joined(room)
    student.receive_json(), other.receive_json()
    student.send_json(HERE)
    lecturer = joined(room, room.token)
    lecturer.send_json({**HERE, "step": 9})
    assert other.receive_json()["view"]["step"] == 9
    assert room.told == 2  # what was opened, and the lecturer's step


def test_a_student_hears_how_many_listen_so_that_a_large_class_asks_for_its_pages_one_after_another(joined, room):
    first, second = joined(room), joined(room)
    first.receive_json(), second.receive_json()
    joined(room, room.token).send_json(HERE)  # a lecturer is no listener
    assert [student.receive_json()["listeners"] for student in (first, second)] == [2, 2]
    second.close()
    for _ in range(500):  # the server hears of it in its own time
        if room.listeners < 2:
            break
        time.sleep(0.01)
    assert room.listeners == 1


@pytest.mark.parametrize("token", ["guessed", "ä", "null"])
def test_a_wrong_token_is_refused(joined, room, token):
    assert joined(room, token).receive_json() == {"refused": "token"}
    assert room.view is None


def test_a_class_that_is_none_is_refused(joined):
    class Gone:
        id = "nobodys"

    assert joined(Gone()).receive_json() == {"refused": "class"}


def test_the_end_of_a_class_is_told(joined, room):
    student = joined(room)
    student.receive_json()
    classroom.end(room.id)
    assert student.receive_json() == {"refused": "class"}


@pytest.mark.parametrize(
    "said",
    [{**HERE, "step": "5"}, {**HERE, "step": True}, {**HERE, "lens": "x" * 50}, {"page": "memory", "step": 5}, [], 3],
)
def test_an_unsound_view_is_none(said):
    assert classroom.view_of(json.loads(json.dumps(said))) is None


def test_a_view_of_a_page_that_is_being_left_is_not_told(room):
    room.look({**HERE, "page": "table"})
    assert room.view is None


def test_ids_and_tokens_are_not_to_be_guessed_from_one_another():
    first, second = classroom.begin(), classroom.begin()
    assert len({first.id, second.id, first.token, second.token, first.key, second.key}) == 6
    assert not first.is_lecturer(second.token) and not first.is_lecturer("") and len(first.token) >= 20


@pytest.mark.parametrize(("asked", "language"), [("zh-CN,zh;q=0.9", "zh"), ("en-GB", "en"), ("", "en")])
def test_the_page_of_a_lecturers_link_is_kept_by_nobody_and_asks_for_nothing_else(asked, language):
    with TestClient(Starlette(routes=classroom.routes())) as client:
        answer = client.get(f"{classroom.LEAD}/qqqqqqqq", headers={"Accept-Language": asked})
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
    assert "qqqqqqqq" not in answer.text and "src=" not in answer.text and "href=" not in answer.text
    assert messages(language)("class.lead.blocked") in answer.text and "{" not in answer.text.split("<script>")[0]


# ---- how many, and how long ----


def later(monkeypatch, seconds):
    """Let so much time go by for classes."""
    now = time.monotonic() + seconds
    monkeypatch.setattr(classroom.time, "monotonic", lambda: now)


def test_nobodys_class_ends_for_another_that_is_one_too_many(monkeypatch):
    monkeypatch.setattr(classroom, "MAX_CLASSES", 3)
    rooms = [classroom.begin() for _ in range(3)]
    with pytest.raises(classroom.FullError) as caught:
        classroom.begin()
    assert "There are 3 classes" in str(caught.value) and messages("zh").error(caught.value).endswith("。")
    assert [classroom.find(room.id) for room in rooms] == rooms and not any(room.over for room in rooms)
    classroom.end(rooms[0].id)
    assert classroom.find(classroom.begin().id)


def test_a_class_that_nobody_leads_or_follows_ends_and_makes_room(monkeypatch, room):
    monkeypatch.setattr(classroom, "MAX_CLASSES", 1)
    later(monkeypatch, classroom.IDLE_S + 1)
    assert classroom.begin() and room.over and classroom.find(room.id) is None


def test_a_class_that_somebody_looks_at_goes_on(monkeypatch, room):
    later(monkeypatch, classroom.IDLE_S - 1)
    assert classroom.find(room.id) is room
    later(monkeypatch, classroom.IDLE_S - 1)
    assert classroom.find(room.id) is room


@pytest.mark.parametrize("who", ["student", "lecturer"])
def test_a_class_goes_on_for_as_long_as_a_browser_is_connected(monkeypatch, joined, room, who):
    socket = joined(room, room.token if who == "lecturer" else "")
    watching = joined(room)
    watching.receive_json()
    if who == "lecturer":
        socket.send_json({**HERE, "step": 8})
        assert watching.receive_json()["view"]["step"] == 8
        watching.close()
    later(monkeypatch, 10 * classroom.IDLE_S)
    assert not room.idle and classroom.find(room.id) is room


def test_a_class_has_room_for_so_many_students_and_always_for_its_lecturer(monkeypatch, joined, room):
    monkeypatch.setattr(classroom, "MAX_STUDENTS", 1)
    student = joined(room)
    student.receive_json()
    assert joined(room).receive_json() == {"refused": "full"}
    joined(room, room.token).send_json(HERE)
    assert student.receive_json()["view"]["step"] == 5


def test_a_browser_that_does_not_say_who_it_is_is_let_go(monkeypatch, room):
    monkeypatch.setattr(classroom, "FIRST_S", 0.01)
    with TestClient(Starlette(routes=classroom.routes())) as client:
        with client.websocket_connect(f"{classroom.PATH}/{room.id}") as socket:
            assert socket.receive()["type"] == "websocket.close"
