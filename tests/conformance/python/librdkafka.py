"""librdkafka through confluent-kafka-python: admin, every codec, acks, idempotence, seek by time, large messages."""
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition, OFFSET_BEGINNING, OFFSET_END
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

address = sys.argv[1]
admin = AdminClient({"bootstrap.servers": address})


def consumer(**more):
    return Consumer({"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False, **more})


def read(topic, partition, offset, count, **more):
    """`count` messages from an offset on, without a group."""
    reader = consumer(**more)
    reader.assign([TopicPartition(topic, partition, offset)])
    messages, until = [], time.time() + 20
    while len(messages) < count and time.time() < until:
        message = reader.poll(1)
        if message is not None:
            assert message.error() is None, message.error()
            messages.append(message)
    reader.close()
    assert len(messages) == count, "%d of %d messages" % (len(messages), count)
    return messages


def create(name, partitions=1, **config):
    admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(10)


def produce(topic, values, partition=0, timestamp=None, **more):
    failures = []
    producer = Producer({"bootstrap.servers": address, **more})
    for at, value in enumerate(values):
        extra = {} if timestamp is None else {"timestamp": timestamp + at}
        producer.produce(topic, value, key=b"k%d" % at, partition=partition,
                         on_delivery=lambda error, _: failures.append(error) if error else None, **extra)
        producer.poll(0)
    assert producer.flush(30) == 0, "not everything was delivered"
    assert not failures, failures[0]


def test_every_codec_and_acks():
    create("rdk-codecs", 3)
    total = 0
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        for acks in ["0", "1", "all"]:
            produce("rdk-codecs", [b"%s-%s-%d" % (codec.encode(), acks.encode(), n) for n in range(100)],
                    partition=1, acks=acks, **{"compression.type": codec})
            total += 100
    time.sleep(0.2)
    messages = read("rdk-codecs", 1, OFFSET_BEGINNING, total)
    assert [m.offset() for m in messages] == list(range(total))
    assert messages[-1].value() == b"zstd-all-99"


def test_headers_and_an_offset_come_back():
    create("rdk-headers")
    producer = Producer({"bootstrap.servers": address})
    headers = [("same", b"1"), ("same", b"2"), ("none", None), ("empty", b"")]
    for n in range(100):
        producer.produce("rdk-headers", b"%d" % n, headers=headers, partition=0)
    assert producer.flush(30) == 0
    (message,) = read("rdk-headers", 0, 42, 1)
    assert (message.offset(), message.value()) == (42, b"42")
    assert message.headers() == headers, message.headers()


def test_idempotence_keeps_order():
    create("rdk-idempotent")
    values = [b"%d" % n for n in range(20000)]
    produce("rdk-idempotent", values, **{"enable.idempotence": True, "linger.ms": 1})
    assert [m.value() for m in read("rdk-idempotent", 0, OFFSET_BEGINNING, 20000)] == values


def test_seek_by_time_finds_the_record():
    create("rdk-time")
    start = int(time.time() * 1000) - 100_000
    produce("rdk-time", [b"%d" % n for n in range(1000)], timestamp=start)
    reader = consumer()
    for wanted in [0, 1, 437, 999]:
        found = reader.offsets_for_times([TopicPartition("rdk-time", 0, start + wanted)], timeout=10)[0]
        assert found.offset == wanted, (wanted, found)
    low, high = reader.get_watermark_offsets(TopicPartition("rdk-time", 0), timeout=10)
    assert (low, high) == (0, 1000)
    assert read("rdk-time", 0, 437, 1)[0].value() == b"437"
    reader.close()


def test_a_long_poll_is_woken_by_a_record():
    create("rdk-wait")
    reader = consumer(**{"fetch.wait.max.ms": 5000})
    reader.assign([TopicPartition("rdk-wait", 0, OFFSET_END)])
    reader.poll(1.5)
    before = time.time()
    produce("rdk-wait", [b"x"])
    while reader.poll(0.05) is None:
        assert time.time() - before < 3, "the poll was not woken"
    assert time.time() - before < 1.5
    reader.close()


def test_large_messages_are_taken_or_refused():
    create("rdk-large", **{"max.message.bytes": "3000000"})
    produce("rdk-large", [b"x" * 2_500_000], **{"message.max.bytes": 5_000_000})
    assert len(read("rdk-large", 0, 0, 1, **{"fetch.message.max.bytes": 1000})[0].value()) == 2_500_000
    try:
        produce("rdk-large", [b"x" * 3_500_000], **{"message.max.bytes": 5_000_000})
    except AssertionError as error:
        assert "MSG_SIZE_TOO_LARGE" in str(error), error
    else:
        raise AssertionError("a batch above max.message.bytes was taken")


def test_configs_are_described():
    resource = ConfigResource(ConfigResource.Type.TOPIC, "rdk-large")
    described = admin.describe_configs([resource])[resource].result(10)
    assert described["max.message.bytes"].value == "3000000"
    assert described["cleanup.policy"].value == "delete"
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    assert len(admin.describe_configs([broker])[broker].result(10)) > 300


def test_topics_are_deleted():
    admin.delete_topics(["rdk-wait"])["rdk-wait"].result(10)
    try:
        admin.delete_topics(["rdk-wait"])["rdk-wait"].result(10)
    except KafkaException as error:
        assert error.args[0].name() == "UNKNOWN_TOPIC_OR_PART", error
    else:
        raise AssertionError("a topic was deleted twice")


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
        print("ok", name)
