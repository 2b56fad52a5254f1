"""Classes over HTTP and web sockets, without a browser: who may say what, what is told, and what a restart keeps."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.show.test_show import SHORT
from vizkv import lecture
from vizkv.classes import hub as hubs
from vizkv.classes import kept, protocol, server
from vizkv.classes.server import Rooms
from vizkv.show.compile import Show, compiled

ALICE, BOB = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def show() -> Show:
    """The short script in both languages."""
    return compiled(lecture.read(SHORT), ["en", "zh"])


class Server:
    """A server process: its classes in memory are its own, those on disk are everybody's."""

    def __init__(self, show: Show) -> None:
        self.rooms = Rooms()
        self.rooms.shelf.put("short", show)
        self.client = TestClient(Starlette(routes=self.rooms.routes()))

    def begin(self) -> tuple[str, str]:
        """Return (code, secret) of a new class."""
        told = self.client.post("/show/short/class", headers={"X-Vizkv": "1"}).json()
        return told["code"], told["secret"]

    def socket(self, code: str, **hello: str):
        """Return a connected browser's socket; it has said who it is."""
        return Socket(self.client.websocket_connect(f"/c/{code}/live"), hello)


class Socket:
    """A browser of a class."""

    def __init__(self, session, hello: dict[str, str]) -> None:
        self.session = session
        self.hello = hello

    def __enter__(self) -> Socket:
        self.session.__enter__()
        self.say(self.hello)
        return self

    def __exit__(self, *what: object) -> None:
        self.session.__exit__(*what)

    def say(self, what: object) -> None:
        """Send a message."""
        self.session.send_text(what if isinstance(what, str) else json.dumps(what))

    def until(self, name: str, test=lambda told: True) -> dict:
        """Return the next message that has a field and passes a test."""
        while True:
            told = json.loads(self.session.receive_text())
            if name in told and test(told):
                return told

    def at(self, beat: int, part: int) -> dict:
        """Return the message that tells of a place."""
        return self.until("place", lambda told: (told["place"]["beat"], told["place"]["part"]) == (beat, part))


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A folder for the classes' files."""
    monkeypatch.setenv("VIZKV_STATE", str(tmp_path))
    return tmp_path / "classes"


@pytest.fixture
def app(state, show) -> Iterator[Server]:
    """A server with the short show."""
    made = Server(show)
    with made.client:
        yield made


def place(beat: int, part: int = 0, k: int = 1, **more: object) -> dict:
    """A lecturer's message."""
    return {"place": {"beat": beat, "part": part, "by": 7, "k": k} | more}


def answer(value: str, beat: int = 0, question: int = 0) -> dict:
    """A student's message."""
    return {"answer": {"beat": beat, "question": question, "value": value}}


def test_the_stage_and_its_files_come_with_addresses_that_never_change(app: Server):
    page = app.client.get("/show/short")
    assert page.headers["cache-control"] == "no-cache"
    version = app.rooms.shelf.ready["short"].version
    assert f'href="short/{version}/show.css' in page.text
    for path in ("show.js", "show.css", "data/words-en.bin", "data/words-zh.bin"):
        found = app.client.get(f"/show/short/{version}/{path}")
        assert found.status_code == 200 and "immutable" in found.headers["cache-control"], path
    assert app.client.get(f"/show/short/{'0' * 16}/show.js").status_code == 404
    assert app.client.get(f"/show/short/{version}/../../secrets").status_code == 404


def test_a_compiled_show_is_the_same_after_it_was_kept(show: Show):
    from vizkv.classes.shows import from_files, to_files, unzipped, zipped

    assert from_files(unzipped(zipped(to_files(show)))) == show


def test_the_page_of_a_class_is_the_same_for_all_and_has_no_secret(app: Server):
    code, secret = app.begin()
    page = app.client.get(f"/c/{code}")
    assert page.status_code == 200 and secret not in page.text and '"room":true' in page.text
    assert app.client.get(f"/c/{code.upper()}").status_code == 200, "typed from the board in capitals"
    assert app.client.get("/c/bbbbbb").status_code == 404


def test_a_class_is_begun_from_its_own_page_only(app: Server):
    assert app.client.post("/show/short/class").status_code == 403
    assert app.client.post("/show/nothing/class", headers={"X-Vizkv": "1"}).status_code == 404


def test_a_code_has_six_letters_that_do_not_look_alike(app: Server):
    code, _ = app.begin()
    assert len(code) == 6 and set(code) <= set(hubs.LETTERS)
    assert not set("iloquvsjg") & set(hubs.LETTERS)


def test_students_and_all_windows_of_the_lecturer_are_told_a_place(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, secret=secret) as desk:
        with app.socket(code, voter=ALICE) as alice:
            stage.at(0, 0)
            desk.say(place(1))
            for one in (stage, desk, alice):
                assert one.at(1, 0)["n"] == 1
            assert desk.say(place(1, k=2)) is None
            assert desk.until("ack") == {"ack": 2, "n": 2}


