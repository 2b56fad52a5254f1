"""An SVG drawing inside the page: its text uses the page's fonts, which an image file cannot access."""

from __future__ import annotations

from typing import Any

import streamlit as st

_CSS = """
div { overflow-x: auto; contain: inline-size; }
svg { display: block; width: 100%; min-width: 54rem; height: auto; }
"""
_JS = """
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector("div");
  if (place.dataset.drawn === data) return;
  place.dataset.drawn = data;
  place.innerHTML = data;
  place.tabIndex = 0; // on a phone it scrolls
  place.style.cssText = "overflow-x: auto; contain: inline-size;";
  place.firstElementChild.style.cssText = "display: block; width: 100%; min-width: 54rem; height: auto;";
}
"""


@st.cache_resource
def _component() -> Any:
    """Return the component, registered once per server process: registering again would remount every open page."""
    return st.components.v2.component(
        "vizkv_drawing",
        html='<div tabindex="0" role="group"></div>',  # scrolls on a phone
        css=_CSS,
        js=_JS,
    )


def show(svg: str, key: str) -> None:
    """Draw the picture. ``svg`` is our own markup, with all foreign text escaped."""
    _component()(data=svg, key=key)
