""".streamlit/config.toml says only what Streamlit still listens to."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import streamlit
from streamlit import config

from scripts import font
from tests.house.project import ROOT
from vizkv import fonts


def options(table: dict, section: str = "") -> dict:
    """{"theme.light.primaryColor": "#...", ...}."""
    flat = {}
    for key, value in table.items():
        name = f"{section}.{key}" if section else key
        flat |= options(value, name) if isinstance(value, dict) else {name: value}
    return flat


GIVEN = options(tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", GIVEN)
def test_the_option_exists(name):
    assert name in config.get_config_options()


def test_no_full_garbage_collection_follows_a_click():
    assert GIVEN["runner.postScriptGC"] is False


def test_a_student_never_sees_a_traceback():
    assert GIVEN["client.showErrorDetails"] == "none"


def test_nothing_is_asked_of_the_network():
    assert GIVEN["browser.gatherUsageStats"] is False
    assert GIVEN["browser.serverAddress"], "without it Streamlit asks the internet for this machine's address"
    assert not [value for value in GIVEN.values() if "//" in str(value)]


def test_the_text_face_comes_with_streamlit_and_the_chinese_one_with_us():
    assert GIVEN["theme.font"] == fonts.STACK
    assert GIVEN["theme.codeFont"] == fonts.CODE_STACK
    media = Path(streamlit.__file__).parent / "static/static/media"
    assert list(media.glob("SourceSans*Upright*"))
    faces = GIVEN["theme.fontFaces"]
    files = [*fonts.files(), fonts.in_english_file()]
    assert [face["url"] for face in faces] == [f"app/static/{file.name}" for file in files]
    assert {face["family"] for face in faces} == {fonts.FAMILY}
    assert all((ROOT / "static" / file.name).is_file() for file in files), "static/ leads to vizkv/fonts"


def test_the_small_face_is_asked_for_exactly_the_chinese_of_an_english_page():
    small = GIVEN["theme.fontFaces"][-1]
    assert small["unicodeRange"] == ", ".join(f"U+{ord(letter):X}" for letter in sorted(font.in_english()))
    assert small["weight"] == GIVEN["theme.fontFaces"][0]["weight"], "faces of one weight complete each other"
