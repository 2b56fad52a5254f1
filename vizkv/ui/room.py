"""The room that a page is shown in: a projector's type and contrast, and what a screen reader and the keyboard need."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from vizkv.ui import link, streamlit_words
from vizkv.views import afar

_SCRIPTS = [Path(__file__).with_name(f"{name}.js") for name in ("chart_keys", "table_keys", "drawer_width", "mend")]
_PROJECTOR = Path(__file__).with_name("projector.css")
LARGEST_PX = 30  # of a projector's words: projector.css
_CHART_PX = 15  # of a chart's words, near


def apply() -> None:
    """For every page. The player and the bars read ``--vizkv-room``: a property reaches into every component."""
    # a block of its own: the script runs again in another language, and names its constants again
    say = link.say()
    keys = {
        "keys": say("chart.keys"), "zoom": say("chart.keys.zoom"), "pick": say("chart.keys.pick"),
        "table": say("table.keys"), "tableEdit": say("table.keys.edit"), "edge": say("drawer.edge"),
        "up": say("table.sorted.up"), "down": say("table.sorted.down"), "plain": say("table.sorted.plain"),
    }  # fmt: skip
    told = f"window.vizkvKeys = {json.dumps(keys, ensure_ascii=False)};\n"
    mends = "\n".join(script.read_text(encoding="utf-8") for script in _SCRIPTS)
    st.html(f"<script>{{{told}{mends}{streamlit_words.script(say)}}}</script>", unsafe_allow_javascript=True)
    if link.session().projector:
        st.html(_PROJECTOR)


def projector() -> bool:
    """Whether the page is shown on a projector."""
    return link.session().projector


def larger() -> float:
    """How many times as large as on a small projector a chart's words have to be to be as large as the page's."""
    return max(1.0, link.session().type_px / (_CHART_PX * afar.TYPE))


def phone() -> bool:
    """Whether the browser says that it is a phone's: a figure is made before anybody knows how wide the page is."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
