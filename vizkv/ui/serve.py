"""Start the app with its first screen already computed: ``python -m vizkv.ui.serve app.py [streamlit options]``.

Importing torch takes seconds, and in a lecture 200 visitors open the first page at the same time. The results go into
the same caches that the pages read.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from vizkv.classes.server import Front, Rooms, allow_sockets
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link
from vizkv.ui.frame import classroom
from vizkv.ui.player import runs
from vizkv.ui.streamlit import page_turns, server
from vizkv.ui.streamlit.packed_files import PackedFiles
from vizkv.ui.whatif import lane_workers

_SWITCHES = {"true": True, "false": False}


def warm_up() -> None:
    """Load the model of the first preset and run it. If this fails, the page will show the error."""
    # Streamlit imports pandas for the first table that is shown and answers no request meanwhile
    importlib.import_module("pandas")
    preset = next(iter(link.presets().values()))
    server.allow_caches_outside_a_session()
    try:
        trace = runs.trace(preset.scenario)
    except ScenarioError:
        return
    runs.Run(trace, digest_of(preset.scenario), preset, link.Open.language)


def options_of(words: Sequence[str]) -> dict[str, str | int | bool]:
    """Parse Streamlit's options as on its own command line: ``--server.port 8501`` or ``--server.port=8501``."""
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
    """Serve the app and the web socket of the classes in one process."""
    server.ignore_the_pages_folder()
    page_turns.pass_over_late_requests()
    lane_workers.warm_up()
    warm_up()
    # the imported modules stay for ever: exclude them from garbage collection, which blocks all requests
    gc.collect()
    gc.freeze()
    classroom.served = True
    sys.argv = [str(Path(script).resolve())]  # Streamlit looks for its configuration beside the script
    allow_sockets()
    config = options_of(options)
    base = str(config.get("server.baseUrlPath", st.get_option("server.baseUrlPath")))
    middleware = [Middleware(Front, rooms=Rooms(), base=base), Middleware(PackedFiles)]
    st.App(script, routes=classroom.routes(), middleware=middleware).run(config=config)


if __name__ == "__main__":
    main(*sys.argv[1:])
