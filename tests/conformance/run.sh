#!/usr/bin/env bash
# Real clients against a real Ottla process: run.sh OTTLA [NAME...]
# Each client is a test (tests.sh) that fails when the client fails. A run of all of them writes docs/compatibility.md
# from clients.tsv and the results. Closes with `N passed, N failed`.
#   CONFORMANCE_BROKER=HOST:PORT  run against a broker that is up, such as an Apache Kafka of kafka-peer/; OTTLA is unused
#   CONFORMANCE_JOBS=3            tests at a time, of those that may share the broker
#   CONFORMANCE_TIER=full         also those that take long
#   CONFORMANCE_TABLE=1           write the table also after some tests only: each row says its last result
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
ottla=$(realpath -m "$1"); shift
home=${CONFORMANCE_HOME:-$here/../../target/conformance}
mkdir -p "$home"; home=$(cd "$home" && pwd)
work=$(mktemp -d)
port=${CONFORMANCE_PORT:-19492}
address=${CONFORMANCE_BROKER:-127.0.0.1:$port}
http=127.0.0.1:$((port + 1))
broker=
trap '[ -z "$broker" ] || { kill "$broker"; wait "$broker"; } 2> /dev/null; rm -rf "$work"' EXIT
: > "$work/log"

start() {
  [ -z "${CONFORMANCE_BROKER:-}" ] || return 0
  "$ottla" start --data "$work/data" --set "listeners=PLAINTEXT://$address" --set "ottla.http.listeners=http://$http" \
    --set group.initial.rebalance.delay.ms=0 --set num.partitions=3 "$@" > "$work/ready" 2>> "$work/log" &
  broker=$!
  for _ in $(seq 200); do
    grep -q '^ottla ready' "$work/ready" 2> /dev/null && return
    kill -0 "$broker" 2> /dev/null || break
    sleep 0.05
  done
  echo "the broker does not come up:" >&2; cat "$work/log" >&2; exit 1
}

. "$here/tests.sh"

# --- which tests: field 2 is `shared` (may run beside others), `alone`, or `full`
names() { awk -F'\t' -v how="$1" '!/^#/ && $2 == how { print $1 }' "$here/clients.tsv"; }
shared=$(names shared); alone=$(names alone)
[ "${CONFORMANCE_TIER:-ci}" = full ] && alone="$alone $(names full)"
whole=1
if [ $# -gt 0 ]; then whole=; shared=; alone="$*"; fi

# One test: its lines to $work/NAME/log, its result and seconds to $work/NAME/result.
one() {
  local name=$1 began=$SECONDS result=passed
  mkdir -p "$work/$name"
  (out=$work/$name; cd "$here" && "t_$name") > "$work/$name/log" 2>&1 < /dev/null || result=FAILED
  printf '%s\t%s\t%s\n' "$result" $((SECONDS - began)) "$(date +%F)" > "$work/$name/result"
  [ -n "${CONFORMANCE_BROKER:-}" ] || { mkdir -p "$home/results" && cp "$work/$name/result" "$home/results/$name"; }
  if [ $result = passed ]; then
    echo "ok      $name  $((SECONDS - began)) s  $(tail -n 1 "$work/$name/log" | cut -c1-120)"
  else
    { echo "FAILED  $name  $((SECONDS - began)) s"; sed 's/^/        /' "$work/$name/log" | tail -40; }
  fi
}

prepare || exit 1
start
pids=()
for name in $shared; do
  while [ "$(jobs -rp | grep -vc "^$broker$")" -ge "${CONFORMANCE_JOBS:-3}" ]; do sleep 0.1; done
  one "$name" &
  pids+=($!)
done
for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid"; done
for name in $alone; do one "$name"; done

passed=0; failed=0
for name in $shared $alone; do
  case $(cut -f1 "$work/$name/result" 2> /dev/null) in passed) passed=$((passed + 1));; *) failed=$((failed + 1));; esac
done
if grep -E ' (ERROR|WARN) ' "$work/log"; then echo "the broker had something to say"; fi
[ -n "${CONFORMANCE_BROKER:-}" ] || [ -z "$whole${CONFORMANCE_TABLE:-}" ] ||
  python "$here/table.py" "$here/clients.tsv" "$home/results" > "$here/../../docs/compatibility.md"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
