"""The type of a place on the page that ``st.container``, ``st.columns`` and ``st.empty`` return."""

from streamlit.delta_generator import DeltaGenerator as Place

__all__ = ["Place"]
