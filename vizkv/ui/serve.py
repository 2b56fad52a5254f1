"""Start the app with its first screen already computed: ``python -m vizkv.ui.serve app.py [streamlit options]``.

torch takes seconds to import, and the first visitor of a lecture is all 200 of them. What is computed here lies in the
same caches that the pages read.
"""

from __future__ import annotations

import logging
import sys

from streamlit.web import cli

from vizkv.scenario import ScenarioError
from vizkv.ui import link, runs


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


if __name__ == "__main__":
    warm_up()
    cli.main(["run", *sys.argv[1:]])
