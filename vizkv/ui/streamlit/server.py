"""What the server process changes in Streamlit before it serves the app."""

from __future__ import annotations

import logging

from streamlit.runtime.pages_manager import PagesManager

# the logger that warns about a cached function that is called outside a session
CACHE_LOGGER = "streamlit.runtime.scriptrunner_utils.script_run_context"


def ignore_the_pages_folder() -> None:
    """Stop Streamlit from serving each file of ``pages/`` as a page of its own.

    Until the first run of ``st.navigation`` Streamlit takes the folder for its older kind of multipage app: a first
    visitor whose link names a page would get that file without ``app.py``, its navigation bar and its style.
    """
    PagesManager.uses_pages_directory = False


def allow_caches_outside_a_session() -> None:
    """Silence the warning for cached functions that run before the first session; they work."""
    logging.getLogger(CACHE_LOGGER).setLevel(logging.ERROR)
