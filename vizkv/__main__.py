"""``python -m vizkv``: the same as ``vizkv``."""

from vizkv.cli import main

raise SystemExit(main())
