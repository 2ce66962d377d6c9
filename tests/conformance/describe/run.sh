#!/usr/bin/env bash
# What Apache Kafka's own tools print of topics, brokers, groups and client metrics, of Ottla and of Apache Kafka 4.3.1.
#   run.sh record ADDRESS JARS    keeps what they print of a fresh Apache Kafka in printed.txt
#   run.sh compare ADDRESS JARS   prints the difference for a fresh Ottla, and fails if there is one
# Ids, ports and what the peer's server.properties sets are left out, as are settings of Ottla's own.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
what=$1 address=$2 jars=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'rootLogger.level=OFF' > "$work/log4j2.properties"

tool() {
  local class=$1; shift
  echo "$ ${class##*.} $*"
  timeout 60 java -Xmx256m -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile="$work/log4j2.properties" -cp "$jars/*" "$class" \
    --bootstrap-server "$address" "$@" 2>&1
}
topics() { tool org.apache.kafka.tools.TopicCommand "$@"; }
configs() { tool kafka.admin.ConfigCommand "$@"; }

story() {
  topics --create --topic shown --partitions 3 --config retention.ms=7200000 --config cleanup.policy=compact,delete
  topics --describe --topic shown
  configs --alter --entity-type topics --entity-name shown --add-config 'segment.ms= 90000 ,compression.type=zstd' --delete-config retention.ms
  configs --alter --entity-type brokers --entity-name 1 --add-config message.max.bytes=2000000
  configs --alter --entity-type brokers --entity-default --add-config log.retention.ms=86400000
  configs --alter --entity-type groups --entity-name readers --add-config consumer.session.timeout.ms=50000
  configs --alter --entity-type client-metrics --entity-name watched --add-config 'interval.ms=5000,metrics=[org.apache.kafka.producer.]'
  topics --alter --topic shown --partitions 5
  sleep 1
  topics --describe --topic shown
  topics --describe --topics-with-overrides --topic shown
  configs --describe --entity-type topics --entity-name shown
  configs --describe --all --entity-type topics --entity-name shown
  configs --describe --entity-type brokers --entity-name 1
  configs --describe --all --entity-type brokers --entity-name 1
  configs --describe --entity-type brokers --entity-default
  configs --describe --entity-type groups --entity-name readers
  configs --describe --all --entity-type groups --entity-name readers
  configs --describe --all --entity-type client-metrics --entity-name watched
  configs --alter --entity-type topics --entity-name shown --add-config no.such=1 | head -n 3
  topics --delete --topic shown
  topics --describe --topic shown | head -n 2
  configs --alter --entity-type brokers --entity-name 1 --delete-config message.max.bytes
  configs --alter --entity-type brokers --entity-default --delete-config log.retention.ms
}

# What differs between two right brokers.
set_by_the_peer='advertised.listeners|allow.everyone.if.no.acl.found|authorizer.class.name|auto.create.topics.enable|broker.id|broker.rack|controller.listener.names|controller.quorum.voters|default.replication.factor|delete.topic.enable|group.initial.rebalance.delay.ms|group.min.session.timeout.ms|group.share.min.record.lock.duration.ms|inter.broker.listener.name|listener.security.protocol.map|listeners|log.dir|log.dirs|node.id|num.partitions|offsets.topic.num.partitions|offsets.topic.replication.factor|process.roles|replica.selector.class|share.coordinator.state.topic.min.isr|share.coordinator.state.topic.num.partitions|share.coordinator.state.topic.replication.factor|super.users|transaction.state.log.min.isr|transaction.state.log.num.partitions|transaction.state.log.replication.factor'
plain() {
  sed -E "s/TopicId: [A-Za-z0-9_-]+/TopicId: id/; s/(Could not|Error).*/\1 .../; s/127.0.0.1:[0-9]+/address/g" |
    grep -vE "^ +(${set_by_the_peer//./\\.}|ottla\.[a-z.]+)=" | grep -vE '^\s+at |^Caused by|Exception|^\[20' | sed -E 's/[[:space:]]+$//'
}

story | plain > "$work/printed.txt"
if [ "$what" = record ]; then
  cp "$work/printed.txt" "$here/printed.txt"
  echo "$(wc -l < "$here/printed.txt") lines kept"
else
  diff "$here/printed.txt" "$work/printed.txt" > "$work/diff" && echo "$(wc -l < "$work/printed.txt") lines, the same as with Apache Kafka" || { cat "$work/diff"; exit 1; }
fi
