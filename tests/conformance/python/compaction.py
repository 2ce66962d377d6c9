"""A compacted topic keeps exactly the newest value of each key, in order, and forgets deleted keys. ADDRESS SECONDS [SCRIPT]

SCRIPT is run with the topic and the end of its log; each line `CLIENT OFFSET` that it prints is a record that the
client read, and each client must read the newest record of every key, in order, over all the gaps."""
import collections
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition, OFFSET_BEGINNING
from confluent_kafka.admin import AdminClient, NewTopic

address, seconds = sys.argv[1], int(sys.argv[2])
KEYS, ROUNDS = 40, 300
topic = "compacted-%d" % (time.time() * 1000)
admin = AdminClient({"bootstrap.servers": address})
settings = {"cleanup.policy": "compact", "segment.bytes": "1048576", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01",
            "delete.retention.ms": "100", "max.compaction.lag.ms": "1000", "compression.type": "producer"}
admin.create_topics([NewTopic(topic, 1, 1, config=settings)])[topic].result(10)
producer = Producer({"bootstrap.servers": address, "linger.ms": 5, "compression.type": "lz4"})


def produce(key, value):
    producer.produce(topic, value, key=key, partition=0)
    producer.poll(0)


sent = 0
for n in range(ROUNDS):
    for key in range(KEYS):
        produce(b"k%d" % key, b"%d " % n + b"x" * 200)
        sent += 1
for key in range(0, KEYS, 4):
    produce(b"k%d" % key, None)
    sent += 1
assert producer.flush(30) == 0


def read():
    consumer = Consumer({"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    records, until = [], time.time() + 30
    while time.time() < until:
        for message in consumer.consume(1000, 1):
            if message.error() is None:
                records.append((message.offset(), message.key(), message.value()))
            else:
                assert message.error().name() == "_PARTITION_EOF", message.error()
                consumer.close()
                return records
    raise AssertionError("the end was not reached")


until = time.time() + seconds
while True:
    # Something new, so that what is old becomes cleanable.
    produce(b"tick", b"%d" % time.time())
    assert producer.flush(30) == 0
    records = read()
    offsets = [offset for offset, _, _ in records]
    assert offsets == sorted(set(offsets)), "offsets out of order"
    last = {}
    for _, key, value in records:
        last[key] = value
    for key in range(KEYS):
        value = last.get(b"k%d" % key)
        if key % 4 == 0:
            assert value is None, "a deleted key is back: %d" % key
        else:
            assert value and value.startswith(b"%d " % (ROUNDS - 1)), "the newest value of key %d is lost: %s" % (key, value)
    gone = all(b"k%d" % key not in last for key in range(0, KEYS, 4))
    if len(records) < sent // 10 and gone:
        break
    assert time.time() < until, "%d of %d records are left, deleted keys %s" % (len(records), sent, "gone" if gone else "still there")
    time.sleep(1)
print("ok compaction: %d of %d records are left after %.0f s" % (len(records), sent, seconds - (until - time.time())))


def every_client_reads_over_the_gaps(script):
    newest = {key: offset for offset, key, _ in records}
    end = records[-1][0] + 1
    said = subprocess.run([script, topic, str(end)], capture_output=True, text=True, timeout=100)
    assert said.returncode == 0, said.stdout[-500:] + said.stderr[-2000:]
    read = collections.defaultdict(list)
    for line in said.stdout.splitlines():
        client, offset = line.split()
        read[client].append(int(offset))
    kept = {offset for key, offset in newest.items() if key != b"tick"}
    assert read, "no client read anything"
    for client, offsets in read.items():
        assert offsets == sorted(set(offsets)), "%s: offsets out of order" % client
        assert kept <= set(offsets), "%s misses %s" % (client, sorted(kept - set(offsets))[:5])
        assert offsets[-1] == end - 1, "%s ends at %d, not %d" % (client, offsets[-1], end - 1)
    print("read over its gaps by %s" % ", ".join(sorted(read)))


if 3 < len(sys.argv):
    every_client_reads_over_the_gaps(sys.argv[3])
