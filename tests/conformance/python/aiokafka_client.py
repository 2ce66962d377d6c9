"""aiokafka: codecs, headers, idempotence, seeking, large records, groups with every assignor, admin. ADDRESS [TEST...]

ADDRESS offsets TOPIC END prints the offset of each record of partition 0 up to the one before END."""
import asyncio
import logging
import sys
import threading
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, MessageSizeTooLargeError, RebalanceInProgressError

import story

logging.disable(logging.CRITICAL)
address = sys.argv[1]
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def wait(coroutine, seconds=40):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(seconds)


class Member(ConsumerRebalanceListener):
    """Lives on the loop's thread."""

    def __init__(self, topic, seen, assignor=RoundRobinPartitionAssignor, instance=None):
        self.topic, self.seen, self.owned, self.rebalances, self.counted = topic, seen, set(), 0, {}
        self.failure, self.stop = None, False
        self.running = asyncio.run_coroutine_threadsafe(self.run(assignor, instance), loop)

    async def on_partitions_assigned(self, assigned):
        self.rebalances += 1
        self.owned |= {partition.partition for partition in assigned}

    async def on_partitions_revoked(self, revoked):
        # What was counted is committed before anybody else has these partitions.
        await self.commit()
        self.owned -= {partition.partition for partition in revoked}
        self.counted = {}

    async def commit(self):
        counted = dict(self.counted)
        if counted:
            await self.consumer.commit({TopicPartition(self.topic, at): offset + 1 for at, offset in counted.items()})
            self.counted = {at: offset for at, offset in self.counted.items() if counted.get(at) != offset}

    async def run(self, assignor, instance):
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=address, group_id=self.topic, group_instance_id=instance,
            partition_assignment_strategy=[assignor], enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=10000, heartbeat_interval_ms=200, fetch_max_wait_ms=50)
        try:
            self.consumer.subscribe([self.topic], listener=self)
            await self.consumer.start()
            while not self.stop:
                # Nothing is awaited between the records' arrival and their count, so that no rebalance comes between.
                for partition, records in (await self.consumer.getmany(timeout_ms=20)).items():
                    for record in records if partition.partition in self.owned else []:
                        self.seen.add(record.partition, record.offset)
                        self.counted[record.partition] = record.offset
                try:
                    await self.commit()
                except (CommitFailedError, IllegalStateError, RebalanceInProgressError):
                    # What was counted is committed when its partition is given up, or with the next records.
                    pass
                await asyncio.sleep(0.01)
            await self.commit()
        except Exception as error:
            self.failure = error
        finally:
            await self.consumer.stop()

    def leave(self):
        self.stop = True
        self.running.result(40)
        assert self.failure is None, repr(self.failure)


async def create_topic(name, partitions, config):
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    answer = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
    assert answer.topic_errors[0][1] == 0, answer
    await admin.close()


def create(name, partitions=story.PARTITIONS, **config):
    wait(create_topic(name, partitions, config))


async def make_producer(**more):
    one = AIOKafkaProducer(bootstrap_servers=address, **more)
    await one.start()
    return one


producer = wait(make_producer(acks="all"))


def produce(topic, partition, value):
    wait(producer.send_and_wait(topic, value, partition=partition))


def committed(group, topic):
    async def ask():
        consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id=group, enable_auto_commit=False)
        await consumer.start()
        offsets = [await consumer.committed(TopicPartition(topic, at)) for at in range(story.PARTITIONS)]
        await consumer.stop()
        return sum(offset or 0 for offset in offsets)
    return wait(ask())


async def read(topic, partition, offset, count):
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition)])
    consumer.seek(TopicPartition(topic, partition), offset)
    records, until = [], time.time() + 20
    while len(records) < count:
        assert time.time() < until, "%d of %d records" % (len(records), count)
        for some in (await consumer.getmany(timeout_ms=500)).values():
            records += some
    await consumer.stop()
    return records


def test_every_codec_and_headers():
    create("aio-codecs", 1)

    async def produce_all():
        total = 0
        for codec in [None, "gzip", "snappy", "lz4", "zstd"]:
            one = await make_producer(compression_type=codec, acks="all", linger_ms=5)
            sent = [await one.send("aio-codecs", b"%s-%d" % (str(codec).encode(), n), key=b"k", partition=0,
                                   headers=[("same", b"1"), ("same", b"2")]) for n in range(100)]
            assert [(await future).offset for future in sent] == list(range(total, total + 100))
            await one.stop()
            total += 100
        return total

    records = wait(read("aio-codecs", 0, 0, wait(produce_all())))
    assert records[-1].value == b"zstd-99"
    assert all(list(record.headers) == [("same", b"1"), ("same", b"2")] for record in records)


