"""Start the app with its first screen already computed: ``python -m vizkv.ui.serve app.py [streamlit options]``.

torch takes seconds to import, and the first visitor of a lecture is all 200 of them. What is computed here lies in the
same caches that the pages read.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from vizkv.scenario import ScenarioError
from vizkv.ui import classroom, lane_workers, link, runs
from vizkv.ui.packed_files import PackedFiles

_SWITCHES = {"true": True, "false": False}


def warm_up() -> None:
    """Load the model of the first preset and run it. A failure is left for the page to tell."""
    # Streamlit imports it for the first table that anybody sees, and answers nobody meanwhile
    importlib.import_module("pandas")
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


def options_of(words: Sequence[str]) -> dict[str, str | int | bool]:
    """Streamlit's options as on its own command line: ``--server.port 8501`` or ``--server.port=8501``."""
    found: dict[str, str | int | bool] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not name.startswith("--"):
            raise SystemExit(f"{word!r} is no option; valid is --section.option value, as `streamlit run` has them")
        value = value if equals else next(rest, "")
        found[name[2:]] = int(value) if value.isdecimal() else _SWITCHES.get(value.lower(), value)
    return found


def main(script: str, *options: str) -> None:
    """Serve the app, and beside it the web socket of classes, in one process."""
    only_our_pages()
    lane_workers.warm_up()
    warm_up()
    # all that has been imported stays: while it is looked through for what has gone, nobody is answered
    gc.collect()
    gc.freeze()
    classroom.served = True
    sys.argv = [str(Path(script).resolve())]  # Streamlit looks for its settings beside it
    App(script, routes=classroom.routes(), middleware=[Middleware(PackedFiles)]).run(config=options_of(options))


if __name__ == "__main__":
    main(*sys.argv[1:])
