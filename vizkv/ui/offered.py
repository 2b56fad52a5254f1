"""The charts that a page shows now, as they are: what is drawn is what can be taken away as a file."""

from __future__ import annotations

from dataclasses import dataclass

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


class Offers:
    """The charts of a page; fragments that draw one anew replace it, and no script has to run for that."""

    def __init__(self, built: dict[str, Offer], since: dict[str, Offer]):
        self._built, self._since = built, since

    def names(self) -> list[str]:
        """In the order of the page."""
        return list(dict.fromkeys([*self._built, *self._since]))

    def now(self, name: str) -> Offer:
        """A chart as it was drawn last."""
        return self._since.get(name) or self._built[name]


def offer(figure: go.Figure, alt: str, key: str) -> None:
    """The page draws this chart."""
    name = _NAMES.get(key) or ("cost" if key.startswith("cost-") else key)
    st.session_state.setdefault(_NEW, {})[name] = Offer(figure, alt, st.context.theme.type or "light")


def settle() -> Offers:
    """The charts of the page that has just been built; those of the page before are forgotten."""
    built: dict[str, Offer] = st.session_state.get(_NEW, {})
    since: dict[str, Offer] = {}
    st.session_state[_NEW] = since
    return Offers(built, since)
