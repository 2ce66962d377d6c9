#!/usr/bin/env bash
# Runs every command of docs/first-steps.md against a real process: docs.sh OTTLA
# Blocks marked ```sh run in order in one shell that stops at the first failure; ```sh skip is for people.
set -euo pipefail
ottla=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
"$ottla" start --data "$work/data" > "$work/ready" 2> "$work/log" &
node=$!
trap 'kill $node 2> /dev/null; wait $node 2> /dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 200); do grep -q '^ottla ready' "$work/ready" && break; sleep 0.05; done
mkdir "$work/bin"; ln -s "$ottla" "$work/bin/ottla"
awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$here/docs/first-steps.md" > "$work/commands"
count=$(grep -c . "$work/commands")
if PATH=$work/bin:$PATH bash -euo pipefail "$work/commands" > "$work/out" 2>&1 < /dev/null; then
  echo "docs/first-steps.md: $count lines of commands, all run"
else
  cat "$work/out" "$work/log"; echo "docs/first-steps.md: a command failed"; exit 1
fi
