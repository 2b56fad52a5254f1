#!/usr/bin/env bash
# environment.sh PYTHON VENV WHAT: a virtual environment with WHAT (".[gguf]" or ".[dev]") installed from the pins.
set -euo pipefail
python=$1 venv=$2 what=$3

say() { printf 'vizkv: %s\n' "$*" >&2; }

if ! command -v "$python" >/dev/null 2>&1; then
  say "there is no $python here. Install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python3 ..."
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  say "$python is $("$python" -V 2>&1); vizkv needs 3.11 or newer. Name another: make PYTHON=python3.12 ..."
  exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  say "$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
  exit 1
fi

# a creation that was interrupted leaves a folder without a working pip: made again
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv"
fi
say "installing into $venv (a minute or two the first time) ..."
# torch is named, and pinned, by itself: so that no other package's range decides which build is taken
"$venv/bin/python" -m pip install -qq "$(grep '^torch==' constraints.txt)" -c constraints.txt -e "$what"
say "installed."
