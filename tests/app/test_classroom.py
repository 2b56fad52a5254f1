"""A class over the server's web socket: the lecturer's player leads, a student's leads nobody."""

import json
import time
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from vizkv.ui import classroom

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
    assert first.id != second.id and first.token != second.token
    assert not first.is_lecturer(second.token) and not first.is_lecturer("") and len(first.token) >= 20
