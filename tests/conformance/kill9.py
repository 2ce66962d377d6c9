"""Kills a real broker with SIGKILL again and again under load from an acks=all idempotent producer: nothing that was
acknowledged is lost, doubled or out of order. kill9.py OTTLA CYCLES"""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Consumer, Producer, TopicPartition, OFFSET_BEGINNING

ottla, cycles = sys.argv[1], int(sys.argv[2])
port = 19592
address = "127.0.0.1:%d" % port
work = tempfile.mkdtemp()
PARTITIONS = 4


def start():
    broker = subprocess.Popen(
        [ottla, "start", "--data", work + "/data", "--set", "listeners=PLAINTEXT://" + address,
         "--set", "num.partitions=%d" % PARTITIONS],
        stdout=subprocess.PIPE, stderr=open(work + "/log", "a"), text=True)
    line = broker.stdout.readline()
    assert line.startswith("ottla ready"), line + open(work + "/log").read()
    return broker


broker = start()
acknowledged = [0] * PARTITIONS
sent = [0] * PARTITIONS
producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True, "linger.ms": 2,
                     "reconnect.backoff.max.ms": 200, "message.timeout.ms": 120000, "batch.num.messages": 200})
failures = []


def delivered(error, message):
    if error:
        failures.append(error)
    else:
        assert int(message.value()) == acknowledged[message.partition()], "acknowledged out of order"
        acknowledged[message.partition()] += 1


random.seed(int(os.environ.get("SEED", "1")))
for cycle in range(cycles):
    kill_at = time.time() + random.uniform(0.1, 0.6)
    killed = False
    while True:
        partition = random.randrange(PARTITIONS)
        try:
            producer.produce("kill", b"%d" % sent[partition], partition=partition, on_delivery=delivered)
            sent[partition] += 1
        except BufferError:
            producer.poll(0.05)
        if sum(sent) % 50 == 0:
            producer.poll(0.001)
        if not killed and kill_at <= time.time():
            broker.send_signal(signal.SIGKILL)
            broker.wait()
            broker = start()
            killed, until = True, time.time() + 0.2
        if killed and until <= time.time():
            break
assert producer.flush(60) == 0, "not everything was acknowledged"
assert not failures, failures[:3]
assert acknowledged == sent

reader = Consumer({"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False})
for partition in range(PARTITIONS):
    reader.assign([TopicPartition("kill", partition, OFFSET_BEGINNING)])
    expected = 0
    until = time.time() + 60
    while expected < sent[partition]:
        assert time.time() < until, "%d of %d read" % (expected, sent[partition])
        for message in reader.consume(5000, 1):
            assert message.error() is None, message.error()
            assert int(message.value()) == expected, "partition %d: %s at %d" % (partition, message.value(), expected)
            assert message.offset() == expected
            expected += 1
    low, high = reader.get_watermark_offsets(TopicPartition("kill", partition), timeout=10)
    assert high == sent[partition], "doubled or lost: %d records, %d sent" % (high, sent[partition])
reader.close()
broker.terminate()
assert broker.wait(20) == 0
shutil.rmtree(work)
print("%d kills, %d records acknowledged: 0 lost, 0 doubled, 0 out of order" % (cycles, sum(sent)))
