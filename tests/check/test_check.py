"""`vizkv check`: it passes what is right, and finds what is wrong with the smallest workload."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.check import right, wrong
from vizkv.check import search
from vizkv.cli import main
from vizkv.engine import engine
from vizkv.scenario.schema import ScenarioError, from_dict, load
from vizkv.systems import registry
from vizkv.systems.own import loading
from vizkv.systems.own.calls import OwnSystemError

SECONDS = 120
# class -> what it is compared with, and what is said of it
WRONG = {
    "OneTooMany": ("none", "from which the whole piece lies in one hole"),
    "HighEndOffByOne": ("none", "from which the whole piece lies in one hole"),
    "OnlyTheLargest": ("first-fit", "only-the-largest has"),
    "ForgetsNoHole": ("none", "wrong.py, line "),
    "HalfSlots": ("none", "a whole number or None"),
    "RoundsDown": ("none", "valid is a list of blocks, 1 of them"),
    "Leaks": ("none", "Leaks."),
    "GivesTwice": ("none", "GivesTwice."),
    "PopsWhatIsNotThere": ("none", "right.py, line |wrong.py, line "),
    "KeepsOneBack": ("paged", "keeps-one-back has"),
}


@pytest.fixture
def registered():
    """registered(cls) -> its kind, until the test ends."""
    names = []

    def register(own):
        names.append(loading.register(own))
        return names[-1]

    yield register
    for name in names:
        registry.unregister(name)


@pytest.mark.parametrize("name", WRONG)
def test_each_of_ten_mistakes_is_found(name, registered):
    kind = registered(getattr(wrong, name))
    against, said = WRONG[name]
    found = search.search(kind, against, seed=0, seconds=SECONDS)
    assert found.broken is not None
    assert any(part in found.broken.sentence for part in said.split("|")), found.broken.sentence
    assert len(found.broken.scenario["requests"]) <= 6
    assert from_dict(found.broken.scenario).systems[0].kind == kind


@pytest.mark.parametrize(("name", "against"), [("LowestHole", "first-fit"), ("FreeList", "paged")])
def test_what_is_right_passes_and_decides_as_the_reference(name, against, registered):
    found = search.search(registered(getattr(right, name)), against, seed=0, seconds=4)
    assert found.broken is None and found.examples > 20


def test_the_same_seed_finds_the_same_counterexample(registered):
    kind = registered(wrong.OneTooMany)
    first, again = (search.search(kind, "none", seed=3, seconds=SECONDS) for _ in range(2))
    assert first.broken.scenario == again.broken.scenario and first.broken.sentence == again.broken.sentence


def test_a_system_of_ones_own_has_ledgers_records_and_a_trace_like_any_other(registered):
    kinds = [registered(right.LowestHole), registered(right.FreeList)]
    table = {
        "slots": 48, "max_model_len": 24, "model": "none",
        "systems": [{"kind": kinds[0]}, {"kind": "contiguous", "placement": "first-fit", "unit": 1},
                    {"kind": kinds[1], "block_size": 4}, {"kind": "paged", "block_size": 4}],
        "requests": [{"prompt_tokens": 7, "output_tokens": 9, "arrival_step": step} for step in (0, 0, 3, 5)],
    }  # fmt: skip
    plain, ahead = (engine.run(from_dict(table), plain=plain) for plain in (True, False))
    from vizkv.replay.opening import opened
    from vizkv.trace import trace as traces
    from vizkv.views.facts.records import summary

    told = summary(opened(traces.load(traces.save(plain)))[0])
    assert told == summary(ahead)
    own, reference, blocks, paged = told.values()
    assert own == reference and blocks == paged


WORKS = """
import vizkv

class Mine(vizkv.Placement):
    kind = "mine-{n}"

    def place(self, size, holes):
        return next((first for first, room in holes if room >= size), None)
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """file(text) -> the path of a Python file with it; what it registers is taken out again."""
    monkeypatch.delenv(loading.VARIABLE, raising=False)
    written = []

    def write(text, name="mine.py"):
        written.append(tmp_path / name)
        written[-1].write_text(text, encoding="utf-8")
        return written[-1]

    yield write
    for path in set(written) & set(loading.loaded()):
        loading.unload(path)


def test_the_command_says_what_it_found_and_saves_it(file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = file(WORKS.format(n="a").replace("room >= size", "room >= size - 1"))
    assert main(["check", str(path), "--junit", "out.xml", "--seconds", str(SECONDS)]) == 1
    out = capsys.readouterr().out
    assert "mine-a: a rule is broken" in out and "lies in one hole" in out
    assert load("mine-mine-a.toml").systems[0].kind == "mine-a"
    suite = ElementTree.parse("out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert main(["run", "mine-mine-a.toml", "--with", str(path)]) == 2
    assert "lies in one hole" in capsys.readouterr().err
    assert main(["check", str(path), "--json", "--seconds", str(SECONDS), "--save", "small.toml"]) == 1
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["kind"], said["ok"]) == ("mine-a", False) and Path("small.toml").exists()


def test_the_command_passes_what_is_right(file, capsys):
    path = file(WORKS.format(n="b"))
    assert main(["check", str(path), "--against", "first-fit", "--seconds", "2"]) == 0
    assert "and first-fit decided the same" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "defines no system"),
        ("import vizkv\n1 / 0\n", "bad.py, line 2: ZeroDivisionError: division by zero."),
        ("def f(:\n", "bad.py, line 1: SyntaxError"),
        (WORKS.format(n="c").replace('"mine-c"', '"paged"'), "The kind paged exists already"),
        (WORKS.format(n="c").replace('"mine-c"', '"Not A Word"'), "The kind of Mine is 'Not A Word'"),
    ],
)
def test_a_file_that_cannot_be_used_gets_a_sentence(file, text, said, capsys):
    assert main(["check", str(file(text, "bad.py"))]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--against", "nope"], "The option --against is 'nope'"), (["--seconds", "0"], "from 1 to 3600"),
     (["--seed", "x"], "from 0 to")],
)  # fmt: skip
def test_a_wrong_option_gets_a_sentence(file, words, said, capsys):
    try:
        code = main(["check", str(file(WORKS.format(n="d"))), *words])
    except SystemExit as end:
        code = end.code
    assert code == 2 and said in capsys.readouterr().err


def test_a_missing_file_gets_a_sentence(capsys):
    assert main(["run", "none.toml", "--with", "none.py"]) == 2
    assert "The system file is none.py" in capsys.readouterr().err


def test_a_scenario_cannot_name_a_file_and_an_unknown_kind_is_refused():
    with pytest.raises(ScenarioError, match=r"mine\.py"):
        from_dict({"slots": 8, "systems": [{"kind": "mine.py"}], "requests": []})


def test_an_answer_of_the_wrong_type_is_quoted(registered):
    class Says(vizkv_placement()):
        kind = "says"

        def place(self, size, holes):
            return "here"

    kind = registered(Says)
    table = {"slots": 8, "max_model_len": 4, "model": "none", "systems": [{"kind": kind}],
             "requests": [{"prompt_tokens": 1, "output_tokens": 1}]}  # fmt: skip
    with pytest.raises(OwnSystemError, match=r"Says\.place returned 'here' for size 4"):
        engine.run(from_dict(table))


def vizkv_placement():
    from vizkv import Placement

    return Placement
