# The tests of run.sh. Each is a function t_NAME that fails when the client fails; $out is a folder of its own, $address
# the broker, $home where clients are kept between runs. A row of clients.tsv says what each covers.

# --- what the clients need
python() { "$home/venv/bin/python" "$@"; }
python_packages="confluent-kafka==2.15.0 aiokafka[snappy,lz4,zstd]==0.14.0 kafka-python[crc32c,lz4,snappy,zstd]==3.0.12 prometheus-client==0.26.0"
go_build() { (cd "$1" && shift && GOFLAGS=-mod=mod go "$@") >&2; }

# Installs everything once, before the first test, so that no two tests do it at the same time.
prepare() {
  local stamp
  stamp=$(echo "$python_packages" | cksum)
  if [ "$(cat "$home/venv/stamp" 2> /dev/null)" != "$stamp" ]; then
    python3 -m venv "$home/venv" && "$home/venv/bin/pip" -q install $python_packages && echo "$stamp" > "$home/venv/stamp" || return 1
  fi
  [ -d "$home/kafka" ] || mvn -B -q -f "$here/kafka-peer/pom.xml" dependency:copy-dependencies -DoutputDirectory="$home/kafka" >&2 || return 1
  echo 'rootLogger.level=OFF' > "$home/log4j2.properties"
  mkdir -p "$home/java" && javac -d "$home/java" -cp "$home/kafka/*" "$here"/java/*.java || return 1
  go_build "$here/franz-go" build -o "$home/franz" . || return 1
  mkdir -p "$home/js" && cp "$here"/js/* "$home/js/" && (cd "$home/js" && npm ci --ignore-scripts --silent --no-audit --no-fund) >&2
}

# Another node, for a test that wants its own: `node NAME SETTINGS`. Its process is $node, its address $node_address.
node() {
  : "${node_address:=127.0.0.1:$((port + 2))}"
  shift
  "$ottla" start --data "$out/data" --set "listeners=PLAINTEXT://$node_address" --set ottla.http.listeners= \
    --set group.initial.rebalance.delay.ms=0 "$@" > "$out/ready" 2>&1 &
  node=$!
  for _ in $(seq 200); do grep -q '^ottla ready' "$out/ready" && return; kill -0 $node || break; sleep 0.05; done
  cat "$out/ready"; return 1
}

class() {
  local class=$1; shift
  timeout 90 java -Xmx256m -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile="$home/log4j2.properties" \
    -cp "$home/java:$home/kafka/*" "$class" "$@" 2> "$out/tool.err" || { cat "$out/tool.err" >&2; return 1; }
}
tool() { local class=$1; shift; class "org.apache.kafka.tools.$class" "$@"; }
topics() { tool TopicCommand --bootstrap-server "$address" "$@"; }
offsets() { tool GetOffsetShell --bootstrap-server "$address" "$@"; }
has() { grep -q -- "$1" "$2" || { echo "'$1' is not in:"; cat "$2"; return 1; }; }

# --- kcat and librdkafka
t_kcat() {
  for codec in none gzip snappy lz4 zstd; do
    printf 'k%s:v-%s\n' 1 $codec 2 $codec 3 $codec |
      timeout 30 kcat -b "$address" -P -t "kcat-$codec" -p 0 -K: -z "$codec" -X acks=all -H a=1 -H a=2 || return 1
    [ "$(timeout 30 kcat -b "$address" -C -t "kcat-$codec" -p 0 -e -q -f '%k=%s %h\n')" = \
      "$(printf 'k%s=v-%s a=1,a=2\n' 1 $codec 2 $codec 3 $codec)" ] || return 1
  done
}
t_kcat_group() {
  topics --create --topic kcat-group --partitions 3 || return 1
  seq 300 | timeout 30 kcat -b "$address" -P -t kcat-group -X acks=all || return 1
  for member in 1 2; do
    timeout 40 kcat -b "$address" -G kcat-group -X auto.offset.reset=earliest -X session.timeout.ms=6000 -q -u kcat-group > "$out/$member" &
    eval "kcat$member=$!"
  done
  for _ in $(seq 300); do [ "$(cat "$out/1" "$out/2" | wc -l)" -ge 300 ] && break; sleep 0.1; done
  kill "$kcat1" "$kcat2"; wait "$kcat1" "$kcat2"
  [ "$(sort -n "$out/1" "$out/2")" = "$(seq 300)" ] || { wc -l "$out"/1 "$out"/2; return 1; }
}
t_confluent_kafka_python() { timeout 120 "$home/venv/bin/python" python/librdkafka.py "$address"; }
t_confluent_kafka_python_groups() { timeout 150 "$home/venv/bin/python" python/librdkafka_groups.py "$address"; }
t_kcat_seek() {
  topics --create --topic kcat-seek --partitions 1 --config max.message.bytes=3000000 || return 1
  seq 100 | timeout 30 kcat -b "$address" -P -t kcat-seek -p 0 -X enable.idempotence=true || return 1
  local now
  sleep 1.1; now=$(date +%s%3N); sleep 1.1
  seq 101 200 | timeout 30 kcat -b "$address" -P -t kcat-seek -p 0 -X enable.idempotence=true || return 1
  [ "$(timeout 30 kcat -b "$address" -C -t kcat-seek -p 0 -o 42 -e -q | head -n 1)" = 43 ] || return 1
  [ "$(timeout 30 kcat -b "$address" -C -t kcat-seek -p 0 -o "s@$now" -e -q)" = "$(seq 101 200)" ] || return 1
  [ "$(timeout 30 kcat -b "$address" -C -t kcat-seek -p 0 -o -5 -e -q)" = "$(seq 196 200)" ] || return 1
  head -c 2500000 /dev/zero | tr '\0' x > "$out/large"
  timeout 30 kcat -b "$address" -P -t kcat-seek -p 0 -X message.max.bytes=4000000 "$out/large" || return 1
  [ "$(timeout 30 kcat -b "$address" -C -t kcat-seek -p 0 -o -1 -e -q | tr -d '\n' | wc -c)" = 2500000 ]
}
t_compaction() {
  # Who reads the compacted topic over its gaps, beside the client that made it: `NAME OFFSET` a record.
  cat > "$out/readers" << END
#!/usr/bin/env bash
set -euo pipefail
offsets() { sed "s/^/\$1 /"; }
timeout 30 kcat -b "$address" -C -t "\$1" -p 0 -o beginning -e -q -f '%o\n' | offsets kcat
timeout 30 java -Xmx256m -Dlog4j2.configurationFile="$home/log4j2.properties" -cp "$home/java:$home/kafka/*" Offsets "$address" "\$@" 2>&1 | offsets java
timeout 30 "$home/franz" "$address" offsets "\$@" | offsets franz-go
KAFKAJS_NO_PARTITIONER_WARNING=1 timeout 40 node "$home/js/kafkajs.js" "$address" offsets "\$@" | offsets kafkajs
timeout 30 "$home/venv/bin/python" "$here/python/aiokafka_client.py" "$address" offsets "\$@" | offsets aiokafka
timeout 30 "$home/venv/bin/python" "$here/python/kafka_python.py" "$address" offsets "\$@" | offsets kafka-python
END
  chmod +x "$out/readers"
  timeout 220 "$home/venv/bin/python" python/compaction.py "$address" 90 "$out/readers"
}

# --- Apache Kafka's tools
t_kafka_topics() {
  topics --create --topic tools --partitions 3 --config max.message.bytes=2000000 || return 1
  topics --describe --topic tools > "$out/described" || return 1
  has 'PartitionCount: 3' "$out/described" && has 'max.message.bytes=2000000' "$out/described" || return 1
  topics --create --topic doomed || return 1
  topics --alter --topic doomed --partitions 5 || return 1
  topics --describe --topic doomed > "$out/altered" && has 'PartitionCount: 5' "$out/altered" || return 1
  topics --delete --topic doomed || return 1
  [ "$(topics --list | grep -c '^doomed$')" = 0 ]
}
t_kafka_console_and_offsets() {
  topics --create --topic console --partitions 3 || return 1
  seq 1 50 | sed 's/.*/key&:value&/' |
    tool ConsoleProducer --bootstrap-server "$address" --topic console --reader-property parse.key=true --reader-property key.separator=: || return 1
  offsets --topic console > "$out/ends" || return 1
  [ "$(cut -d: -f3 "$out/ends" | awk '{ sum += $1 } END { print sum }')" = 50 ] || return 1
  local count
  for partition in 0 1 2; do
    count=$(grep "^console:$partition:" "$out/ends" | cut -d: -f3)
    tool consumer.ConsoleConsumer --bootstrap-server "$address" --topic console --partition $partition --offset earliest \
      --max-messages "$count" --timeout-ms 10000 >> "$out/read" || return 1
  done
  [ "$(sort -V "$out/read")" = "$(seq 1 50 | sed 's/^/value/')" ] || return 1
  tool consumer.ConsoleConsumer --bootstrap-server "$address" --topic console --group console --from-beginning \
    --max-messages 50 --timeout-ms 20000 > "$out/grouped" || return 1
  [ "$(sort -V "$out/grouped")" = "$(sort -V "$out/read")" ] && [ "$(offsets --topic console --time -2 | cut -d: -f3 | sort -u)" = 0 ]
}
t_kafka_configs() {
  configs() { class kafka.admin.ConfigCommand --bootstrap-server "$address" "$@"; }
  topics --create --topic configs || return 1
  configs --alter --entity-type topics --entity-name configs --add-config retention.ms=7200000,cleanup.policy=[compact,delete] || return 1
  configs --describe --entity-type topics --entity-name configs > "$out/described" || return 1
  has 'retention.ms=7200000' "$out/described" && has 'cleanup.policy=compact,delete' "$out/described" || return 1
  configs --alter --entity-type topics --entity-name configs --delete-config retention.ms || return 1
  configs --describe --entity-type topics --entity-name configs > "$out/left" || return 1
  ! grep -q 'retention.ms=' "$out/left" || return 1
  configs --describe --entity-type brokers --entity-name 1 --all > "$out/broker" || return 1
  has 'log.retention.hours=168' "$out/broker"
}
t_kafka_consumer_groups() {
  groups() { tool consumer.group.ConsumerGroupCommand --bootstrap-server "$address" "$@"; }
  topics --create --topic grouped --partitions 2 || return 1
  seq 40 | timeout 30 kcat -b "$address" -P -t grouped -p 0 || return 1
  tool consumer.ConsoleConsumer --bootstrap-server "$address" --topic grouped --group tools-group --from-beginning --max-messages 40 \
    --timeout-ms 20000 > /dev/null || return 1
  groups --describe --group tools-group > "$out/described" 2>&1 || return 1
  awk '$2 == "grouped" && $3 == 0 && $4 == 40 && $5 == 40 && $6 == 0 { ok = 1 } END { exit !ok }' "$out/described" || { cat "$out/described"; return 1; }
  groups --list > "$out/list" && has tools-group "$out/list" || return 1
  groups --describe --group tools-group --state > "$out/state" && has Empty "$out/state" || return 1
  groups --reset-offsets --group tools-group --topic grouped --to-offset 15 --execute > "$out/reset" && has 15 "$out/reset" || return 1
  groups --delete-offsets --group tools-group --topic grouped > "$out/deleted" && has Successful "$out/deleted" || return 1
  groups --delete --group tools-group > "$out/gone" && has successful "$out/gone"
}
t_kafka_delete_records() {
  topics --create --topic trimmed || return 1
  seq 100 | timeout 30 kcat -b "$address" -P -t trimmed -p 0 || return 1
  echo '{"partitions":[{"topic":"trimmed","partition":0,"offset":60}],"version":1}' > "$out/offsets.json"
  tool DeleteRecordsCommand --bootstrap-server "$address" --offset-json-file "$out/offsets.json" > "$out/done" && has 'low_watermark: 60' "$out/done" || return 1
  [ "$(timeout 30 kcat -b "$address" -C -t trimmed -p 0 -o beginning -e -q | head -1)" = 61 ]
}
t_kafka_verifiable() {
  topics --create --topic verifiable --partitions 4 || return 1
  tool VerifiableProducer --bootstrap-server "$address" --topic verifiable --max-messages 2000 --acks -1 > "$out/produced" || return 1
  has '"sent":2000,"acked":2000' "$out/produced" || return 1
  tool VerifiableConsumer --bootstrap-server "$address" --topic verifiable --group-id verifiable --max-messages 2000 --reset-policy earliest \
    --assignment-strategy org.apache.kafka.clients.consumer.CooperativeStickyAssignor > "$out/consumed" || return 1
  grep -o '"name":"records_consumed".*' "$out/consumed" | grep -o '"count":[0-9]*' | head -1000 > "$out/counts"
  python -c 'import json,sys; print(sum(json.loads(line)["count"] for line in sys.stdin if "records_consumed" in line))' < "$out/consumed" > "$out/sum"
  [ "$(cat "$out/sum")" = 2000 ] || { cat "$out/sum"; return 1; }
}
t_kafka_perf_tests() {
  topics --create --topic perf --partitions 1 || return 1
  tool ProducerPerformance --topic perf --num-records 50000 --record-size 200 --throughput -1 \
    --command-property bootstrap.servers="$address" compression.type=lz4 > "$out/produced" || return 1
  [ "$(offsets --topic perf)" = perf:0:50000 ] || return 1
  tool ConsumerPerformance --bootstrap-server "$address" --topic perf --num-records 50000 --timeout 20000 > "$out/consumed" || return 1
  tail -1 "$out/consumed" | awk -F', ' '{ exit !($5 >= 50000) }' || { cat "$out/consumed"; return 1; }
  tail -1 "$out/produced"
}
t_kafka_broker_api_versions() {
  tool BrokerApiVersionsCommand --bootstrap-server "$address" > "$out/versions" || return 1
  # 27 keys, and no more than are served whole.
  [ "$(grep -c 'usable' "$out/versions")" = 27 ] || { cat "$out/versions"; return 1; }
}
t_kafka_tools_print_the_same() { describe/run.sh compare "$address" "$home/kafka"; }
t_kafka_tools_by_name() { beside tools compare.py check; }
t_ottla_cat() { beside cat cat.py; }
# A script of tools/ against a fresh node of its own.
beside() {
  local name=$1 own=127.0.0.1:$((port + 7)) node; shift
  "$ottla" start --data "$out/$name-data" --set "listeners=PLAINTEXT://$own" --set num.partitions=4 \
    --set offsets.topic.num.partitions=8 --set group.initial.rebalance.delay.ms=0 > "$out/$name-ready" 2> "$out/$name-log" &
  node=$!
  for _ in $(seq 100); do grep -q '^ottla ready' "$out/$name-ready" && break; sleep 0.05; done
  python3 "tools/$1" "${@:2}" "$own" "$ottla"
  local code=$?
  kill $node; wait $node 2> /dev/null
  return $code
}
t_kafka_dump_log_reads_the_metadata() {
  local node node_address=
  node dumped || return 1
  timeout 30 kcat -b "$node_address" -P -t dumped <<< x || return 1
  kill "$node"; wait "$node" || return 1
  "$ottla" log export-metadata --data "$out/data" --to "$out/export" > /dev/null || return 1
  tool DumpLogSegments --cluster-metadata-decoder --files "$out/export/00000000000000000000.log" > "$out/dump" || return 1
  has '"type":"TOPIC_RECORD","version":0,"data":{"name":"dumped"' "$out/dump" && has KRaftVoters "$out/dump" && ! grep -q 'isvalid: false' "$out/dump"
}
# The snapshots of that log as they lie there, read by name.
t_kafka_dump_log_reads_the_snapshots() {
  local node node_address= number newest count
  node snapshots --set metadata.log.max.record.bytes.between.snapshots=2000 || return 1
  for number in $(seq 12); do timeout 30 kcat -b "$node_address" -P -t "snap-$number" <<< x || return 1; done
  for _ in $(seq 100); do
    count=$(find "$out/data/__cluster_metadata-0" -name '*.checkpoint' | wc -l)
    [ "$count" -ge 2 ] && break
    sleep 0.1
  done
  kill "$node"; wait "$node" || return 1
  newest=$(ls "$out"/data/__cluster_metadata-0/*.checkpoint | tail -1)
  for number in "$out"/data/__cluster_metadata-0/*.checkpoint; do
    tool DumpLogSegments --cluster-metadata-decoder --files "$number" > "$out/dump-$(basename "$number")" || return 1
    ! grep 'isvalid: false' "$out/dump-$(basename "$number")" || return 1
  done
  newest=$out/dump-$(basename "$newest")
  has 'SnapshotHeader {"version":0' "$newest" && has 'KRaftVoters' "$newest" && has 'SnapshotFooter' "$newest" &&
    has '"type":"TOPIC_RECORD","version":0,"data":{"name":"snap-8"' "$newest" &&
    has '"type":"FEATURE_LEVEL_RECORD"' "$newest" && echo "$count snapshots"
}

# For tests alone: ends the broker, wherever it was started, and waits until it is gone.
stop() {
  kill -TERM "$broker" 2> /dev/null
  for _ in $(seq 200); do grep -qs '^State:.[^Z]' "/proc/$broker/status" || return 0; sleep 0.05; done
}
t_kafka_dump_log_reads_the_logs() {
  stop; start
  topics --create --topic exported --partitions 2 || return 1
  tool ProducerPerformance --topic exported --num-records 30000 --record-size 100 --throughput -1 \
    --command-property bootstrap.servers="$address" > /dev/null || { stop; return 1; }
  stop
  "$ottla" log export "$out/logs" --data "$work/data" --topic exported > /dev/null || return 1
  [ "$(ls "$out/logs" | sort | tr '\n' ' ')" = "exported-0 exported-1 " ] || { ls "$out/logs"; return 1; }
  local folder records=0
  for folder in "$out"/logs/exported-*; do
    [ -s "$folder/leader-epoch-checkpoint" ] && has '^topic_id: ' "$folder/partition.metadata" || return 1
    tool DumpLogSegments --print-data-log --files "$(ls "$folder"/*.log | paste -sd,)" > "$out/dump" || return 1
    ! grep -q 'isvalid: false' "$out/dump" || return 1
    records=$((records + $(grep -c '^| offset:' "$out/dump")))
    # The indexes fit the segments.
    tool DumpLogSegments --index-sanity-check --files "$(ls "$folder"/*.index | paste -sd,)" > "$out/dump" || return 1
    has 'passed sanity check' "$out/dump" || return 1
    tool DumpLogSegments --verify-index-only --files "$(ls "$folder"/*.index "$folder"/*.timeindex | paste -sd,)" > "$out/dump" || return 1
    ! grep -i 'mismatch\|non-consecutive\|out of order\|not indexed' "$out/dump" || return 1
  done
  [ "$records" = 30000 ] || { echo "$records records"; return 1; }
}
t_retention_and_compaction() {
  stop; start --set log.cleaner.backoff.ms=200 --set log.retention.check.interval.ms=200
  compaction_is_seen && retention_is_seen
  local result=$?
  stop
  return $result
}
compaction_is_seen() {
  topics --create --topic last --partitions 1 --config cleanup.policy=compact --config segment.bytes=1048576 \
    --config min.cleanable.dirty.ratio=0.01 || return 1
  # 200 rounds of 20 keys, and enough of one more to close their segments.
  { for round in $(seq 1 200); do for key in $(seq 1 20); do printf 'key%s:%s-%01000d\n' "$key" "$round" 0; done; done
    for filler in $(seq 1 1500); do printf 'filler:%s-%01000d\n' "$filler" 0; done; } |
    timeout 60 kcat -b "$address" -P -t last -K: -X acks=all || return 1
  # Until nothing changes any more.
  : > "$out/before"
  for _ in $(seq 50); do
    timeout 30 kcat -b "$address" -C -t last -e -q -f '%o %k %s\n' | cut -c1-40 > "$out/kcat" || return 1
    [ "$(wc -l < "$out/kcat")" -gt 2500 ] || ! cmp -s "$out/kcat" "$out/before" || break
    cp "$out/kcat" "$out/before"
    sleep 1
  done
  [ "$(wc -l < "$out/kcat")" -le 2500 ] || { echo "not compacted: $(wc -l < "$out/kcat") records"; return 1; }
  # Of every key the last value is there, at its offset; the Java consumer sees the same keys in the same order.
  for key in $(seq 1 20); do has "^$((199 * 20 + key - 1)) key$key 200-" "$out/kcat" || return 1; done
  tool consumer.ConsoleConsumer --bootstrap-server "$address" --topic last --partition 0 --offset earliest --timeout-ms 4000 \
    --formatter-property print.key=true --formatter-property key.separator=' ' > "$out/java" || true
  [ "$(cut -d' ' -f1 "$out/java" | grep -v filler)" = "$(cut -d' ' -f2 "$out/kcat" | grep -v filler)" ] || return 1
  [ "$(offsets --topic last --time -2)" = last:0:0 ] || return 1
}
# By size: the start of the log moves, and a consumer begins there.
retention_is_seen() {
  topics --create --topic short --partitions 1 --config segment.bytes=1048576 --config retention.bytes=2097152 || return 1
  tool ProducerPerformance --topic short --num-records 10000 --record-size 1000 --throughput -1 \
    --command-property bootstrap.servers="$address" > /dev/null || return 1
  local begins=0
  for _ in $(seq 20); do
    begins=$(offsets --topic short --time -2 | cut -d: -f3)
    [ "$begins" -lt 6000 ] || break
  done
  [ "$begins" -ge 6000 ] && [ "$begins" -lt 10000 ] || { echo "the log begins at $begins"; return 1; }
  [ "$(timeout 30 kcat -b "$address" -C -t short -o beginning -e -q -f '%o\n' | head -1)" = "$begins" ]
}

# --- Java, Go, JavaScript, Python
t_java_clients() { class Main "$address" codecs idempotence large seek; }
t_java_admin() { class Main "$address" topics configs records groups deletion; }
t_java_groups() { class Main "$address" range roundrobin sticky cooperative static offsets; }
t_franz_go() { timeout 120 "$home/franz" "$address" basics; }
t_franz_go_groups() { timeout 120 "$home/franz" "$address" groups; }
t_kafkajs() { KAFKAJS_NO_PARTITIONER_WARNING=1 timeout 120 node "$home/js/kafkajs.js" "$address"; }
t_aiokafka() { timeout 120 "$home/venv/bin/python" python/aiokafka_client.py "$address"; }
t_kafka_python() { timeout 120 "$home/venv/bin/python" python/kafka_python.py "$address"; }

# --- clients' own tests
# The rdkafka crate's, out of the crate, against a node as they want it: id 0 on port 9092, three partitions by default.
# What is left out is in waiting.tsv.
t_rdkafka_crate() {
  local crate=$home/rdkafka status node node_address=127.0.0.1:9092
  mkdir -p "$crate/tests" && cp -r rdkafka/Cargo.toml rdkafka/src "$crate/" || return 1
  (cd "$crate" && cargo fetch --quiet) || return 1
  cp "$(dirname "$(cd "$crate" && cargo metadata --format-version 1 --offline | python -c '
import json, sys
print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "rdkafka"))')")"/tests/*.rs "$crate/tests/" || return 1
  rm -f "$crate/tests/test_transactions.rs"
  (cd "$crate" && CARGO_TARGET_DIR=$crate/target cargo test --quiet --no-run) > "$out/build" 2>&1 || { tail -40 "$out/build"; return 1; }
  node rdkafka --set node.id=0 --set num.partitions=3 || return 1
  (cd "$crate" && KAFKA_HOST=127.0.0.1:9092 RUST_LOG=off CARGO_TARGET_DIR=$crate/target timeout 300 cargo test --quiet --no-fail-fast -- \
    --test-threads=4 --skip test_base_producer_timeout --skip test_produce_consume_message_queue_nonempty_callback) > "$out/tests" 2>&1
  status=$?
  kill $node; wait $node
  grep -E 'FAILED|panicked' -A 2 "$out/tests" | head -60
  awk '/^test result/ { passed += $4; failed += $6 } END { print passed " tests passed, " failed " failed" }' "$out/tests"
  return $status
}
# franz-go's, out of the module; what is left out is in waiting.tsv with its reason.
t_franz_go_own_tests() {
  local module skip
  module=$(cd franz-go && GOFLAGS=-mod=mod go list -m -f '{{.Dir}}' github.com/twmb/franz-go) || return 1
  rm -rf "$home/kgo"; cp -r "$module" "$home/kgo" && chmod -R u+w "$home/kgo" || return 1
  skip=$(awk -F'\t' '$1 == "franz-go" { print $2 }' waiting.tsv | paste -sd'|')
  (cd "$home/kgo/pkg/kgo" && KGO_SEEDS=$address KGO_TEST_RF=1 KGO_TEST_RECORDS=${KGO_RECORDS:-20000} \
    timeout 900 go test -count=1 -skip "^($skip)$" -timeout 15m -v .) > "$out/tests" 2>&1
  local status=$?
  grep -E '^(---|===)? *--- FAIL|^FAIL|panic' "$out/tests" | head -40
  echo "$(grep -c '^--- PASS' "$out/tests") tests passed, $(grep -c '^--- FAIL' "$out/tests") failed, $(grep -c '^--- SKIP' "$out/tests") skipped"
  return $status
}

# --- the node itself
t_metrics() { timeout 60 "$home/venv/bin/python" python/metrics.py "$http" "$here/../../docs/reference/metrics.md"; }
t_kill_9() { python kill9.py "$ottla" "${KILL_CYCLES:-10}"; }
t_kill_9_groups() { "$home/venv/bin/python" kill9_groups.py "$ottla" "${KILL_CYCLES:-10}"; }
t_differential() { differential/against.sh "$ottla"; }
t_disk_full() { "$home/venv/bin/python" ../chaos/diskfull.py "${DISK_CYCLES:-3}" "$ottla"; }
t_power_loss() { ../chaos/run.sh "$ottla" "${POWER_CYCLES:-2}"; }

# --- our own client, the same suite against both
client_suite() {
  cd "$here/../.." || return 1
  export CLIENT_TEST_BOOTSTRAP=$1 CLIENT_TEST_JARS=$home/kafka
  timeout 300 cargo test -p ottla-client --test it --locked --quiet -- --test-threads 4 --skip sim:: --skip hostile:: || return 1
  timeout 200 cargo test -p ottla-client --lib --locked --quiet -- assignor::java || return 1
  # By itself: it kills the broker.
  CLIENT_TEST_RESTART=$2 timeout 200 cargo test -p ottla-client --test it --locked --quiet -- restart::
}
t_ottla_client() {
  local data=$out/data own=127.0.0.1:$((port + 12))
  cat > "$out/start" <<END
[ ! -e "$out/pid" ] || { kill -9 \$(cat "$out/pid"); sleep 0.2; }
: > "$out/ready"
"$ottla" start --data "$data" --set listeners=PLAINTEXT://$own --set group.initial.rebalance.delay.ms=0 --set group.min.session.timeout.ms=1000 --set ottla.http.listeners= > "$out/ready" 2>> "$out/broker.log" < /dev/null &
echo \$! > "$out/pid"
for _ in \$(seq 200); do grep -q '^ottla ready' "$out/ready" && exit 0; sleep 0.05; done
exit 1
END
  sh "$out/start" || { cat "$out/broker.log"; return 1; }
  (client_suite "$own" "sh $out/start"); local result=$?
  kill "$(cat "$out/pid")"
  return $result
}
t_ottla_client_kafka() {
  export PEER_HOME=$out/peer PEER_PORT=$((port + 100)) PEER_HEAP=512m PEER_QUIET=1
  mkdir -p "$PEER_HOME" && ln -sfn "$home/kafka" "$PEER_HOME/lib"
  for jar in "$home"/kafka/*.jar; do unzip -Z1 "$jar"; done | grep '\.class$' | sort -u > "$PEER_HOME/classes.txt"
  kafka-peer/run.sh format 1 && kafka-peer/run.sh start || return 1
  (client_suite 127.0.0.1:$PEER_PORT "$here/kafka-peer/run.sh kill 1 && $here/kafka-peer/run.sh start 1"); local result=$?
  kafka-peer/run.sh stop
  return $result
}
