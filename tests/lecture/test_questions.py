"""Predict, then reveal: the run knows every answer. Each is checked against what is plain from the scenario itself."""

import json
from functools import cache

import pytest

from vizkv import lecture
from vizkv.engine import engine
from vizkv.lecture import questions, worksheet
from vizkv.lecture.script import Beat
from vizkv.messages.catalogue import messages
from vizkv.replay import at
from vizkv.scenario.presets import preset as example
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict
from vizkv.trace.slots import Code

SAY = messages("en")


@cache
def _run(text):
    return engine.run(from_dict(json.loads(text)), None)


def run(scenario):
    """Without the model: where tokens lie depends on their number only."""
    data = to_dict(scenario) | {"model": "none"}
    sizes = {"prompt": lambda text: {"prompt_tokens": len(text.split())}}
    for request in data["requests"]:
        for name, shorter in sizes.items():
            if name in request:
                request.update(shorter(request.pop(name)))
    return _run(json.dumps(data))


def asked(preset, page="memory", beat=None, **ask):
    beat = Beat.model_validate({"title": "T", "page": page, "preset": preset, **(beat or {}), "ask": [ask]})
    return questions.question(beat, 0, run(beat.scenario), SAY)


def test_a_slot_behind_the_end_is_reserved_while_its_request_runs():
    one = asked("readers-question-alone", beat={"step": 200, "lens": "online"}, kind="colour", slot=500)
    assert one.answer == "reserved"
    assert {choice.value for choice in one.choices} == {"used", "reserved", "internal", "external", "free"}


def test_it_is_internal_once_that_request_has_finished():
    beat = {"step": 200, "lens": "online"}
    one = asked("readers-question-alone", beat=beat, kind="colour", slot=500, request="A", finish=True)
    assert one.answer == "internal"
    assert int(one.words["step"]) > 200


def test_hindsight_names_it_so_from_the_beginning():
    assert (
        asked("readers-question-alone", beat={"step": 9, "lens": "hindsight"}, kind="colour", slot=500).answer
        == "internal"
    )


def test_the_rounding_of_514_to_a_multiple_of_3_wastes_two_slots():
    beat = {"step": 0, "lens": "hindsight"}
    assert asked("multiple-of-3", beat=beat, kind="count", category="internal", request="A", finish=True).answer == "2"


def test_what_needs_one_piece_is_refused_though_enough_is_free():
    one = asked("external-fragmentation", beat={"step": 10}, kind="fits", request="B", step=9)
    assert one.answer == "no"
    assert "960" in one.told and "448" in one.told


def test_with_blocks_the_same_request_fits():
    one = asked("external-fragmentation", beat={"step": 10}, kind="fits", request="B", step=9, system=1)
    assert one.answer == "yes"


def test_the_next_block_is_that_of_the_next_step_that_takes_one():
    one = asked("paper-figure-6", "paper", {"step": 2}, kind="next-block", request="A", step=0)
    assert (one.answer, one.pick) == ("3", "block")  # the third of the scripted queue 7, 1, 3


def test_a_click_answers_with_the_block_that_holds_the_slot():
    one = asked("paper-figure-6", "paper", {"step": 2}, kind="next-block", request="A", step=0)
    assert one.clicked(0, 3 * 4 + 2) == one.answer
    assert one.clicked(1, 14) == one.clicked(0, -1) == ""


def test_the_block_of_a_position_is_what_the_table_says():
    assert asked("paper-figure-6", "paper", {"step": 1}, kind="block-of", request="A", position=2).answer == "7"
    assert asked("paper-figure-6", "paper", {"step": 1}, kind="block-of", request="A", position=4).answer == "1"


def test_the_next_slot_is_in_the_last_block_while_that_has_room():
    one = asked("paper-figure-6", "paper", {"step": 1}, kind="next-slot", request="A", step=0)
    assert one.answer == str(1 * 4 + 3)  # the eighth token, in block 1


def test_the_answer_about_a_place_points_at_it():
    block = asked("paper-figure-6", "paper", {"step": 2}, kind="next-block", request="A", step=1)
    first = int(block.answer) * 4
    assert block.words["mark"] == f"0.{first}-{first + 3}"
    slot = asked("paper-figure-6", "paper", {"step": 1}, kind="next-slot", request="A", step=0)
    assert slot.words["mark"] == f"0.{slot.answer}-{slot.answer}"
    assert "mark" not in asked("paper-figure-8", "paper", {"step": 1}, kind="free-blocks", step=0).words


def test_slots_of_a_question_count_from_zero_and_it_says_which_one_that_is():
    step = 12  # the slots that are written lie at the beginning
    trace = run(example("readers-question-alone").scenario)
    written = int((at(trace.systems[0], trace.requests, step).codes() == Code.USED).sum())
    for slot, colour in ((written - 1, "used"), (written, "reserved")):
        one = asked("readers-question-alone", beat={"step": step, "lens": "online"}, kind="colour", slot=slot)
        assert one.answer == colour and one.words["mark"] == f"0.{slot}-{slot}"
    asked_ = asked("readers-question-alone", beat={"step": step}, kind="colour", slot=500)
    assert "slot 500 (the 501st)" in asked_.text


def test_a_copy_takes_one_block_where_two_write():
    one = asked("paper-figure-8", "paper", {"step": 1}, kind="free-blocks", step=0)
    assert one.answer == "6" and "7" in {choice.value for choice in one.choices}


def test_the_one_that_goes_is_the_one_that_came_last():
    assert asked("pressure", "pressure", {"step": 40}, kind="victim", step=8).answer == "E"


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"kind": "colour", "slot": 99_999}, "slot = 99999"),
        ({"kind": "fits", "request": "Z"}, "request = 'Z'"),
        ({"kind": "free-blocks"}, "has none"),
        ({"kind": "victim"}, "no answer"),
        ({"kind": "count", "category": "free", "at": 99_999}, "step 99999"),
        ({"kind": "colour", "slot": 1, "system": 9}, "system = 9"),
    ],
)
def test_a_question_without_an_answer_is_a_sentence(ask, says):
    with pytest.raises(ScenarioError, match=says):
        asked("readers-question-alone", beat={"step": 3}, **ask)


def test_the_answer_is_among_the_choices_and_is_shown_at_its_own_step():
    for number, beat in enumerate(lecture.default().beats, 1):
        for part in range(len(beat.ask)):
            if beat.ask[part].kind == "hit":  # which needs the words themselves
                continue
            one = questions.question(beat, part, run(beat.scenario), SAY)
            values = [choice.value for choice in one.choices]
            assert one.answer in values and len(set(values)) == len(values) > 1, number
            assert one.words["step"].isdecimal()


def test_the_worksheets_key_stands_behind_its_questions():
    script = lecture.read(
        'title = "T"\n[[beats]]\ntitle = "One"\npage = "memory"\npreset = "external-fragmentation"\nstep = 10\n'
        'ask = [{ kind = "fits", request = "B", step = 9 }, { kind = "colour", slot = 1 }]\n'
    )
    page = worksheet.page(script, run, SAY)
    questions_, key = page.split('<section class="key">')
    assert questions_.count("<img") == 2 and questions_.count("<ol>") == 2
    assert "448" not in questions_.split("base64")[0] and "448" in key
    assert "<script" not in page and "http" not in page.replace("http://www.w3.org", "")
