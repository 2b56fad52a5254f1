"""`vizkv app`: which port it takes, and what it refuses."""

import socket

import pytest

from vizkv.cli import app, main
from vizkv.scenario.schema import ScenarioError


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_refused_and_a_free_one_is_found(taken, monkeypatch):
    with pytest.raises(ScenarioError, match=f"The port is {taken}, which is in use"):
        app.chosen_port("127.0.0.1", taken)
    monkeypatch.setattr(app, "PORT", taken)
    assert app.chosen_port("127.0.0.1", None) != taken


def test_any_free_port_is_taken_where_none_of_those_tried_is_free(taken, monkeypatch):
    monkeypatch.setattr(app, "PORT", taken)
    monkeypatch.setattr(app, "TRIED", 1)
    assert app.chosen_port("127.0.0.1", None) > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--port", "70000"], "valid is a whole number from 1 to 65535"), (["--port", "x"], "from 1 to 65535"),
     (["--host", "no.such.host.invalid"], "The host is 'no.such.host.invalid', which is unknown")],
)  # fmt: skip
def test_a_wrong_port_or_host_gets_a_sentence(words, said, capsys, monkeypatch):
    monkeypatch.setattr(app, "_replace", lambda words: pytest.fail("the app was started"))
    try:
        code = main(["app", "--no-browser", *words])
    except SystemExit as end:
        code = end.code
    assert code == 2 and said in capsys.readouterr().err


def test_the_address_is_printed_and_the_app_below_a_path_is_started(capsys, monkeypatch, taken):
    started = []
    monkeypatch.setattr(app, "_replace", lambda words: started.append(words) or 0)
    monkeypatch.setattr(app, "chosen_port", lambda host, port: 8765)
    assert main(["app", "--no-browser", "--base-path", "/kv/"]) == 0
    assert "http://localhost:8765/kv/" in capsys.readouterr().out
    (words,) = started
    assert words[1:3] == ["-m", "vizkv.ui.serve"] and words[-2:] == ["--server.baseUrlPath", "kv"]
