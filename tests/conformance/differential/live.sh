#!/usr/bin/env bash
# Both brokers fresh and live: live.sh OTTLA. Kafka against its recording first, then Ottla against the live Kafka.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PEER_HOME=${PEER_HOME:-$here/../../../target/kafka-peer} PEER_PORT=${PEER_PORT:-22092} PEER_HEAP=512m
mkdir -p "$PEER_HOME"
peer=$here/../kafka-peer/run.sh
[ -f "$PEER_HOME/classes.txt" ] || "$peer" fetch
"$peer" stop; "$peer" clean; "$peer" format > "$PEER_HOME/format.log" 2>&1
trap '"$peer" stop' EXIT
"$peer" start; sleep 2
python3 "$here/run.py" record "127.0.0.1:$PEER_PORT" "$PEER_HOME/live.json"
python3 "$here/differ.py" "$here/kafka-4.3.1.json.gz" "$PEER_HOME/live.json"
"$here/against.sh" "$1" "$PEER_HOME/live.json"
