"""librdkafka's groups through confluent-kafka-python: assignors, static members, offsets, admin. ADDRESS [TEST...]"""
import sys
import threading
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic

import story

address = sys.argv[1]
admin = AdminClient({"bootstrap.servers": address})
producer = Producer({"bootstrap.servers": address, "acks": "all", "linger.ms": 0})


class Member(threading.Thread):
    def __init__(self, topic, seen, assignor="range", instance=None):
        super().__init__(daemon=True)
        self.topic, self.seen, self.owned, self.rebalances = topic, seen, set(), 0
        self.failure, self.stop, self.cooperative = None, False, assignor.startswith("cooperative")
        more = {"group.instance.id": instance} if instance else {}
        self.consumer = Consumer({
            "bootstrap.servers": address, "group.id": topic, "partition.assignment.strategy": assignor,
            "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 200, "fetch.wait.max.ms": 50, **more})
        self.counted = {}
        self.start()

    def assigned(self, consumer, partitions):
        self.rebalances += 1
        consumer.incremental_assign(partitions) if self.cooperative else consumer.assign(partitions)
        self.owned |= {partition.partition for partition in partitions}

    def revoked(self, consumer, partitions):
        self.commit()
        self.owned -= {partition.partition for partition in partitions}
        consumer.incremental_unassign(partitions) if self.cooperative else consumer.unassign()

    def commit(self):
        if self.counted:
            offsets = [TopicPartition(self.topic, at, offset + 1) for at, offset in self.counted.items()]
            for done in self.consumer.commit(offsets=offsets, asynchronous=False):
                assert done.error is None, done.error
            self.counted = {}

    def run(self):
        try:
            self.consumer.subscribe([self.topic], on_assign=self.assigned, on_revoke=self.revoked)
            while not self.stop:
                for message in self.consumer.consume(200, 0.05):
                    assert message.error() is None, message.error()
                    self.seen.add(message.partition(), message.offset())
                    self.counted[message.partition()] = message.offset()
                try:
                    self.commit()
                except KafkaException as error:
                    # What was counted is committed when its partition is given up, or after.
                    assert error.args[0].name() in ("REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION"), error
            self.commit()
        except Exception as error:
            self.failure = error
        finally:
            try:
                self.consumer.close()
            except Exception as error:
                self.failure = self.failure or error

    def leave(self):
        self.stop = True
        self.join()
        assert self.failure is None, self.failure


def create(name, partitions=story.PARTITIONS, **config):
    admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(10)


def produce(topic, partition, value):
    done = []
    producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: done.append(error))
    while not done:
        producer.poll(1)
    assert done[0] is None, done[0]


def committed(group, topic):
    result = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(10)
    return sum(partition.offset for partition in result.topic_partitions)


def comes_and_goes(assignor):
    topic = "rdk-group-" + assignor
    create(topic)
    story.come_and_go(topic, lambda topic, seen: Member(topic, seen, assignor), produce, committed)


def test_range():
    comes_and_goes("range")


def test_roundrobin():
    comes_and_goes("roundrobin")


def test_cooperative_sticky():
    comes_and_goes("cooperative-sticky")


def test_static_members():
    create("rdk-static")
    story.static_members("rdk-static", Member)


def test_stored_offsets_and_committed_metadata():
    create("rdk-offsets", 2)
    for n in range(20):
        produce("rdk-offsets", n % 2, b"%d" % n)
    consumer = Consumer({"bootstrap.servers": address, "group.id": "rdk-offsets", "auto.offset.reset": "earliest"})
    consumer.subscribe(["rdk-offsets"])
    read = []
    story.wait("all are read", lambda: read.extend(consumer.consume(20, 0.2)) or len(read) == 20, lambda: len(read))
    consumer.close()
    assert committed("rdk-offsets", "rdk-offsets") == 20, "closing commits what was read"
    consumer = Consumer({"bootstrap.servers": address, "group.id": "rdk-offsets"})
    consumer.commit(offsets=[TopicPartition("rdk-offsets", 0, 3, "note")], asynchronous=False)
    found = consumer.committed([TopicPartition("rdk-offsets", 0), TopicPartition("rdk-offsets", 1)], timeout=10)
    assert [(at.offset, at.metadata) for at in found] == [(3, "note"), (10, None)], found
    consumer.close()


def test_admin_of_groups():
    described = admin.describe_consumer_groups(["rdk-offsets"])["rdk-offsets"].result(10)
    assert described.state.name == "EMPTY" and not described.members, described.state
    listed = {group.group_id for group in admin.list_consumer_groups().result(10).valid}
    assert "rdk-offsets" in listed, listed
    wanted = ConsumerGroupTopicPartitions("rdk-offsets", [TopicPartition("rdk-offsets", 1, 7)])
    admin.alter_consumer_group_offsets([wanted])["rdk-offsets"].result(10)
    assert committed("rdk-offsets", "rdk-offsets") == 3 + 7
    admin.delete_consumer_groups(["rdk-offsets"])["rdk-offsets"].result(10)
    try:
        admin.delete_consumer_groups(["rdk-offsets"])["rdk-offsets"].result(10)
    except KafkaException as error:
        assert error.args[0].name() == "GROUP_ID_NOT_FOUND", error
    else:
        raise AssertionError("a group was deleted twice")


def test_admin_of_topics():
    create("rdk-admin", 2)
    admin.create_partitions([NewPartitions("rdk-admin", 4)])["rdk-admin"].result(10)
    story.wait("four partitions", lambda: len(admin.list_topics("rdk-admin", 10).topics["rdk-admin"].partitions) == 4,
               lambda: admin.list_topics("rdk-admin", 10).topics["rdk-admin"].partitions)
    change = ConfigEntry("retention.ms", "1234567", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, "rdk-admin", incremental_configs=[change])
    admin.incremental_alter_configs([resource])[resource].result(10)
    plain = ConfigResource(ConfigResource.Type.TOPIC, "rdk-admin")
    assert admin.describe_configs([plain])[plain].result(10)["retention.ms"].value == "1234567"
    for _ in range(10):
        produce("rdk-admin", 3, b"x")
    partition = TopicPartition("rdk-admin", 3, 4)
    assert admin.delete_records([partition])[partition].result(10).low_watermark == 4


story.run(dict(globals()), sys.argv[2:])
