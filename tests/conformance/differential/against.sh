#!/usr/bin/env bash
# A fresh Ottla against a recording: against.sh OTTLA [RECORDING]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
port=${DIFFERENTIAL_PORT:-19692}
"$1" start --data "$work/data" --flush never --set "listeners=PLAINTEXT://127.0.0.1:$port" --set node.id=1 --set broker.rack=RACK1 \
  --set num.partitions=4 --set group.initial.rebalance.delay.ms=0 --set group.min.session.timeout.ms=1000 > "$work/ready" 2> "$work/log" &
broker=$!
trap 'kill "$broker" 2> /dev/null; wait "$broker" 2> /dev/null; rm -rf "$work"' EXIT
for _ in $(seq 200); do grep -q '^ottla ready' "$work/ready" && break; kill -0 "$broker" || { cat "$work/log"; exit 1; }; sleep 0.05; done
python3 "$here/run.py" compare "127.0.0.1:$port" "${2:-$here/kafka-4.3.1.json.gz}"
