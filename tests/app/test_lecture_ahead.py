"""The runs of a script are prepared with nobody watching: for a bounded time, and a bounded number is remembered."""

import pytest

from vizkv import lecture
from vizkv import sweeps as sweep
from vizkv.ui.lecture import ahead

SCRIPT = lecture.read(
    'title = "T"\n'
    '[[beats]]\ntitle = "sweep"\npage = "sweep"\npreset = "sweep-block-size"\n'
    '[[beats]]\ntitle = "memory"\npage = "memory"\npreset = "external-fragmentation"\n'
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(ahead, "_seen", type(ahead._seen)(16))


def test_a_sweep_is_stopped_when_the_time_is_up_and_is_not_called_prepared(monkeypatch):
    begun = []

    def endless(tasks, *, stop):
        begun.append(len(tasks))
        while not stop.is_set:
            yield None

    monkeypatch.setattr(sweep, "run", endless)
    monkeypatch.setattr(ahead, "MOST_S", 0.2)
    ahead._work(SCRIPT.beats, "en")
    assert begun and not ahead._seen and not ahead._stops


def test_nothing_begins_when_the_time_is_up(monkeypatch):
    monkeypatch.setattr(ahead, "MOST_S", 0.0)
    monkeypatch.setattr(ahead, "_prepare", lambda *_: pytest.fail("it began"))
    ahead._work(SCRIPT.beats, "en")
    assert not ahead._seen


def test_what_was_prepared_is_remembered_up_to_a_number(monkeypatch):
    made = []
    monkeypatch.setattr(ahead, "_prepare", lambda beat, *_: made.append(beat.page))
    for _ in range(2):
        ahead._work(SCRIPT.beats, "en")
    assert made == ["sweep", "memory"]
    assert ahead._seen.maxsize == 16
