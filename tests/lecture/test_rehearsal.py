"""A script is rehearsed when it is opened: what a beat opens and asks must be there in the beat's run."""

import pytest

from tests.lecture.test_questions import run
from vizkv import lecture
from vizkv.lecture import rehearsal
from vizkv.lecture.rehearsal import rehearse
from vizkv.messages.catalogue import messages
from vizkv.scenario.schema import ScenarioError

SAY = messages("en")
BEAT = """
title = "T"
[[beats]]
title = "First"
page = "memory"
preset = "external-fragmentation"
step = 1
[[beats]]
title = "Second"
page = "memory"
preset = "external-fragmentation"
"""


def rehearsed(more, progress=None):
    rehearse(lecture.read(BEAT + more), lambda scenario, _: run(scenario), SAY, progress)


def test_the_lecture_of_the_app_passes():
    done = []
    rehearse(lecture.default(), lambda scenario, _: run(scenario), SAY, lambda *now: done.append(now))
    assert done == [(n, len(lecture.default().beats)) for n in range(1, len(lecture.default().beats) + 1)]


@pytest.mark.parametrize(("more", "said"), [
    ("step = 99999", r"The table beats\[1\] has step = 99999; valid in its run is 0\.\.\d+\."),
    ("mark = '0.0-4000000'", r"The table beats\[1\] has mark = '0\.0-4000000'; valid in its run is 0\.0-\d+ "),
    ("focus = 30", r"The table beats\[1\] has focus = 30; valid in its run is 0\.\.\d+\."),
    ("lit = 'used'\nlit_in = 30", r"The table beats\[1\] has lit_in = 30; valid in its run is 0\.\.\d+\."),
    ("request = 'nobody'", r"The table beats\[1\] has request = 'nobody'; valid in its run is A1 / A2"),
    ("request = 'A1'\nposition = 4000000", r"beats\[1\] has position = 4000000; valid in its run is 0\.\.\d+\."),
    ("[[beats.ask]]\nkind = 'colour'\nslot = 4000000",
     r"The table beats\[1\]\.ask\[0\]: The question has slot = 4000000; valid is 0 to \d+\."),
    ("[[beats.ask]]\nkind = 'count'\ncategory = 'used'\nstep = 99999",
     r"The table beats\[1\]\.ask\[0\]: The question is about step 99999; valid is 0 to \d+\."),
    ("[[beats.ask]]\nkind = 'fits'\nrequest = 'nobody'",
     r"The table beats\[1\]\.ask\[0\]: The question has request = 'nobody'; valid is A1, A2"),
])  # fmt: skip
def test_what_the_run_does_not_have_is_one_sentence(more, said):
    with pytest.raises(ScenarioError, match=said):
        rehearsed(more)


def test_runs_that_take_too_long_together_are_one_sentence(monkeypatch):
    now = iter(range(0, 1000, 40))
    monkeypatch.setattr(rehearsal.time, "monotonic", lambda: next(now))
    with pytest.raises(ScenarioError, match="take longer than 60 seconds together; valid are fewer beats"):
        rehearsed("")


def test_a_run_is_ended_by_its_progress(monkeypatch):
    def slow(scenario, progress):
        monkeypatch.setattr(rehearsal.time, "monotonic", lambda: float("inf"))
        progress(1, 2)

    with pytest.raises(ScenarioError, match=r"beats\[0\] has a scenario that cannot be run \(The script's runs take"):
        rehearse(lecture.read(BEAT), slow, SAY)
