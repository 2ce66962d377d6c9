#!/usr/bin/env bash
# Real clients against a real Ottla process: run.sh OTTLA [NAME...]
# Each client is a test that fails when the client fails. Closes with `N passed, N failed`.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
ottla=$1; shift
home=${CONFORMANCE_HOME:-$here/../../target/conformance}
mkdir -p "$home"; home=$(cd "$home" && pwd)
work=$(mktemp -d)
port=${CONFORMANCE_PORT:-19492}
address=127.0.0.1:$port
broker=
trap '[ -z "$broker" ] || kill "$broker" 2> /dev/null; rm -rf "$work"' EXIT

start() {
  "$ottla" start --data "$work/data" --set "listeners=PLAINTEXT://$address" "$@" > "$work/ready" 2>> "$work/log" &
  broker=$!
  for _ in $(seq 200); do
    grep -q '^ottla ready' "$work/ready" 2> /dev/null && return
    kill -0 "$broker" 2> /dev/null || break
    sleep 0.05
  done
  echo "the broker does not come up:" >&2; cat "$work/log" >&2; exit 1
}

# --- what the clients need
python() {
  [ -x "$home/venv/bin/python" ] || { python3 -m venv "$home/venv" && "$home/venv/bin/pip" -q install confluent-kafka==2.15.0; } >&2
  "$home/venv/bin/python" "$@"
}
tool() {
  [ -d "$home/kafka" ] || mvn -B -q -f "$here/kafka-peer/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/kafka" >&2
  echo 'rootLogger.level=OFF' > "$home/log4j2.properties"
  local class=$1; shift
  timeout 60 java -Xmx256m -Dlog4j2.configurationFile="$home/log4j2.properties" -cp "$home/kafka/*" \
    "org.apache.kafka.tools.$class" "$@" 2> "$work/tool.err" || { cat "$work/tool.err" >&2; return 1; }
}

# --- the tests
t_kcat() {
  for codec in none gzip snappy lz4 zstd; do
    printf 'k%s:v-%s\n' 1 $codec 2 $codec 3 $codec |
      timeout 30 kcat -b "$address" -P -t "kcat-$codec" -K: -z "$codec" -X acks=all -H a=1 -H a=2 || return 1
    [ "$(timeout 30 kcat -b "$address" -C -t "kcat-$codec" -e -q -f '%k=%s %h\n')" = \
      "$(printf 'k%s=v-%s a=1,a=2\n' 1 $codec 2 $codec 3 $codec)" ] || return 1
  done
}
t_confluent_kafka_python() { timeout 120 env -u PYTHONDONTWRITEBYTECODE true; python "$here/librdkafka.py" "$address"; }
t_kafka_topics() {
  tool TopicCommand --bootstrap-server "$address" --create --topic tools --partitions 3 --config max.message.bytes=2000000 || return 1
  tool TopicCommand --bootstrap-server "$address" --describe --topic tools > "$work/out" || return 1
  grep -q 'PartitionCount: 3' "$work/out" && grep -q 'max.message.bytes=2000000' "$work/out" || { cat "$work/out"; return 1; }
  tool TopicCommand --bootstrap-server "$address" --create --topic doomed || return 1
  tool TopicCommand --bootstrap-server "$address" --delete --topic doomed || return 1
  [ "$(tool TopicCommand --bootstrap-server "$address" --list | grep -c '^doomed$')" = 0 ]
}
t_kafka_console_producer_and_consumer() {
  seq 1 50 | sed 's/.*/key&:value&/' |
    tool ConsoleProducer --bootstrap-server "$address" --topic tools --reader-property parse.key=true --reader-property key.separator=: || return 1
  : > "$work/out"
  local count
  for partition in 0 1 2; do
    count=$(tool GetOffsetShell --bootstrap-server "$address" --topic tools --partitions $partition | cut -d: -f3)
    tool consumer.ConsoleConsumer --bootstrap-server "$address" --topic tools --partition $partition --offset earliest \
      --max-messages "$count" --timeout-ms 10000 >> "$work/out" || return 1
  done
  [ "$(sort -V "$work/out")" = "$(seq 1 50 | sed 's/^/value/')" ]
}
t_kafka_get_offsets() {
  [ "$(tool GetOffsetShell --bootstrap-server "$address" --topic tools | cut -d: -f3 | awk '{ sum += $1 } END { print sum }')" = 50 ] &&
    [ "$(tool GetOffsetShell --bootstrap-server "$address" --topic tools --time -2 | cut -d: -f3 | sort -u)" = 0 ]
}
t_kafka_producer_perf_test() {
  tool ProducerPerformance --topic perf --num-records 50000 --record-size 200 --throughput -1 \
    --command-property bootstrap.servers="$address" compression.type=lz4 > "$work/out" || return 1
  [ "$(tool GetOffsetShell --bootstrap-server "$address" --topic perf)" = perf:0:50000 ]
}
t_kafka_broker_api_versions() {
  tool BrokerApiVersionsCommand --bootstrap-server "$address" > "$work/out" || return 1
  # 27 keys, and no more than are served whole.
  [ "$(grep -c 'usable' "$work/out")" = 27 ] || { cat "$work/out"; return 1; }
}
t_kafka_tools_print_the_same() {
  tool TopicCommand --version > /dev/null || return 1
  "$here/describe/run.sh" compare "$address" "$home/kafka"
}
t_kafka_dump_log_reads_the_metadata() {
  kill -TERM "$broker"; wait "$broker"; broker=
  "$ottla" log export-metadata --data "$work/data" --to "$work/export" > /dev/null || return 1
  tool DumpLogSegments --cluster-metadata-decoder --files "$work/export/00000000000000000000.log" > "$work/out" || return 1
  start
  grep -q '"type":"TOPIC_RECORD","version":0,"data":{"name":"tools"' "$work/out" &&
    grep -q KRaftVoters "$work/out" && ! grep -q 'isvalid: false' "$work/out"
}
t_franz_go() {
  (cd "$here/franz-go" && GOFLAGS=-mod=mod go build -o "$home/franz" .) >&2 || return 1
  timeout 120 "$home/franz" "$address"
}
t_kill_9() { python "$here/kill9.py" "$ottla" "${KILL_CYCLES:-10}"; }

t_differential() { "$here/differential/against.sh" "$ottla"; }
t_power_loss() { "$here/../chaos/run.sh" "$ottla" "${POWER_CYCLES:-2}"; }

all="kcat confluent_kafka_python kafka_topics kafka_console_producer_and_consumer kafka_get_offsets kafka_producer_perf_test kafka_broker_api_versions kafka_tools_print_the_same kafka_dump_log_reads_the_metadata franz_go kill_9 differential power_loss"
passed=0; failed=0
start
for name in ${*:-$all}; do
  if "t_$name" > "$work/test" 2>&1; then
    passed=$((passed + 1)); echo "ok      $name  $(tail -n 1 "$work/test" | cut -c1-150)"
  else
    failed=$((failed + 1)); echo "FAILED  $name"; sed 's/^/        /' "$work/test" | tail -30
  fi
done
if grep -E ' (ERROR|WARN) ' "$work/log"; then echo "the broker had something to say"; fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
