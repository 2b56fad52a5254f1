"""The Chinese face that comes with vizkv, for machines that have none: a subset of Noto Sans SC, regular and bold.

Made by ``python -m scripts.font``; under the SIL Open Font License (OFL.txt beside it). It is drawn with by the exports
(SVG to PNG and PDF), and served by the app to browsers of machines without a Chinese face.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent

# not "Noto Sans SC": a machine that has the whole face must not get this part of it by that name
FAMILY = "vizkv Sans SC"

# what text is set in, as CSS says it: Streamlit's face, then the machine's own Chinese one, then ours
STACK = f'"Source Sans", "PingFang SC", "Microsoft YaHei", "{FAMILY}", sans-serif'


def files() -> list[Path]:
    """The font files: regular, then bold."""
    return [FOLDER / "vizkv-sans-sc-regular.ttf", FOLDER / "vizkv-sans-sc-bold.ttf"]


def environment(cache: Path) -> dict[str, str]:
    """Environment variables with which programs that ask fontconfig (Chromium on Linux) know these files as well.

    ``cache`` is a folder that may be written to: the configuration and fontconfig's own cache lie there.
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
