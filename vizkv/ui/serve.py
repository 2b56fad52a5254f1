"""Start the app with its first screen already computed: ``python -m vizkv.ui.serve app.py [streamlit options]``.

torch takes seconds to import, and the first visitor of a lecture is all 200 of them. What is computed here lies in the
same caches that the pages read.
"""

from __future__ import annotations

import logging
import sys

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from vizkv.scenario import ScenarioError
from vizkv.ui import lane_workers, link, runs


def warm_up() -> None:
    """Load the model of the first preset and run it. A failure is left for the page to tell."""
    preset = next(iter(link.presets().values()))
    # outside a session Streamlit's caches work, and say so in a warning each time
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)
    try:
        trace = runs.trace(preset.scenario)
    except ScenarioError:
        return
    runs.Run(trace, runs.code_of(preset.scenario), preset, link.Open.language)


def only_our_pages() -> None:
    """Streamlit takes a folder "pages" beside app.py for its older kind of pages until the first visitor has met
    st.navigation: a first visitor whose link leads to a page would get it without app.py, its bar and its style.
    """
    PagesManager.uses_pages_directory = False


if __name__ == "__main__":
    only_our_pages()
    lane_workers.warm_up()
    warm_up()
    cli.main(["run", *sys.argv[1:]])