def test_only_the_secret_leads(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret="x" * 24) as stranger:
        assert stranger.until("refused")["refused"] == "secret"
    with app.socket(code, voter=ALICE) as alice, app.socket(code, secret=secret) as stage:
        alice.at(0, 0)
        alice.say(place(2))
        alice.say({"end": True})
        stage.say(place(1))
        assert alice.at(1, 0)["n"] == 1, "what the student said has changed nothing"
    with app.socket("bbbbbb", voter=ALICE) as lost:
        assert lost.until("refused")["refused"] == "class"


def test_answers_are_counted_once_a_student_and_shown_when_the_lecturer_wants(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        with app.socket(code, voter=BOB) as bob:
            alice.say(answer("yes"))
            assert alice.until("taken") == {"taken": True, "value": "yes"}
            alice.say(answer("no"))
            bob.say(answer("no"))
            told = stage.until("tally", lambda told: told["tally"]["all"] == 2 and told["tally"]["by"] == {"no": 2})
            assert told["tally"]["at"] == [0, 0]
            stage.say(place(0, 0, shown=True))
            assert bob.until("tally")["tally"]["by"] == {"no": 2}


def test_an_answer_after_the_reveal_or_that_is_none_is_not_taken(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        stage.say(place(0, 1))
        alice.at(0, 1)
        alice.say(answer("yes"))
        assert alice.until("taken")["taken"] is False
        stage.say(place(0, 0, k=2))
        alice.at(0, 0)
        alice.say(answer("perhaps"))
        alice.say(answer("yes"))
        assert alice.until("taken") == {"taken": True, "value": "yes"}


def test_a_server_that_died_goes_on_at_the_same_beat_with_all_answers(app: Server, show: Show):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        alice.at(0, 0)
        alice.say(answer("no"))
        alice.until("taken")
        stage.say(place(0, 1, shown=True))
        alice.at(0, 1)
    other = Server(show)  # nothing was handed over but the files
    with other.client, other.socket(code, secret=secret) as stage, other.socket(code, voter=ALICE) as alice:
        told = stage.at(0, 1)
        assert told["tally"]["by"] == {"no": 1} and told["n"] == 1
        assert alice.until("mine")["mine"] == "no"
    assert other.client.get(f"/c/{code}").status_code == 200


def test_a_line_that_was_cut_off_costs_only_itself(app: Server, show: Show, state):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage:
        stage.say(place(1))
        stage.at(1, 0)
    file = state / f"{code}.jsonl"
    file.write_bytes(file.read_bytes() + b'{"place":{"beat":2,')
    for beat in (1, 2):
        other = Server(show)
        with other.client, other.socket(code, secret=secret) as stage:
            assert stage.at(beat, 0)
            stage.say(place(2, k=2))
            stage.at(2, 0)


def test_a_long_file_is_written_anew_with_the_same_content(app: Server, show: Show, monkeypatch, state):
    monkeypatch.setattr(kept, "REWRITE_LINES", 20)
    monkeypatch.setattr(hubs, "MAX_VOTERS", 0)
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage:
        for k in range(1, 36):
            stage.say(place(k % 3, k=k))
            stage.until("ack", lambda told, k=k: told["ack"] == k)
    lines = (state / f"{code}.jsonl").read_text().splitlines()
    assert len(lines) < 30
    found = hubs.Class.of(code)
    assert found is not None and (found.place.beat, found.n) == (35 % 3, 35)


def test_a_class_goes_on_where_its_folder_cannot_be_written_and_says_so(show: Show, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIZKV_STATE", str(tmp_path / "file"))
    app = Server(show)
    with app.client:
        code, secret = app.begin()
        with app.socket(code, secret=secret) as stage:
            assert stage.until("kept")["kept"] is False
            stage.say(place(1))
            stage.at(1, 0)


def test_a_file_of_anything_is_no_class(state):
    state.mkdir()
    for n, text in enumerate(("", "[]", "{}", '{"show":1,"lock":"x","outline":[[1]]}', "\x00" * 50, "[" * 10**5)):
        (state / f"{'bcdfhk'[:5]}{'bcdfhk'[n]}.jsonl").write_text(text)
    assert [hubs.Class.of(code) for code in kept.codes()] == [None] * 6
    assert hubs.Hub().find("bcdfhb") is None


def test_an_ended_class_is_gone_for_everybody(app: Server, state):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        alice.at(0, 0)
        stage.say({"end": True})
        assert alice.until("refused")["refused"] == "over"
    assert list(state.glob("*.jsonl")) == []
    assert app.client.get(f"/c/{code}").status_code == 404


def test_the_front_answers_for_classes_below_a_path_and_passes_on_all_else(state, show: Show):
    rooms = Rooms()
    rooms.shelf.put("short", show)
    inner = Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("the app"))])
    with TestClient(server.Front(inner, rooms, base="/lab/")) as client:
        assert client.get("/lab/show/short").headers["content-type"].startswith("text/html")
        told = client.post("/lab/show/short/class", headers={"X-Vizkv": "1"}).json()
        with Socket(client.websocket_connect(f"/lab/c/{told['code']}/live"), {"voter": ALICE}) as alice:
            alice.at(0, 0)
        for path in ("/", "/show/short", "/lab/", "/lab/memory", "/lab/cache"):
            assert client.get(path).text == "the app"


