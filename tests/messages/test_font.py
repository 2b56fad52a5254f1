"""The Chinese face that comes with vizkv has every character that vizkv writes."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from scripts import font
from vizkv import fonts
from vizkv.fonts import glyphs

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


def test_the_small_face_has_the_chinese_of_an_english_page_and_is_small():
    face = TTFont(fonts.in_english_file())
    assert font.in_english()
    assert {ord(letter) for letter in font.in_english()} == set(face.getBestCmap())
    assert face["name"].getDebugName(1) != fonts.FAMILY, "a machine must not take it for the whole face"
    assert fonts.in_english_file().stat().st_size < 4_000


@pytest.mark.parametrize("file", fonts.latin_files(), ids=lambda file: file.stem)
def test_the_latin_face_has_every_character_of_an_english_text(file):
    face = TTFont(file)
    text = (font.ROOT / "vizkv/messages/en.po").read_text(encoding="utf-8")
    assert {c for c in text if c.isprintable() and ord(c) not in face.getBestCmap()} == font.in_english()
    assert face["name"].getDebugName(1) == fonts.LATIN_FAMILY
    assert not [feature for table in ("GPOS", "kern") if table in face for feature in features(face, table)], "kerning"
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL-latin.txt").read_text(encoding="utf-8")
    assert file.stat().st_size < 60_000


def features(face, table):
    return face[table].table.FeatureList.FeatureRecord if table == "GPOS" else face[table].kernTables


def test_letters_are_as_wide_as_the_faces_say_and_each_helps_out_the_other():
    latin, chinese = TTFont(fonts.latin_files()[0]), TTFont(fonts.files()[0])
    for letter, is_chinese, face in (
        ("m", False, latin),
        ("m", True, chinese),
        ("ⁿ", True, latin),
        ("①", False, chinese),
    ):
        wide = face["hmtx"][face.getBestCmap()[ord(letter)]][0]
        assert glyphs.width(letter, False, is_chinese) == glyphs.glyph(letter, False, is_chinese).width == wide
    assert glyphs.glyph("\U00020000", False, True) is None


def test_the_font_has_the_name_that_style_sheets_use(face):
    assert face["name"].getDebugName(1) == fonts.FAMILY


def test_the_licence_lies_beside_the_font_and_both_files_are_small(face):
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "Open Font License" in face["name"].getDebugName(13)
    assert "Source" not in fonts.FAMILY + fonts.LATIN_FAMILY, "a reserved font name"
    assert sum(file.stat().st_size for file in fonts.files()) < BUDGET
