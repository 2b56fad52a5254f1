"""The charts that a page shows now, as they are: what is drawn is what can be taken away as a file."""

from __future__ import annotations

from dataclasses import dataclass, field

import plotly.graph_objects as go
import streamlit as st

_NEW = "vizkv.charts"
# keys of charts -> the chart's name, where it is not the key
_NAMES = {
    "pressure-strips": "strips", "at-peak": "peak", "heat-kv": "vectors", "heat-attention": "attention",
    "whatif-over-time": "seconds", "sweep-picture": "sweep", "cache-picture": "cache", "cache-ledger": "ledger",
    "sweep-ledger": "over-time",
}  # fmt: skip


@dataclass
class Offer:
    """One chart. ``theme``: the page that it was made for."""

    figure: go.Figure
    alt: str
    theme: str


@dataclass
class _Shown:
    """What one run of a page's script, or its fragments since, have drawn and said."""

    charts: dict[str, Offer] = field(default_factory=dict)
    sentence: str = ""


class Offers:
    """The charts of a page; fragments that draw one anew replace it, and no script has to run for that."""

    def __init__(self, built: _Shown, since: _Shown):
        self._built, self._since = built, since

    def names(self) -> list[str]:
        """In the order of the page."""
        return list(dict.fromkeys([*self._built.charts, *self._since.charts]))

    def now(self, name: str) -> Offer:
        """A chart as it was drawn last."""
        return self._since.charts.get(name) or self._built.charts[name]

    @property
    def sentence(self) -> str:
        """What the page said last about its charts."""
        return self._since.sentence or self._built.sentence


def begin() -> None:
    """A page's script begins: what another page drew is forgotten, what its fragments drew since too."""
    st.session_state[_NEW] = _Shown()


def _shown() -> _Shown:
    shown: _Shown = st.session_state.setdefault(_NEW, _Shown())
    return shown


def offer(figure: go.Figure, alt: str, key: str) -> None:
    """The page draws this chart."""
    name = _NAMES.get(key) or ("cost" if key.startswith("cost-") else key)
    _shown().charts[name] = Offer(figure, alt, st.context.theme.type or "light")


def tell(sentence: str) -> None:
    """The page says this about its charts."""
    _shown().sentence = sentence


def settle() -> Offers:
    """The charts of the page that has just been built."""
    built, since = _shown(), _Shown()
    st.session_state[_NEW] = since
    return Offers(built, since)
