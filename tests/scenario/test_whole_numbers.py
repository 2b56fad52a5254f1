"""100.0 is the whole number 100, in a scenario's fields and as a word of a command; 100.5 and true are none."""

import json
from pathlib import Path

import pytest

from vizkv import cli, lecture
from vizkv.scenario.presets import list_presets
from vizkv.scenario.requests import read_whole
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict, to_toml
from vizkv.sweeps import parse_axis

FIGURE_3 = Path(cli.__file__).parents[1] / "scenario" / "presets" / "figure-3.toml"
PRESETS = {preset.id: preset.scenario for preset in list_presets()}


def as_floats(value):
    """The same with every whole number as a float."""
    if isinstance(value, dict):
        return {name: as_floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_floats(one) for one in value]
    return float(value) if type(value) is int else value


@pytest.mark.parametrize("name", PRESETS)
def test_a_scenario_whose_whole_numbers_have_a_point_is_the_same(name):
    data = to_dict(PRESETS[name])
    assert from_dict(as_floats(data)) == PRESETS[name]
    assert to_toml(from_dict(as_floats(data))) == to_toml(PRESETS[name])


@pytest.mark.parametrize("value", [4.5, True, "4", float("inf"), 1e300])
@pytest.mark.parametrize("field", ["slots", "prompt_tokens", "prompt_token_ids", "block_size"])
def test_what_is_no_whole_number_is_still_refused(field, value):
    data = {"slots": 64, "systems": [{"kind": "paged"}], "requests": [{"prompt_tokens": 3, "output_tokens": 2}]}
    if field == "slots":
        data["slots"] = value
    elif field == "block_size":
        data["systems"][0]["block_size"] = value
    else:
        del data["requests"][0]["prompt_tokens"]
        data["requests"][0][field] = [1, value] if field == "prompt_token_ids" else value
    with pytest.raises(ScenarioError, match=field):
        from_dict(data)


def test_a_script_s_step_may_have_a_point():
    text = 'title = "T"\n[[beats]]\ntitle = "a"\npage = "memory"\npreset = "figure-3"\nstep = 3.0\nfocus = 0.0\n'
    beat = lecture.read(text).beats[0]
    assert (beat.step, beat.focus, type(beat.step)) == (3, 0, int)


def test_an_axis_of_whole_numbers_may_have_points():
    assert parse_axis("block_size=8.0,16.,32") == parse_axis("block_size=8,16,32")
    assert parse_axis("slots=64.0..256.0:64.0") == parse_axis("slots=64..256:64")
    with pytest.raises(ScenarioError, match=r"8\.5"):
        parse_axis("block_size=8.5")


@pytest.mark.parametrize("text", ["7", "7.", "7.0", "7.000", " 7 ", "+7"])
def test_a_word_with_nothing_behind_its_point_is_whole(text):
    assert read_whole(text) == 7


@pytest.mark.parametrize("text", ["", ".", ".0", "7.5", "7.0.0", "7,0", "7e0", "0x7", "7.0x", "x"])
def test_any_other_word_is_not(text):
    with pytest.raises(ValueError, match=r"^"):
        read_whole(text)


def test_a_command_s_numbers_may_have_a_point(capsys, tmp_path):
    def printed(*words):
        assert cli.main([*map(str, words)]) == 0
        return capsys.readouterr().out

    some = printed("run", FIGURE_3, "--json", "--steps", "2.0:3.0")
    assert some == printed("run", FIGURE_3, "--json", "--steps", "2:3")
    assert [json.loads(line)["step"] for line in some.splitlines()[:-1]] == [2, 3]
    sweep = ("sweep", FIGURE_3, "--vary", "max_num_seqs=1", "--seeds")
    assert printed(*sweep, "1.0", "--jobs", "1.0") == printed(*sweep, "1", "--jobs", "1")
    for number in ("3", "3.0"):
        printed("export", FIGURE_3, "--step", number, "--width", "800.0", "-o", tmp_path / f"{number}.svg")
    assert (tmp_path / "3.svg").read_bytes() == (tmp_path / "3.0.svg").read_bytes()
