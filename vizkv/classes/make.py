"""Compile a script for the server, in a process of its own: ``python -m vizkv.classes.make SCRIPT``."""

from __future__ import annotations

import sys
from pathlib import Path

from vizkv.classes import shows
from vizkv.lecture.script import read
from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_SCRIPT
from vizkv.messages.catalogue import LANGUAGES
from vizkv.scenario.schema import ScenarioError
from vizkv.show import kept
from vizkv.show.compile import compiled


def main(script: str) -> int:
    """Write the compiled show to standard output, and keep it; a wrong script ends in one sentence."""
    try:
        source = read_file(Path(script), MAX_SCRIPT)
        files = shows.to_files(compiled(read(source), list(LANGUAGES)))
    except (ScenarioError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    kept.put(shows.key(source), files)
    sys.stdout.buffer.write(shows.zipped(files))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
