"""Page-wide corrections: projector mode, and what screen readers and the keyboard need."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from vizkv.ui import link
from vizkv.views.charts import projector as afar

_SCRIPTS = [
    Path(__file__).with_name(f"{name}.js") for name in ("page", "chart_keys", "table_keys", "drawer_width", "mend")
]
_PROJECTOR = Path(__file__).with_name("projector.css")
LARGEST_PX = 30  # the largest font size in projector mode, as in projector.css
_CHART_PX = 15  # the font size of charts without projector mode


def apply() -> None:
    """Put scripts and, in projector mode, styles on the page.

    Components read the CSS property ``--vizkv-room``: properties are inherited into their shadow roots.
    """
    # in braces: the script runs again when the language changes, and would declare its constants twice
    say = link.say()
    keys = {
        "keys": say("chart.keys"), "zoom": say("chart.keys.zoom"), "pick": say("chart.keys.pick"),
        "table": say("table.keys"), "tableEdit": say("table.keys.edit"), "edge": say("drawer.edge"),
        "up": say("table.sorted.up"), "down": say("table.sorted.down"), "plain": say("table.sorted.plain"),
    }  # fmt: skip
    told = f"window.vizkvKeys = {json.dumps(keys, ensure_ascii=False)};\n"
    mends = "\n".join(script.read_text(encoding="utf-8") for script in _SCRIPTS)
    st.html(f"<script>{{{told}{mends}}}</script>", unsafe_allow_javascript=True)
    if link.session().projector:
        st.html(_PROJECTOR)


def projector() -> bool:
    """Return whether the page is in projector mode."""
    return link.session().projector


def larger() -> float:
    """Return the factor by which a chart's projector font has to grow to match the page's font size."""
    return max(1.0, link.session().type_px / (_CHART_PX * afar.TYPE))


def phone() -> bool:
    """Return whether the browser is a phone's by its user agent; figures are made before the page's width is known."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
