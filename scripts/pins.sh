#!/usr/bin/env bash
# pins.sh PYTHON: writes constraints.txt anew from a fresh environment. TORCH=2.14.0 scripts/pins.sh python3 moves torch.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:-python3}
torch=${TORCH:-$(sed -n 's/^torch==//p' constraints.txt)}

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$python" -m venv "$fresh"
"$fresh/bin/python" -m pip install -qq "torch==$torch" -e '.[dev]'
{
  echo '# Every package that `pip install -e .[dev]` brings, at the versions that the tests last passed with.'
  echo '# Written by: make pins'
  # a build label such as +cpu belongs to one machine; the version alone fits every build
  "$fresh/bin/python" -m pip freeze --all --exclude-editable | sed 's/+[a-z0-9]*$//'
} > "$fresh/constraints.txt"
mv "$fresh/constraints.txt" constraints.txt
echo "vizkv: constraints.txt written; now: make test" >&2