def test_idempotence_keeps_order():
    create("aio-idempotent", 1)

    async def produce_all():
        one = await make_producer(enable_idempotence=True, max_batch_size=1000)
        for future in [await one.send("aio-idempotent", b"%d" % n, partition=0) for n in range(3000)]:
            await future
        await one.stop()

    wait(produce_all())
    assert [int(record.value) for record in wait(read("aio-idempotent", 0, 0, 3000))] == list(range(3000))


def test_seek_by_time_and_offset():
    create("aio-seek", 1)
    start = int(time.time() * 1000) - 1_000_000

    async def produce_and_ask():
        for n in range(200):
            await producer.send("aio-seek", b"%d" % n, partition=0, timestamp_ms=start + 10 * n)
        await producer.flush()
        consumer = AIOKafkaConsumer(bootstrap_servers=address)
        await consumer.start()
        partition = TopicPartition("aio-seek", 0)
        found = (await consumer.offsets_for_times({partition: start + 995}))[partition]
        assert (found.offset, found.timestamp) == (100, start + 1000), found
        assert await consumer.beginning_offsets([partition]) == {partition: 0}
        assert await consumer.end_offsets([partition]) == {partition: 200}
        await consumer.stop()

    wait(produce_and_ask())
    assert wait(read("aio-seek", 0, 123, 1))[0].value == b"123"


def test_large_records():
    create("aio-large", 1, **{"max.message.bytes": "3000000"})

    async def produce_one():
        one = await make_producer(max_request_size=5_000_000)
        await one.send_and_wait("aio-large", b"x" * 2_500_000, partition=0)
        try:
            await one.send_and_wait("aio-large", b"x" * 3_500_000, partition=0)
            raise AssertionError("a batch above max.message.bytes was taken")
        except MessageSizeTooLargeError:
            pass
        finally:
            await one.stop()

    wait(produce_one())
    assert len(wait(read("aio-large", 0, 0, 1))[0].value) == 2_500_000


def test_admin():
    create("aio-admin", 1)
    for n in range(20):
        produce("aio-admin", 0, b"%d" % n)

    async def ask():
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_partitions({"aio-admin": NewPartitions(3)})
        (described,) = await admin.describe_topics(["aio-admin"])
        assert len(described["partitions"]) == 3, described
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "aio-admin", {"retention.ms": "1234567"})])
        (told,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "aio-admin", {"retention.ms": None})])
        assert [entry[1] for entry in told.resources[0][4]] == ["1234567"], told
        low = await admin.delete_records({TopicPartition("aio-admin", 0): RecordsToDelete(5)})
        assert low == {TopicPartition("aio-admin", 0): 5}, low
        consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id="aio-admin-group", enable_auto_commit=False)
        await consumer.start()
        consumer.assign([TopicPartition("aio-admin", 0)])
        await consumer.commit({TopicPartition("aio-admin", 0): 7})
        await consumer.stop()
        assert ("aio-admin-group", "") in [tuple(group) for group in await admin.list_consumer_groups()]
        (group,) = await admin.describe_consumer_groups(["aio-admin-group"])
        assert group.groups[0][2] == "Empty", group
        offsets = await admin.list_consumer_group_offsets("aio-admin-group")
        assert offsets[TopicPartition("aio-admin", 0)].offset == 7, offsets
        await admin.delete_topics(["aio-admin"])
        assert "aio-admin" not in await admin.list_topics()
        await admin.close()

    wait(ask())


async def print_offsets(topic, end):
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    partition, until = TopicPartition(topic, 0), time.time() + 20
    consumer.assign([partition])
    while await consumer.position(partition) < end and time.time() < until:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                print(record.offset)
    await consumer.stop()


def comes_and_goes(name, assignor):
    create("aio-group-" + name)
    story.come_and_go("aio-group-" + name, lambda topic, seen: Member(topic, seen, assignor), produce, committed)


def test_range():
    comes_and_goes("range", RangePartitionAssignor)


def test_roundrobin():
    comes_and_goes("roundrobin", RoundRobinPartitionAssignor)


def test_sticky():
    comes_and_goes("sticky", StickyPartitionAssignor)


def test_static_members():
    create("aio-static")
    story.static_members("aio-static", Member)


if sys.argv[2:3] == ["offsets"]:
    wait(print_offsets(sys.argv[3], int(sys.argv[4])))
else:
    story.run(dict(globals()), sys.argv[2:])
