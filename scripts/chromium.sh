#!/usr/bin/env bash
# The browser tests need Chromium: found, or installed as Debian's package, or one clear sentence.
set -euo pipefail

for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ -n "${CHROMIUM:-}" ]; then
  echo "vizkv: CHROMIUM=$CHROMIUM is not a program that can be run; give the path of a Chromium or Chrome." >&2
  exit 1
fi

root=()
if [ "$(id -u)" != 0 ]; then root=(sudo -n); fi
if command -v apt-get >/dev/null 2>&1 && "${root[@]}" true 2>/dev/null; then
  echo "vizkv: installing Debian's chromium for the browser tests ..." >&2
  "${root[@]}" apt-get -qq update
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
  if command -v chromium >/dev/null 2>&1; then exit 0; fi
fi

cat >&2 <<'TXT'
vizkv: the browser tests need Chromium, and it could not be installed from here.
  Debian, Ubuntu:  sudo apt-get install chromium fonts-dejavu-core
  elsewhere:       install Chromium or Chrome, then  CHROMIUM=/path/to/it make test
TXT
exit 1
