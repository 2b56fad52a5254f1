"""What else a Chinese session would show in English: sources, lists, sentences in a row, Streamlit's longer texts."""

import re

import pytest

from vizkv.messages.catalogue import messages
from vizkv.scenario.hardware import CARD_TYPES, MODELS
from vizkv.scenario.schema import LENGTH_SETS, ScenarioError
from vizkv.sweeps import parse_axis
from vizkv.workload import source_of

ZH = messages("zh")
# words of a source that are a place, a product or a title
NAMES = r"[\w./@:-]*[/@:._-][\w./@:-]*|OPT|README|FP8|MIT|CC-BY|Splitwise|ISCA|nvidia|datasets|data|config|FAST|null"


def english(said: str) -> list[str]:
    """Words that are neither names nor Chinese."""
    return re.findall(r"[A-Za-z]{2,}", re.sub(NAMES, " ", said))


@pytest.mark.parametrize("name", LENGTH_SETS)
def test_source_and_licence_of_a_data_set_are_chinese_where_they_are_a_sentence(name):
    source = source_of(name)
    for text in (source.source, source.licence):
        assert messages().error(text) == str(text)
        assert english(ZH.error(text)) == []


def test_sources_of_models_and_cards_are_chinese_where_they_are_a_sentence():
    for one in (*MODELS.values(), *CARD_TYPES.values()):
        assert english(ZH.error(one.source)) == [], one.source


@pytest.mark.parametrize("word", ["block_size=x", "watermark=x", "prefix_caching=x", "reserve=x", "block_size=8..4"])
def test_what_an_axis_takes_is_said_in_chinese(word):
    with pytest.raises(ScenarioError) as caught:
        parse_axis(word)
    said = re.sub(r"'[^']*'", "", ZH.error(caught.value)).replace(word.split("=")[0], "")
    assert set(re.findall(r"[A-Za-z]{2,}", said)) <= {"true", "false", "from", "to", "step", "factor"}


def test_behind_a_full_width_mark_there_is_no_space():
    assert ZH.sentences("一。", "", "二。") == "一。二。"
    assert messages().sentences("One.", "Two.") == "One. Two."
    assert ZH.sentences("**10** KiB", "二") == "**10** KiB 二"
