"""Kills a real broker with SIGKILL again and again while a producer writes and two consumers of one group, which come
and go, read and commit: no acknowledged record is lost or doubled, no acknowledged commit is lost, and no committed
offset goes back. kill9_groups.py OTTLA CYCLES"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

ottla, cycles = sys.argv[1], int(sys.argv[2])
port = int(os.environ.get("KILL_PORT", "19593"))
address = "127.0.0.1:%d" % port
work = tempfile.mkdtemp()
PARTITIONS = 4
random.seed(int(os.environ.get("SEED", "1")))


def start():
    broker = subprocess.Popen(
        [ottla, "start", "--data", work + "/data", "--set", "listeners=PLAINTEXT://" + address, "--set", "num.partitions=%d" % PARTITIONS,
         "--set", "group.initial.rebalance.delay.ms=100", "--set", "group.min.session.timeout.ms=1000", "--set", "offsets.topic.num.partitions=4", "--set", "log.cleaner.backoff.ms=200"],
        stdout=subprocess.PIPE, stderr=open(work + "/log", "a"), text=True)
    line = broker.stdout.readline()
    assert line.startswith("ottla ready"), line + open(work + "/log").read()
    return broker


lock, failures = threading.Lock(), []
acknowledged = [0] * PARTITIONS  # commits: the highest offset whose commit was answered
commits = rebalances = 0


class Reader(threading.Thread):
    """A member: reads, checks that what it reads continues, commits synchronously."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.reader_name, self.stopping, self.seen = name, threading.Event(), {}

    def assigned(self, consumer, partitions):
        global rebalances
        with lock:
            rebalances += 1
        self.gone(consumer, partitions)
        known = consumer.committed([TopicPartition("kill", p.partition) for p in partitions], timeout=60)
        with lock:
            for p in known:
                offset = max(p.offset, 0)
                if offset < acknowledged[p.partition]:
                    failures.append("partition %d: committed %d, and now %d" % (p.partition, acknowledged[p.partition], p.offset))

    def gone(self, consumer, partitions):
        for p in partitions:
            self.seen.pop(p.partition, None)

    def run(self):
        global commits
        consumer = Consumer({"bootstrap.servers": address, "group.id": "killed", "client.id": self.reader_name, "enable.auto.commit": False,
                             "auto.offset.reset": "earliest", "session.timeout.ms": 3000, "heartbeat.interval.ms": 200,
                             "reconnect.backoff.max.ms": 200, "log_level": 0, "partition.assignment.strategy": "cooperative-sticky"})
        consumer.subscribe(["kill"], on_assign=self.assigned, on_revoke=self.gone, on_lost=self.gone)
        while not self.stopping.is_set():
            for message in consumer.consume(500, 0.05):
                if message.error():
                    continue
                p, value = message.partition(), int(message.value())
                if value != message.offset():
                    failures.append("partition %d: the record %d at offset %d" % (p, value, message.offset()))
                if p in self.seen and self.seen[p] + 1 != message.offset():
                    failures.append("partition %d: %d after %d" % (p, message.offset(), self.seen[p]))
                self.seen[p] = message.offset()
            if not self.seen:
                continue
            offsets = [TopicPartition("kill", p, o + 1) for p, o in self.seen.items()]
            try:
                done = consumer.commit(offsets=offsets, asynchronous=False)
            except KafkaException:
                continue  # a rebalance, or the broker is down: it will read again
            with lock:
                for p in done:
                    if p.error is None:
                        commits += 1
                        acknowledged[p.partition] = max(acknowledged[p.partition], p.offset)
        consumer.close()


def compact_all_the_time():
    """The log of offsets is cut every second and compacted at once, so that coordinators load what compaction leaves."""
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
               for name, value in (("segment.ms", "1000"), ("min.cleanable.dirty.ratio", "0.01"), ("delete.retention.ms", "1000"))]
    resource = ConfigResource(ResourceType.TOPIC, "__consumer_offsets", incremental_configs=entries)
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)


broker = start()
delivered_count, sent = [0] * PARTITIONS, [0] * PARTITIONS
producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True, "linger.ms": 2,
                     "reconnect.backoff.max.ms": 200, "log_level": 0, "message.timeout.ms": 120000})


def delivered(error, message):
    if error:
        failures.append(str(error))
    else:
        delivered_count[message.partition()] += 1


readers = [Reader("a"), Reader("b")]
for reader in readers:
    reader.start()
until = time.time() + 30
while rebalances < 2 and time.time() < until:  # the group is there, and so is its topic
    producer.produce("kill", b"%d" % sent[0], partition=0, on_delivery=delivered)
    sent[0] += 1
    producer.poll(0.1)
compact_all_the_time()
for cycle in range(cycles):
    kill_at, killed = time.time() + random.uniform(0.2, 0.8), False
    while True:
        partition = random.randrange(PARTITIONS)
        producer.produce("kill", b"%d" % sent[partition], partition=partition, on_delivery=delivered)
        sent[partition] += 1
        producer.poll(0.001)
        if not killed and kill_at <= time.time():
            broker.send_signal(signal.SIGKILL)
            broker.wait()
            broker = start()
            killed, until = True, time.time() + 0.3
        if killed and until <= time.time():
            break
    if cycle % 10 == 4:  # one member goes, another comes
        readers[0].stopping.set()
        readers[0].join(30)
        readers = [readers[1], Reader("n%d" % cycle)]
        readers[1].start()
    assert not failures, failures[:5]
assert producer.flush(60) == 0, "not everything was acknowledged"
until = time.time() + 90
while acknowledged != sent and time.time() < until and not failures:
    time.sleep(0.2)
assert not failures, failures[:5]
assert acknowledged == sent, "committed %s of %s" % (acknowledged, sent)
assert delivered_count == sent
for reader in readers:
    reader.stopping.set()
for reader in readers:
    reader.join(30)
last = Consumer({"bootstrap.servers": address, "group.id": "killed"})
kept = [p.offset for p in last.committed([TopicPartition("kill", p) for p in range(PARTITIONS)], timeout=20)]
ends = [last.get_watermark_offsets(TopicPartition("kill", p), timeout=10)[1] for p in range(PARTITIONS)]
last.close()
assert kept == sent and ends == sent, "committed %s, ends %s, sent %s" % (kept, ends, sent)
time.sleep(2)
inside = Consumer({"bootstrap.servers": address, "group.id": "inside", "enable.partition.eof": True, "log_level": 0})
inside.assign([TopicPartition("__consumer_offsets", p, 0) for p in range(4)])
written = sum(inside.get_watermark_offsets(TopicPartition("__consumer_offsets", p), timeout=10)[1] for p in range(4))
left = ended = 0
while ended < 4:
    for message in inside.consume(1000, 5):
        ended += message.error() is not None
        left += message.error() is None
inside.close()
assert left < written / 2, "%d of %d records are left: compaction does not run" % (left, written)
broker.terminate()
assert broker.wait(20) == 0
shutil.rmtree(work)
print("%d kills, %d records read from committed offsets, %d commits, %d assignments, compaction left %d of %d records of offsets: "
      "0 lost, 0 doubled, no committed offset went back" % (cycles, sum(sent), commits, rebalances, left, written))
