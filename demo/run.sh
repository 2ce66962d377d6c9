#!/usr/bin/env bash
# The main job, end to end: build Ottla, start it, stream events in through kcat, let two consumers of one group share
# the partitions and count them, kill one consumer (its partitions move to the other), kill the broker with SIGKILL,
# start it again, and show that each event was counted exactly once and in order per key, from committed offsets.
# Needs Rust and Debian's packages; what is missing is installed. OTTLA=path uses a binary that is built already.
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

ottla=${OTTLA:-}
if [ -z "$ottla" ]; then
  say "building (the first time takes a few minutes)"
  cargo build --release --locked --package ottla-server
  ottla=${CARGO_TARGET_DIR:-target}/release/ottla
fi

work=$(mktemp -d)
port=${DEMO_PORT:-19392}
address=127.0.0.1:$port
broker= one= two=
start() {
  : > "$work/ready"
  "$ottla" start --data "$work/data" --set "listeners=PLAINTEXT://$address" --set num.partitions=4 > "$work/ready" 2>> "$work/log" &
  broker=$!
  for _ in $(seq 200); do
    grep -q '^ottla ready' "$work/ready" 2> /dev/null && { cat "$work/ready"; return; }
    kill -0 "$broker" 2> /dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
  done
  echo "the broker does not come up" >&2; exit 1
}
# Writes partition, offset and event to $work/$1 as they are consumed; kcat commits every five seconds.
consume() {
  exec kcat -E -b "$address" -G counters -X auto.offset.reset=earliest -X session.timeout.ms=6000 -X heartbeat.interval.ms=500 \
    -X reconnect.backoff.max.ms=500 "${@:2}" \
    -u -f '%p %o %k|%s\n' orders > "$work/$1" 2> "$work/$1.log"
}
within() { # SECONDS WHAT COMMAND...
  local until=$((SECONDS + $1)) what=$2
  until "${@:3}"; do
    [ "$SECONDS" -lt "$until" ] || { echo "FAILED: $what" >&2; tail -n 5 "$work"/*.log "$work/log" >&2; exit 1; }
    sleep 0.1
  done
}
has() { grep -q "assigned: orders" "$work/$1.log"; }
owns() { grep -o 'assigned: orders.*' "$work/$1.log" | tail -n 1 | grep -o '\[[0-9]*\]' | tr -d '[]\n' | sed 's/./& /g'; }
owns_all() { [ "$(owns two)" = "0 1 2 3 " ]; }
# Both files as one count: where a consumer begins again at a committed offset, what was read beyond it counts anew; a
# gap is a lost event.
count() {
  awk '{ p = $1; o = $2
         if (o + 0 > next_of[p] + 0) { printf "FAILED: partition %d jumps from %d to %d\n", p, next_of[p], o > "/dev/stderr"; bad = 1; exit 1 }
         if (o + 0 < next_of[p] + 0) again += next_of[p] - o
         next_of[p] = o + 1; sub(/^[0-9]+ [0-9]+ /, ""); event[p, o] = $0 }
       END { if (!bad) { for (p in next_of) for (o = 0; o < next_of[p]; o++) print event[p, o]; print again + 0 > "'"$work"'/again" } }' \
    "$work/one" "$work/two"
}
all_counted() { [ "$(count 2> /dev/null | wc -l)" = "$total" ]; }
cleanup() {
  local pid
  for pid in $one $two $broker; do kill "$pid" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

events=demo/events.txt
total=$(wc -l < "$events")
say "starting Ottla, and two consumers of the group 'counters'"
start
kcat -b "$address" -L -t orders > /dev/null
consume one & one=$!
consume two & two=$!
within 30 "the consumers get no partitions" has one
within 30 "the consumers get no partitions" has two
echo "consumer one counts partitions $(owns one)- consumer two counts partitions $(owns two)"

say "streaming $total events in through kcat (acks=all, idempotent)"
# A pause every hundred events stretches the stream, so that the kills land inside it.
awk '{ print } NR % 100 == 0 { fflush(); system("sleep 0.3") }' "$events" |
  kcat -E -b "$address" -P -t orders -K '|' -X acks=all -X enable.idempotence=true -X linger.ms=5 \
    -X reconnect.backoff.max.ms=500 2> "$work/producer.log" &
producer=$!
sleep 7
kill -9 "$one"; wait "$one" 2> /dev/null || true; one=
echo "consumer one is killed after $(wc -l < "$work/one") events"
sleep 2
kill -9 "$broker"; wait "$broker" 2> /dev/null || true
echo "the broker is killed after consumer two has counted $(wc -l < "$work/two")"
sleep 0.5
start
wait "$producer" || { cat "$work/producer.log" >&2; echo "kcat could not deliver everything" >&2; exit 1; }
echo "kcat has an acknowledgement for every event"

say "the session of consumer one ends, and its partitions move"
within 60 "the partitions do not move" owns_all
echo "consumer two counts partitions $(owns two)"
within 60 "not every event is counted" all_counted
kill -TERM "$two"; wait "$two" 2> /dev/null || true; two=

say "counting"
count > "$work/counted"
# A stable sort by key keeps the order within each key: lost, doubled or reordered events all show as a difference.
LC_ALL=C sort -s -t '|' -k 1,1 "$events" > "$work/want"
LC_ALL=C sort -s -t '|' -k 1,1 "$work/counted" > "$work/have"
if ! diff -q "$work/want" "$work/have" > /dev/null; then
  diff "$work/want" "$work/have" | head -20
  echo "FAILED: $(wc -l < "$work/counted") events of $total, or not in order"
  exit 1
fi
keys=$(cut -d '|' -f 1 "$events" | sort -u | wc -l)
echo "$(wc -l < "$work/counted") of $total events were counted, each exactly once, in order for each of $keys keys"
echo "($(cat "$work/again") had been read by a consumer that was killed before it committed them, and were read again)"
cut -d '|' -f 1 "$work/counted" | sort | uniq -c | sort -rn | head -3 | awk '{ printf "  %s ordered %d times\n", $2, $1 }'

say "a third consumer of the group, after another restart: everything is committed, so nothing is left to count"
kill -TERM "$broker"; wait "$broker"
start
(consume three -e) || true
left=$(wc -l < "$work/three")
grep -q "assigned: orders" "$work/three.log" || { cat "$work/three.log"; echo "FAILED: it got no partitions"; exit 1; }
echo "$left events left"
[ "$left" = 0 ]
kill -TERM "$broker"; wait "$broker"; broker=
