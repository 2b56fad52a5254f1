"""The typefaces that come with vizkv, regular and bold: subsets of Noto Sans SC and of Source Sans 3.

``python -m scripts.font`` builds them; the SIL Open Font License applies (OFL.txt, OFL-latin.txt). Exports draw with
both, so that a picture is the same on every machine: see :mod:`vizkv.fonts.glyphs`. The app serves the Chinese face to
browsers on machines that have none; the Latin face of its pages comes with Streamlit.
"""

from __future__ import annotations

import base64
import io
import os
import re
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
_CHINESE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")

# not "Noto Sans SC": this subset must not replace an installed copy of the whole face
FAMILY = "vizkv Sans SC"
LATIN_FAMILY = "vizkv Sans"  # Source Sans 3; its licence reserves that name
# the file with the few characters that an English page needs; a style sheet gives it the name of the whole face
FAMILY_IN_ENGLISH = "vizkv Sans SC Few"

# values of CSS font-family: Streamlit's face, then an installed Chinese one, then ours
STACK = f'"Source Sans", "PingFang SC", "Microsoft YaHei", "{FAMILY}", sans-serif'
CODE_STACK = f'"Source Code Pro", "PingFang SC", "Microsoft YaHei", "{FAMILY}", monospace'


def files() -> list[Path]:
    """Return the files of the Chinese face: regular, then bold."""
    return [FOLDER / "vizkv-sans-sc-regular.ttf", FOLDER / "vizkv-sans-sc-bold.ttf"]


def latin_files() -> list[Path]:
    """Return the files of the Latin face: regular, then bold."""
    return [FOLDER / "vizkv-sans-regular.ttf", FOLDER / "vizkv-sans-bold.ttf"]


def in_english_file() -> Path:
    """Return the file with the few Chinese characters that English pages need."""
    return FOLDER / "vizkv-sans-sc-few.ttf"


def css(text: str) -> str:
    """Return @font-face rules that embed the Chinese characters of a text; "" for a text without any."""
    letters = "".join(sorted(set(_CHINESE.findall(text))))
    if not letters:
        return ""
    return "\n".join(
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; unicode-range: U+2E80-9FFF, U+FF00-FFEF; '
        f"src: url(data:font/woff;base64,{base64.b64encode(_cut(at, letters)).decode()}) }}"
        for at, weight in enumerate(("400", "600 900"))
    )


@lru_cache(8)
def _cut(at: int, letters: str) -> bytes:
    """Return the regular (0) or bold (1) Chinese face as WOFF, reduced to the characters of ``letters``."""
    from fontTools import subset

    options = subset.Options(layout_features=[], flavor="woff")
    face = subset.load_font(files()[at], options)
    cutter = subset.Subsetter(options)
    cutter.populate(text=letters)
    cutter.subset(face)
    out = io.BytesIO()
    subset.save_font(face, out, options)
    return out.getvalue()


def environment(cache: Path) -> dict[str, str]:
    """Return environment variables that let programs using fontconfig (Chromium on Linux) find these faces.

    ``cache``: a writable directory for the configuration and fontconfig's own cache.
    """
    system = os.environ.get("FONTCONFIG_FILE") or "/etc/fonts/fonts.conf"
    config = cache / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n'
        f'  <include ignore_missing="yes">{system}</include>\n  <dir>{FOLDER}</dir>\n'
        f"  <cachedir>{cache / 'fontconfig'}</cachedir>\n"
        "  <!-- a text marked as Chinese takes this face first, so that pictures are the same on every machine -->\n"
        '  <match target="pattern"><test name="lang" compare="contains"><string>zh</string></test>\n'
        '    <test qual="any" name="family"><string>sans-serif</string></test>\n'
        f'    <edit name="family" mode="prepend" binding="strong"><string>{FAMILY}</string></edit></match>\n'
        "</fontconfig>\n",
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(config)}
