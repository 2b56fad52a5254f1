"""What one visitor's session puts into a cache that all sessions share is right for every other session too."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from vizkv import lecture
from vizkv.engine import engine
from vizkv.scenario.digest import digest_of
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import from_dict
from vizkv.ui.lecture import mode as lecture_ui
from vizkv.ui.player import runs
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import Moment, View

UI = Path(runs.__file__).parents[1]


@pytest.fixture(scope="module")
def honest():
    """A short run of the embedded model."""
    return engine.run(from_dict({
        "slots": 64, "max_model_len": 32, "systems": [{"kind": "paged", "block_size": 4}],
        "requests": [{"id": "A", "prompt": "Four score and seven", "output_tokens": 3}],
    }))  # fmt: skip


def altered(trace):
    """The same run with another first token, as somebody may have edited a saved file."""
    (system,) = trace.systems
    first, *others = system.tokens[0]
    return replace(trace, systems=(replace(system, tokens=((first + 1, *others),)),))


def run_of(trace, key):
    return runs.Run(trace, key, preset("readers-question"), "en")


@pytest.mark.parametrize("order", [("honest", "altered"), ("altered", "honest")])
def test_an_altered_trace_and_the_honest_run_each_keep_their_own_lamp(honest, order):
    runs._proof.cache_clear()
    traces = {"honest": honest, "altered": altered(honest)}
    lamps = {name: runs.proof(run_of(traces[name], name)).holds for name in order}
    assert lamps == {"honest": True, "altered": False}


def test_two_examples_of_one_run_keep_their_own_moments(honest):
    runs._packed.cache_clear()
    shown = []
    scenario = from_dict(honest.scenario)
    for example, step in zip(list_presets()[:2], (1, 2), strict=True):
        run = runs.Run(honest, digest_of(scenario), replace(example, scenario=scenario), "en")
        run._headline, run.chips = "the same for both", (Moment(step, "chip"),)
        shown.append(payload.unpack(payload.open_at(run.packed, View()))[1]["moments"])
    assert shown[0] != shown[1]


def _cached_functions():
    """(file, function, parameters, what its key is made of) of each function whose values all sessions share."""
    for file in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "kept.cached":
                    (key,) = [*decorator.args[1:], *(keyword.value for keyword in decorator.keywords)]
                    names = [argument.arg for argument in node.args.args]
                    yield file.name, node.name, names, ast.unparse(getattr(key, "body", key))


def test_a_shared_cache_that_leaves_a_trace_out_of_its_key_has_the_key_of_the_run_instead():
    found = list(_cached_functions())
    assert len(found) > 12
    for file, function, names, key in found:
        if {"trace", "moments"} & set(names):
            assert names[0] == "key" and re.search(r"\bkey\b", key), f"{file}: {function}({names}) by {key}"


def test_every_cache_of_the_pages_is_bounded_by_bytes():
    counted = re.compile(r"max_entries|LRUCache\(|TTLCache\(|lru_cache|cache_data")
    wrong = [f"{file.name}: {line}" for file in sorted(UI.rglob("*.py")) for line in file.read_text().splitlines()
             if counted.search(line) and "import" not in line]  # fmt: skip
    # of some hundred bytes each; files by their length; in a process that has a limit of its own
    allowed = ("runs.py: _ends", "ahead.py: _seen", "packed_files.py:         self._kept", "lane.py:         self._")
    assert [line for line in wrong if not line.startswith(allowed)] == []


def test_an_uploaded_script_has_a_name_that_nobody_can_make_another_script_for():
    text = b'title = "T"\n[[beats]]\ntitle = "B"\npage = "cost"\n'
    name = lecture_ui.keep(text)
    assert re.fullmatch("own-[0-9a-f]{32}", name)
    assert lecture_ui.find(name) == lecture.read(text)
