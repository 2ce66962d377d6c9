"""kafka-python: codecs, headers, idempotence, seeking, groups with every assignor, admin. ADDRESS [TEST...]

ADDRESS offsets TOPIC END prints the offset of each record of partition 0 up to the one before END."""
import logging
import sys
import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import CommitFailedError, RebalanceInProgressError, TopicAlreadyExistsError
from kafka.structs import OffsetAndMetadata

import story

logging.disable(logging.CRITICAL)
address = sys.argv[1]
admin = KafkaAdminClient(bootstrap_servers=address)
producer = KafkaProducer(bootstrap_servers=address, acks="all", linger_ms=0)


class Member(threading.Thread, ConsumerRebalanceListener):
    def __init__(self, topic, seen, assignor=RangePartitionAssignor, instance=None):
        super().__init__(daemon=True)
        self.topic, self.seen, self.owned, self.rebalances, self.counted = topic, seen, set(), 0, {}
        self.failure, self.stop = None, False
        self.consumer = KafkaConsumer(
            bootstrap_servers=address, group_id=topic, group_instance_id=instance,
            partition_assignment_strategy=[assignor], enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=10000, heartbeat_interval_ms=200, fetch_max_wait_ms=50)
        self.start()

    def on_partitions_assigned(self, assigned):
        self.rebalances += 1
        self.owned |= {partition.partition for partition in assigned}

    def on_partitions_revoked(self, revoked):
        self.commit()
        self.owned -= {partition.partition for partition in revoked}

    def commit(self):
        if self.counted:
            self.consumer.commit({TopicPartition(self.topic, at): OffsetAndMetadata(offset + 1, "", -1)
                                  for at, offset in self.counted.items()})
            self.counted = {}

    def run(self):
        try:
            # Version 3.0.12 may lose its second assignment if it joins before it knows the topic.
            while not self.consumer.partitions_for_topic(self.topic):
                time.sleep(0.01)
            self.consumer.subscribe([self.topic], listener=self)
            while not self.stop:
                # Version 3.0.12 may lose its place in a rebalance that outlasts a poll, so polls are long.
                for records in self.consumer.poll(1000).values():
                    for record in records:
                        self.seen.add(record.partition, record.offset)
                        self.counted[record.partition] = record.offset
                try:
                    self.commit()
                except RebalanceInProgressError:
                    # What was counted is committed when its partition is given up, or after.
                    pass
            self.commit()
        except Exception as error:
            self.failure = error
        finally:
            self.consumer.close(autocommit=False)

    def leave(self):
        self.stop = True
        self.join()
        assert self.failure is None, self.failure


def create(name, partitions=story.PARTITIONS, **config):
    admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])


def produce(topic, partition, value):
    producer.send(topic, value, partition=partition).get(10)


def committed(group, topic):
    offsets = admin.list_group_offsets(group)
    offsets = offsets.get(group, offsets)
    return sum(offset.offset for offset in offsets.values())


def read(topic, partition, offset, count):
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    consumer.assign([TopicPartition(topic, partition)])
    consumer.seek(TopicPartition(topic, partition), offset)
    records, until = [], time.time() + 20
    while len(records) < count:
        assert time.time() < until, "%d of %d records" % (len(records), count)
        for some in consumer.poll(500).values():
            records += some
    consumer.close()
    return records


def test_every_codec_and_headers():
    create("kp-codecs", 1)
    total = 0
    for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
        with KafkaProducer(bootstrap_servers=address, compression_type=codec, acks="all", linger_ms=5) as one:
            sent = [one.send("kp-codecs", b"%s-%d" % (str(codec).encode(), n), key=b"k", partition=0,
                             headers=[("same", b"1"), ("same", b"2")]) for n in range(100)]
            one.flush(20)
            assert [future.get(10).offset for future in sent] == list(range(total, total + 100))
        total += 100
    records = read("kp-codecs", 0, 0, total)
    assert records[-1].value == b"zstd-99" and records[-1].offset == total - 1
    assert all(list(record.headers) == [("same", b"1"), ("same", b"2")] for record in records)


def test_idempotence_keeps_order():
    create("kp-idempotent", 1)
    with KafkaProducer(bootstrap_servers=address, enable_idempotence=True, linger_ms=1, batch_size=1000) as one:
        for n in range(3000):
            one.send("kp-idempotent", b"%d" % n, partition=0)
        one.flush(30)
    assert [int(record.value) for record in read("kp-idempotent", 0, 0, 3000)] == list(range(3000))


def test_seek_by_time_and_offset():
    create("kp-seek", 1)
    start = int(time.time() * 1000) - 1_000_000
    for n in range(200):
        producer.send("kp-seek", b"%d" % n, partition=0, timestamp_ms=start + 10 * n)
    producer.flush(20)
    partition = TopicPartition("kp-seek", 0)
    consumer = KafkaConsumer(bootstrap_servers=address)
    found = consumer.offsets_for_times({partition: start + 995})[partition]
    assert (found.offset, found.timestamp) == (100, start + 1000), found
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition]) == {partition: 200}
    consumer.close()
    assert read("kp-seek", 0, 123, 1)[0].value == b"123"


def test_large_records():
    create("kp-large", 1, **{"max.message.bytes": "3000000"})
    with KafkaProducer(bootstrap_servers=address, max_request_size=5_000_000) as one:
        one.send("kp-large", b"x" * 2_500_000, partition=0).get(20)
    assert len(read("kp-large", 0, 0, 1)[0].value) == 2_500_000


def comes_and_goes(name, assignor):
    create("kp-group-" + name)
    story.come_and_go("kp-group-" + name, lambda topic, seen: Member(topic, seen, assignor), produce, committed)


def test_range():
    comes_and_goes("range", RangePartitionAssignor)


def test_roundrobin():
    comes_and_goes("roundrobin", RoundRobinPartitionAssignor)


def test_sticky():
    comes_and_goes("sticky", StickyPartitionAssignor)


def test_cooperative_sticky():
    comes_and_goes("cooperative", CooperativeStickyAssignor)


def test_static_members():
    create("kp-static")
    story.static_members("kp-static", Member)


def test_admin():
    try:
        create("kp-large", 1)
    except TopicAlreadyExistsError:
        pass
    else:
        raise AssertionError("a topic was created twice")
    assert "kp-large" in admin.list_topics()
    admin.create_partitions({"kp-large": 3})
    story.wait("three partitions", lambda: len(admin.describe_topics(["kp-large"])[0]["partitions"]) == 3,
               lambda: admin.describe_topics(["kp-large"]))
    admin.delete_records({TopicPartition("kp-seek", 0): 50})
    consumer = KafkaConsumer(bootstrap_servers=address)
    assert consumer.beginning_offsets([TopicPartition("kp-seek", 0)]) == {TopicPartition("kp-seek", 0): 50}
    consumer.close()
    admin.delete_topics(["kp-large"])
    story.wait("it is gone", lambda: "kp-large" not in admin.list_topics(), admin.list_topics)


def print_offsets(topic, end):
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False, auto_offset_reset="earliest")
    partition, until = TopicPartition(topic, 0), time.time() + 20
    consumer.assign([partition])
    while consumer.position(partition) < end and time.time() < until:
        for records in consumer.poll(200).values():
            for record in records:
                print(record.offset)
    consumer.close()


if sys.argv[2:3] == ["offsets"]:
    print_offsets(sys.argv[3], int(sys.argv[4]))
else:
    story.run(dict(globals()), sys.argv[2:])
