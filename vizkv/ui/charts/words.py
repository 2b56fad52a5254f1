"""Plotly's own words and number format, in the page's language."""

from __future__ import annotations

from typing import Any

from vizkv.messages.catalogue import DEFAULT, Messages


def config(say: Messages) -> dict[str, Any]:
    """Return the ``config`` of a chart: no toolbar, and our translation, as Streamlit's Plotly has English only."""
    plain: dict[str, Any] = {"displayModeBar": False}
    if say.language == DEFAULT:
        return plain
    words = {
        "Double-click to zoom back out": say("plotly.back"),
        "Double-click on legend to isolate one trace": say("plotly.isolate"),
        "trace": say("plotly.trace"),
    }
    symbols = say.locale.number_symbols["latn"]
    numbers = {"decimal": symbols["decimal"], "thousands": symbols["group"], "grouping": [3]}
    return plain | {"locale": say.language, "locales": {say.language: {"dictionary": words, "format": numbers}}}
