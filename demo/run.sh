#!/usr/bin/env bash
# The main job, end to end: build Ottla, start it, stream events in through kcat, kill the broker with SIGKILL in the
# middle, start it again, read everything back, and show that each event is there exactly once and in order per key.
# Needs Rust and Debian's packages; what is missing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
need() {
  command -v "$1" > /dev/null && return
  say "installing $2"
  local sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "$2" > /dev/null
}
need cc gcc
need kcat kcat

say "building (the first time takes a few minutes)"
cargo build --release --locked --package ottla-server
ottla=${CARGO_TARGET_DIR:-target}/release/ottla

work=$(mktemp -d)
port=${DEMO_PORT:-19392}
address=127.0.0.1:$port
broker=
start() {
  "$ottla" start --data "$work/data" --set "listeners=PLAINTEXT://$address" > "$work/ready" 2>> "$work/log" &
  broker=$!
  for _ in $(seq 200); do
    grep -q '^ottla ready' "$work/ready" 2> /dev/null && { cat "$work/ready"; return; }
    kill -0 "$broker" 2> /dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
  done
  echo "the broker does not come up" >&2; exit 1
}
cleanup() {
  [ -z "$broker" ] || kill "$broker" 2> /dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

events=demo/events.txt
total=$(wc -l < "$events")
say "starting Ottla"
start
kcat -b "$address" -L -t orders > /dev/null

say "streaming $total events in through kcat (acks=all, idempotent), and killing the broker in the middle"
# A pause every hundred events stretches the stream, so that the kill lands inside it.
awk '{ print } NR % 100 == 0 { fflush(); system("sleep 0.05") }' "$events" |
  kcat -E -b "$address" -P -t orders -K '|' -X acks=all -X enable.idempotence=true -X linger.ms=5 \
    -X reconnect.backoff.max.ms=500 2> "$work/kcat" &
producer=$!
sleep 1
before=$(kcat -b "$address" -C -t orders -e -q -f '.\n' | wc -l)
kill -9 "$broker"; wait "$broker" 2> /dev/null || true
echo "killed with SIGKILL; $before events had been acknowledged and read by then"
sleep 0.5
start
wait "$producer" || { cat "$work/kcat" >&2; echo "kcat could not deliver everything" >&2; exit 1; }
echo "kcat has an acknowledgement for every event"

say "reading everything back"
kcat -b "$address" -C -t orders -e -q -K '|' > "$work/out"
found=$(wc -l < "$work/out")
# A stable sort by key keeps the order within each key: lost, doubled or reordered events all show as a difference.
LC_ALL=C sort -s -t '|' -k 1,1 "$events" > "$work/want"
LC_ALL=C sort -s -t '|' -k 1,1 "$work/out" > "$work/have"
if ! diff -q "$work/want" "$work/have" > /dev/null; then
  diff "$work/want" "$work/have" | head -20
  echo "FAILED: $found events of $total, or not in order"
  exit 1
fi
keys=$(cut -d '|' -f 1 "$events" | sort -u | wc -l)
echo "$found of $total events are there, each exactly once, in order for each of $keys keys"
kill -TERM "$broker"; wait "$broker"; broker=
cat "$work/ready"
