#!/usr/bin/env bash
# Power loss under load on ext4 and xfs: run.sh OTTLA [CYCLES]. Needs root, for loop mounts.
# With KAFKA_HOME (a kafka-peer home with its jars) the same cycles run against Apache Kafka's defaults beside it.
# LEDGER=tests/ledger.tsv adds a line for each proof.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
ottla=$(readlink -f "$1"); cycles=${2:-2}
venv=${CONFORMANCE_HOME:-$here/../../target/conformance}/venv
[ -x "$venv/bin/python" ] || { python3 -m venv "$venv" && "$venv/bin/pip" -q install confluent-kafka==2.15.0; }
command -v mkfs.xfs > /dev/null || { apt-get update -qq; apt-get install -y -qq xfsprogs > /dev/null; }
failed=0
for kind in ext4 xfs; do
  line=$("$venv/bin/python" "$here/powerloss.py" "$kind" "$cycles" ottla "$ottla") || failed=$((failed + 1))
  echo "$line"
  if [ -n "${KAFKA_HOME:-}" ]; then
    "$venv/bin/python" "$here/powerloss.py" "$kind" "$cycles" kafka "$here/../conformance/kafka-peer/run.sh"
  fi
  if [ -n "${LEDGER:-}" ]; then
    anomalies=$(echo "$line" | sed 's/.* acknowledged, \([0-9]*\) lost, \([0-9]*\) doubled, \([0-9]*\) out.*/\1+\2+\3/')
    printf '%s\t%s\tpower loss on %s, flush=ack: acknowledged records over %s cycles\t%s\t%s\n' "$(date +%F)" \
      "$(git -C "$here" rev-parse --short HEAD)" "$kind" "$cycles" "$(echo "$line" | sed 's/.*: \([0-9]*\) acknowledged.*/\1/')" "$((anomalies))" >> "$LEDGER"
  fi
done
echo "power loss: $((2 - failed)) passed, $failed failed"
[ "$failed" = 0 ]