def test_the_limits_are_said(app: Server, monkeypatch):
    code, secret = app.begin()
    monkeypatch.setattr(hubs, "MAX_STUDENTS", 1)
    monkeypatch.setattr(hubs, "MAX_LECTURERS", 1)
    with app.socket(code, voter=ALICE) as alice, app.socket(code, secret=secret) as stage:
        alice.at(0, 0)
        stage.at(0, 0)
        for hello, why in (({"voter": BOB}, "full"), ({"secret": secret}, "lecturers"), ({"voter": "x"}, "message")):
            with app.socket(code, **hello) as more:
                assert more.until("refused")["refused"] == why
    monkeypatch.setattr(hubs, "MAX_CLASSES", 1)
    refused = app.client.post("/show/short/class", headers={"X-Vizkv": "1"})
    assert refused.status_code == 503 and "as many as this server holds" in refused.json()["error"]
    monkeypatch.setattr(server, "MAX_SOCKETS", 0)
    with app.socket(code, voter=ALICE) as more:
        assert more.until("refused")["refused"] == "server"


def test_too_many_and_too_long_messages_end_a_socket_only(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage:
        with app.socket(code, voter=ALICE) as alice:
            for _ in range(200):
                alice.say(answer("no"))
            assert alice.until("refused")["refused"] == "rate"
        with app.socket(code, voter=BOB) as bob:
            bob.say("x" * (protocol.MAX_MESSAGE + 1))
            assert bob.until("refused")["refused"] == "message"
        stage.say(place(2))
        stage.at(2, 0)


def _anything(rng: random.Random, depth: int = 0) -> object:
    """Return any value of JSON, often under the names that the protocol has."""
    names = ["place", "beat", "part", "view", "answer", "question", "value", "k", "by", "shown", "join", "step", "lens"]
    kinds = [None, True, -1, 0, 1, 2, 10**30, 1.5, "", "no", "yes", "0", "x" * 50, "\u202e\ud7ff"]
    if depth > 3 or rng.random() < 0.4:
        return rng.choice(kinds)
    if rng.random() < 0.2:
        return [_anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(names): _anything(rng, depth + 1) for _ in range(rng.randrange(5))}


def test_whatever_a_socket_says_the_class_stands_at_a_beat_that_there_is(app: Server, monkeypatch):
    monkeypatch.setattr(server, "LECTURER_RATE", 10**6)
    monkeypatch.setattr(server, "STUDENT_RATE", 10**6)
    rng = random.Random(7)
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        for _ in range(300):
            for one in (stage, alice):
                said = _anything(rng)
                one.say(rng.choice(["", "{", "null", "[" * 900]) if rng.random() < 0.05 else json.dumps(said))
        stage.say(place(0, 0, k=999))
        stage.until("ack", lambda told: told["ack"] == 999)
        alice.say(answer("no"))
        assert alice.until("taken", lambda told: told["value"] == "no")["taken"]
    room = app.rooms.hub.find(code)
    assert room is not None and (room.place.beat, room.place.part) == (0, 0)
    assert hubs.Class.of(code).answers == room.answers


def test_what_a_class_answered_is_a_table_and_a_page_without_names(app: Server):
    code, secret = app.begin()
    with app.socket(code, secret=secret) as stage, app.socket(code, voter=ALICE) as alice:
        alice.at(0, 0)
        alice.say(answer("no"))
        alice.until("taken")
        stage.until("tally", lambda told: told["tally"]["all"] == 1)
    lead = {"Authorization": f"Bearer {secret}"}
    table = app.client.get(f"/c/{code}/answers.csv?lang=en", headers=lead)
    head, row = table.content.decode("utf-8-sig").splitlines()
    assert head.startswith("beat,title,question,shown to,answered,right")
    assert row.startswith("1,Fits?,") and ",1,1,1," in row
    page = app.client.get(f"/c/{code}/answers.html?lang=zh", headers=lead).text
    assert 'lang="zh-Hans"' in page and ALICE not in page + table.text
    for wrong in ({}, {"Authorization": "Bearer x"}):
        assert app.client.get(f"/c/{code}/answers.csv", headers=wrong).status_code == 403


def test_the_qr_code_is_of_this_class_or_there_is_none(app: Server):
    code, _ = app.begin()
    drawn = app.client.get(f"/c/{code}/qr.svg", params={"address": f"https://hall.example/lab/c/{code}"})
    assert drawn.status_code == 200 and drawn.text.startswith("<svg")
    for wrong in ("https://evil.example/", f"javascript:alert(1)/c/{code}", "x" * 400):
        assert app.client.get(f"/c/{code}/qr.svg", params={"address": wrong}).status_code == 404
