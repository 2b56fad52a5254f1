"""The charts that a page shows now: an exported chart is exactly the one on the page."""

from __future__ import annotations

from dataclasses import dataclass, field

import plotly.graph_objects as go
import streamlit as st

from vizkv.ui import store

_NEW = "vizkv.charts"
# Streamlit key -> name of the chart, where they differ
_NAMES = {
    "pressure-strips": "strips", "at-peak": "peak", "heat-kv": "vectors", "heat-attention": "attention",
    "whatif-over-time": "seconds", "sweep-picture": "sweep", "cache-picture": "cache", "cache-ledger": "ledger",
    "sweep-ledger": "over-time",
}  # fmt: skip


@dataclass
class Offer:
    """One chart. ``theme``: the theme of the page for which it was drawn."""

    figure: go.Figure
    alt: str
    theme: str


@dataclass
class _Shown:
    """What one run of a page's script, or its fragments since then, have drawn and said."""

    charts: dict[str, Offer] = field(default_factory=dict)
    sentence: str = ""


class Offers:
    """The charts of a page. A fragment that redraws a chart replaces it here, without a run of the page's script."""

    def __init__(self, built: _Shown, since: _Shown):
        self._built, self._since = built, since

    def names(self) -> list[str]:
        """Return the charts' names, in the order of the page."""
        return list(dict.fromkeys([*self._built.charts, *self._since.charts]))

    def now(self, name: str) -> Offer:
        """Return a chart as it was drawn last."""
        return self._since.charts.get(name) or self._built.charts[name]

    @property
    def sentence(self) -> str:
        """Return the last sentence of the page about its charts."""
        return self._since.sentence or self._built.sentence


def begin() -> None:
    """Forget all charts of the previous page and its fragments. Call it when a page's script begins."""
    store.put(_NEW, _Shown())


def _shown() -> _Shown:
    shown: _Shown = store.first(_NEW, _Shown())
    return shown


def offer(figure: go.Figure, alt: str, key: str) -> None:
    """Record that the page draws this chart."""
    name = _NAMES.get(key) or ("cost" if key.startswith("cost-") else key)
    _shown().charts[name] = Offer(figure, alt, st.context.theme.type or "light")


def tell(sentence: str) -> None:
    """Record a sentence of the page about its charts."""
    _shown().sentence = sentence


def settle() -> Offers:
    """Return the charts of the page. Call it when the page's script has drawn all of them."""
    built, since = _shown(), _Shown()
    store.put(_NEW, since)
    return Offers(built, since)
