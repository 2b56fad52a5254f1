"""The Chinese face that comes with vizkv has every character that vizkv writes."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from scripts import font
from vizkv import fonts

# raised digits that Noto Sans SC does not have; Source Sans does, which stands before it in every text
ELSEWHERE = set("⁰⁹ⁿ")
BUDGET = 2_500_000  # bytes of both files


@pytest.fixture(scope="module", params=fonts.files(), ids=lambda file: file.stem)
def face(request: pytest.FixtureRequest) -> TTFont:
    return TTFont(request.param, lazy=True)


def test_every_character_of_our_texts_is_in_the_font(face):
    missing = {c for c in font.spoken() if ord(c) not in face.getBestCmap()} - ELSEWHERE
    assert not missing, f"python -m scripts.font makes a font with {''.join(sorted(missing))}"


def test_the_characters_of_written_chinese_are_in_the_font_for_texts_of_ones_own(face):
    level_one = font.level_one()
    assert len(level_one) == 3755
    assert {ord(c) for c in level_one} <= face.getBestCmap().keys()


def test_the_font_has_the_name_that_style_sheets_use(face):
    assert face["name"].getDebugName(1) == fonts.FAMILY


def test_the_licence_lies_beside_the_font_and_both_files_are_small(face):
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "Open Font License" in face["name"].getDebugName(13)
    assert "Source" not in fonts.FAMILY, "a reserved font name"
    assert sum(file.stat().st_size for file in fonts.files()) < BUDGET
