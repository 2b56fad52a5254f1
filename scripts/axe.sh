#!/usr/bin/env bash
# The browser tests ask axe-core whether the pages can be used by everybody: fetched once from npm, by name and version.
set -euo pipefail

version=4.10.3
place="${1:-.venv/axe}"
file="$place/node_modules/axe-core/axe.min.js"

if [ -f "$file" ]; then exit 0; fi
if ! command -v npm >/dev/null 2>&1; then
  root=()
  if [ "$(id -u)" != 0 ]; then root=(sudo -n); fi
  if command -v apt-get >/dev/null 2>&1 && "${root[@]}" true 2>/dev/null; then
    echo "vizkv: installing Debian's npm for axe-core ..." >&2
    "${root[@]}" apt-get -qq update
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends npm >/dev/null
  fi
fi
if ! command -v npm >/dev/null 2>&1; then
  echo "vizkv: axe-core comes from npm, which is not here; install it, or set AXE to the path of an axe.min.js." >&2
  exit 1
fi
echo "vizkv: fetching axe-core $version for the browser tests ..." >&2
npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$place" "axe-core@$version"
