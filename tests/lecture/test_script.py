"""A lecturer's script: the one that comes with the app holds together, and a bad one is refused in a sentence."""

import tomllib

import pytest

from vizkv import lecture
from vizkv.lecture import script
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import pages

GOOD = '[[beats]]\ntitle = "One"\npage = "memory"\npreset = "figure-3"\n'


def written(**fields):
    """A script of one beat as a file, with fields of its own."""
    lines = "".join(f"{name} = {value}\n" for name, value in fields.items())
    return f'title = "T"\n{GOOD}{lines}'


def complaint(text):
    with pytest.raises(ScenarioError) as refused:
        lecture.read(text)
    return str(refused.value)


def test_the_script_that_comes_with_the_app_has_sixteen_beats_in_both_languages():
    default = lecture.default()
    assert len(default.beats) == 16
    for beat in default.beats:
        assert beat.title.en and beat.title.zh and beat.notes.en and beat.notes.zh
        assert beat.title.en != beat.title.zh


def test_a_script_may_name_every_page_that_shows_something_and_no_other():
    assert set(script.Page.__args__) == set(pages.PAGES) - {"lecture"}


def test_the_pages_without_presets_are_those_that_have_none():
    with_presets = {preset.page for preset in list_presets()}
    assert set(script.WITHOUT_PRESETS) == set(script.Page.__args__) - with_presets


def test_a_beats_words_are_those_of_a_link_to_it():
    (beat,) = lecture.read(written(step=3, lens='"online"', lit='"free"', more='{ at = "0:1:" }')).beats
    assert beat.words() == {"preset": "figure-3", "step": "3", "lens": "online", "lit": "free", "at": "0:1:"}


def test_a_change_of_the_scenario_goes_into_the_words():
    (beat,) = lecture.read(written(change="{ slots = 8192 }")).beats
    assert beat.scenario.slots == 8192
    assert beat.words()["s"]


def test_a_text_in_one_language_is_shown_in_both():
    (beat,) = lecture.read(written(notes='{ zh = "备注" }')).beats
    assert (beat.title.of("zh"), beat.notes.of("en")) == ("One", "备注")


def test_a_script_written_on_windows_is_read():
    assert lecture.read(("\ufeff" + written()).replace("\n", "\r\n").encode()).beats[0].preset == "figure-3"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = ", "not valid TOML"),
        (b"\xff\xfe", "UTF-8"),
        ('title = "T"\nbeats = []\n', "beats is []"),
        ('beats = [{title="a", page="cost"}]', "title is missing"),
        (written(paeg='"memory"'), "did you mean page"),
        (written(lens='"hindsigt"'), "'online' or 'hindsight'"),
        (written().replace("figure-3", "figure-33"), "preset = 'figure-33'"),
        (written().replace('"memory"', '"pressure"'), "valid on the page pressure"),
        (written(step=-1), "beats[0].step is -1"),
        (written(notes=5), "beats[0].notes is 5"),
        (written(change="{ slots = 0 }"), "slots is 0"),
        (written(change="{ slots = 8192 }", s='"1abc"'), "both change and s"),
        (written(ask='[{ kind = "colour" }]'), "slot is missing"),
        (written(ask='[{ kind = "color", slot = 1 }]'), "ask[0].kind is 'color'"),
        (written(ask='[{ kind = "colour", slot = 1, finish = true }]'), "the one that finishes"),
        ('title="T"\nbeats=[{title="a", page="cost", preset="figure-3"}]', "the page cost runs none"),
        ('title="T"\nbeats=[{title="a", page="whatif", preset="figure-2", ask=[{kind="victim"}]}]', "step by step"),
        ("#" * (script.MAX_SCRIPT + 1), "at most"),
    ],
    ids=lambda value: None,
)
def test_a_bad_script_is_refused_in_one_sentence(text, says):
    said = complaint(text)
    assert says in said
    assert said.endswith(".") and "\n" not in said


def test_a_script_of_thousands_of_beats_is_not_quoted_in_its_refusal():
    text = 'title = "T"\n' + '[[beats]]\ntitle = "a"\npage = "cost"\n' * 3000
    assert complaint(text) == "The field beats is a list of 3000 items; valid is a list of 1 to 60 tables."


def test_the_fields_that_the_scripts_head_explains_are_those_it_has():
    text = (script.FOLDER / "lecture.toml").read_text(encoding="utf-8")
    head = text[: text.index("\ntitle")]
    missing = [name for name in (*script.Beat.model_fields, *script.Ask.model_fields) if name not in head]
    assert not [name for name in missing if name != "kind"]
    assert tomllib.loads(text)
