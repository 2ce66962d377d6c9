"""What changes topics, brokers and groups that are there (keys 21, 33, 37, 44), and what Produce makes of it."""
import time

from batches import batch, batch_of
from connection import stable_versions

TOPIC, BROKER, LOGGER, METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3


def shown(c, kind, name, *keys):
    """What is said of a resource itself: name -> value. Kafka answers before its broker has heard of a change."""
    time.sleep(0.15)
    out = c.ask(32, 4, {"resources": [{"resourceType": kind, "resourceName": name, "configurationKeys": None}]})
    said = (1, 2, 3, 6, 7, 8)
    return {k["name"]: k["value"] for k in out["results"][0]["configs"]
            if (k["configSource"] in said if not keys else k["name"] in keys)}


def change(name, value=None, operation=SET):
    return {"name": name, "value": value, "configOperation": operation}


def incremental(c):
    c.topic("k-alter")
    c.topic("k-more")
    for v in stable_versions(44):
        def ask(what, *resources, validate=False, show=()):
            c.tell(what, 44, v, {"resources": [
                {"resourceType": kind, "resourceName": name, "configs": list(changes)} for kind, name, *changes in resources],
                "validateOnly": validate})
            for kind, name in show:
                c.note(f"{what}, then v{v}", shown(c, kind, name))

        topic = [(TOPIC, "k-alter")]
        ask("set", (TOPIC, "k-alter", change("retention.ms", "1000")), show=topic)
        ask("set again", (TOPIC, "k-alter", change("retention.ms", "1000")), show=topic)
        ask("two keys", (TOPIC, "k-alter", change("retention.ms", "2000"), change("segment.ms", "5000")), show=topic)
        ask("one of two is bad", (TOPIC, "k-alter", change("retention.ms", "3000"), change("segment.ms", "-5")), show=topic)
        ask("delete", (TOPIC, "k-alter", change("segment.ms", None, DELETE)), show=topic)
        ask("delete with a value", (TOPIC, "k-alter", change("segment.ms", "7", DELETE)), show=topic)
        ask("delete what is not there", (TOPIC, "k-alter", change("segment.ms", None, DELETE)), show=topic)
        ask("delete an unknown key", (TOPIC, "k-alter", change("no.such", None, DELETE)), show=topic)
        ask("validate", (TOPIC, "k-alter", change("retention.ms", "9")), validate=True, show=topic)
        ask("validate, bad", (TOPIC, "k-alter", change("retention.ms", "x")), validate=True)
        ask("append", (TOPIC, "k-alter", change("cleanup.policy", "compact", APPEND)), show=topic)
        ask("append again", (TOPIC, "k-alter", change("cleanup.policy", "compact", APPEND)), show=topic)
        ask("append two", (TOPIC, "k-alter", change("cleanup.policy", "compact,delete", APPEND)), show=topic)
        ask("append a bad one", (TOPIC, "k-alter", change("cleanup.policy", "burn", APPEND)), show=topic)
        ask("subtract", (TOPIC, "k-alter", change("cleanup.policy", "delete", SUBTRACT)), show=topic)
        ask("subtract the last", (TOPIC, "k-alter", change("cleanup.policy", "compact", SUBTRACT)), show=topic)
        ask("subtract from nothing", (TOPIC, "k-alter", change("cleanup.policy", "compact", SUBTRACT)), show=topic)
        ask("policy gone", (TOPIC, "k-alter", change("cleanup.policy", None, DELETE)), show=topic)
        ask("append to a number", (TOPIC, "k-alter", change("retention.ms", "1", APPEND)), show=topic)
        ask("subtract from a number", (TOPIC, "k-alter", change("retention.ms", "1", SUBTRACT)), show=topic)
        ask("append to an unknown key", (TOPIC, "k-alter", change("no.such", "1", APPEND)))
        ask("append null", (TOPIC, "k-alter", change("cleanup.policy", None, APPEND)))
        ask("append with spaces", (TOPIC, "k-alter", change("cleanup.policy", " compact", APPEND)), show=topic)
        ask("policy gone again", (TOPIC, "k-alter", change("cleanup.policy", None, DELETE)), show=topic)
        ask("set null", (TOPIC, "k-alter", change("retention.ms", None)), show=topic)
        ask("key twice", (TOPIC, "k-alter", change("retention.ms", "1"), change("retention.ms", "2")), show=topic)
        ask("set and delete", (TOPIC, "k-alter", change("retention.ms", "1"), change("retention.ms", None, DELETE)))
        for name, value in (("no.such", "1"), ("retention.ms", "soon"), ("retention.ms", "-2"), ("retention.ms", ""), ("retention.ms", " 77 "),
                            ("cleanup.policy", "burn"), ("cleanup.policy", "delete,delete"), ("cleanup.policy", ""), ("segment.bytes", "10"),
                            ("compression.type", "rar"), ("compression.gzip.level", "0"), ("min.insync.replicas", "0"), ("preallocate", "maybe"),
                            ("max.message.bytes", "-1"), ("min.cleanable.dirty.ratio", "2"), ("remote.storage.enable", "true"),
                            ("remote.log.copy.disable", "true"), ("log.retention.ms", "5"), ("", "1"), ("leader.replication.throttled.replicas", "0:1,1:1"),
                            ("leader.replication.throttled.replicas", "zero"), ("min.compaction.lag.ms", "99"), ("message.timestamp.type", "Later"),
                            ("local.retention.ms", "5000000000"), ("local.retention.ms", "1000")):
            ask(f"{name}={value!r}", (TOPIC, "k-alter", change(name, value)), validate=True)
        ask("max lag below min lag", (TOPIC, "k-alter", change("min.compaction.lag.ms", "99"), change("max.compaction.lag.ms", "9")), validate=True)
        ask("no keys", (TOPIC, "k-alter"))
        ask("nothing")
        ask("unknown topic", (TOPIC, "k-nowhere", change("retention.ms", "1")))
        ask("unknown topic, bad value", (TOPIC, "k-nowhere", change("retention.ms", "x")))
        ask("bad topic name", (TOPIC, "a b", change("retention.ms", "1")))
        ask("empty topic name", (TOPIC, "", change("retention.ms", "1")))
        ask("good and bad", (TOPIC, "k-alter", change("retention.ms", "4000")), (TOPIC, "k-more", change("retention.ms", "x")), show=topic)
        ask("same resource twice", (TOPIC, "k-alter", change("retention.ms", "1")), (TOPIC, "k-alter", change("segment.ms", "1")), show=topic)
        ask("same resource twice beside another", (TOPIC, "k-alter", change("retention.ms", "1")), (TOPIC, "k-more", change("segment.ms", "1000000")),
            (TOPIC, "k-alter", change("segment.ms", "1")), show=[(TOPIC, "k-more")])
        for kind in (0, 1, 3, 99, -1):
            ask(f"resource type {kind}", (kind, "x", change("a", "1")))
        ask("clean up", (TOPIC, "k-alter", change("retention.ms", None, DELETE)), (TOPIC, "k-more", change("segment.ms", None, DELETE)), show=topic)


def incremental_brokers(c):
    v = 1

    def ask(what, *resources, validate=False, show=()):
        c.tell(what, 44, v, {"resources": [
            {"resourceType": kind, "resourceName": name, "configs": list(changes)} for kind, name, *changes in resources],
            "validateOnly": validate})
        for kind, name in show:
            c.note(f"{what}, then {name!r}", shown(c, kind, name))

    own, all_ = [(BROKER, "1")], [(BROKER, "")]
    ask("own", (BROKER, "1", change("message.max.bytes", "2000000")), show=own + all_)
    ask("all", (BROKER, "", change("message.max.bytes", "3000000")), show=own + all_)
    ask("own gone", (BROKER, "1", change("message.max.bytes", None, DELETE)), show=own + all_)
    ask("all gone", (BROKER, "", change("message.max.bytes", None, DELETE)), show=own + all_)
    ask("own validated", (BROKER, "1", change("log.retention.ms", "5")), validate=True, show=own)
    for name, value in (("no.such", "1"), ("num.partitions", "7"), ("log.retention.hours", "7"), ("node.id", "7"), ("message.max.bytes", "x"),
                        ("message.max.bytes", "-1"), ("log.cleaner.threads", "-1"), ("num.io.threads", "0"), ("num.io.threads", "100"),
                        ("num.io.threads", "5"), ("num.network.threads", "4"), ("background.threads", "3"), ("ssl.keystore.location", "/x"),
                        ("ssl.keystore.password", "p"), ("listener.name.plaintext.ssl.keystore.location", "/x"), ("log.retention.ms", "100"),
                        ("log.cleanup.policy", "burn"), ("log.cleanup.policy", "compact"), ("compression.type", "gzip"), ("max.connections", "100"),
                        ("max.connections.per.ip", "100"), ("max.connections.per.ip.overrides", "a:b"), ("listeners", "PLAINTEXT://:1"),
                        ("min.insync.replicas", "1"), ("min.insync.replicas", "0"), ("unclean.leader.election.enable", "true"),
                        ("log.message.timestamp.type", "LogAppendTime"), ("producer.id.expiration.ms", "5000"), ("log.segment.bytes", "5"),
                        ("log.roll.ms", "0"), ("principal.builder.class", "x"), ("metric.reporters", ""), ("leader.replication.throttled.rate", "1000"),
                        ("follower.replication.throttled.rate", "-1"), ("replica.alter.log.dirs.io.max.bytes.per.second", "1000"),
                        ("transaction.partition.verification.enable", "false"), ("remote.log.reader.threads", "3"), ("cordoned.log.dirs", ""),
                        ("group.consumer.assignment.interval.ms", "50"), ("log.local.retention.ms", "9000000000"), ("", "1")):
        ask(f"own {name}={value!r}", (BROKER, "1", change(name, value)), validate=True)
        ask(f"all {name}={value!r}", (BROKER, "", change(name, value)), validate=True)
    sweep(c)
    ask("own unknown key", (BROKER, "1", change("no.such", "1")), show=own)
    ask("own unknown key gone", (BROKER, "1", change("no.such", None, DELETE)), show=own)
    ask("own read-only key deleted", (BROKER, "1", change("num.partitions", None, DELETE)), show=own)
    ask("append", (BROKER, "", change("log.cleanup.policy", "compact", APPEND)), show=all_)
    ask("subtract", (BROKER, "", change("log.cleanup.policy", "delete", SUBTRACT)), show=all_)
    ask("policy gone", (BROKER, "", change("log.cleanup.policy", None, DELETE)), show=all_)
    ask("append to a number", (BROKER, "", change("message.max.bytes", "1", APPEND)))
    ask("append to an unknown key", (BROKER, "", change("no.such", "1", APPEND)))
    ask("min insync of all gone", (BROKER, "", change("min.insync.replicas", None, DELETE)), show=all_)
    ask("min insync of all", (BROKER, "", change("min.insync.replicas", "2")), show=all_)
    ask("min insync of all back", (BROKER, "", change("min.insync.replicas", "1")), show=all_)
    ask("min insync of own", (BROKER, "1", change("min.insync.replicas", "2")), show=own)
    ask("min insync of own gone", (BROKER, "1", change("min.insync.replicas", None, DELETE)), show=own)
    ask("another broker", (BROKER, "7", change("message.max.bytes", "1")))
    ask("a broker in letters", (BROKER, "one", change("message.max.bytes", "1")))
    ask("a negative broker", (BROKER, "-1", change("message.max.bytes", "1")))
    ask("the broker with a zero", (BROKER, "01", change("message.max.bytes", "1000000")), validate=True)
    ask("null", (BROKER, "1", change("message.max.bytes", None)))
    ask("broker and topic", (BROKER, "7", change("message.max.bytes", "1")), (TOPIC, "k-alter", change("retention.ms", "5")), show=[(TOPIC, "k-alter")])
    ask("topic clean", (TOPIC, "k-alter", change("retention.ms", None, DELETE)))


def sweep(c):
    """Every setting of a broker, set to what it is or to something of its type: which may be said of one broker, which of all."""
    sample = {3: "1", 5: "1", 1: "true", 6: "0.5"}
    out = c.ask(32, 4, {"resources": [{"resourceType": BROKER, "resourceName": "1", "configurationKeys": None}]})
    other = ("advertised.listeners", "listeners", "listener.security.protocol.map", "authorizer.class.name")  # the peer's own
    for k in out["results"][0]["configs"]:
        name, value = k["name"], k["value"]
        if name.startswith("ottla.") or not k["configType"] or name in other:
            continue
        value = sample.get(k["configType"], "x") if value is None else value
        codes = []
        for who in ("1", ""):
            answer = c.ask(44, 1, {"resources": [{"resourceType": BROKER, "resourceName": who, "configs": [change(name, value)]}], "validateOnly": True})
            codes.append(answer["responses"][0]["errorCode"])
        c.note(f"sweep {name}", codes)


def incremental_others(c):
    v = 1

    def ask(what, *resources, validate=False, show=()):
        c.tell(what, 44, v, {"resources": [
            {"resourceType": kind, "resourceName": name, "configs": list(changes)} for kind, name, *changes in resources],
            "validateOnly": validate})
        for kind, name in show:
            c.note(f"{what}, then {name!r}", shown(c, kind, name))

    group = [(GROUP, "g-alter")]
    ask("group", (GROUP, "g-alter", change("consumer.session.timeout.ms", "50000")), show=group)
    for name, value in (("no.such", "1"), ("consumer.session.timeout.ms", "1"), ("consumer.session.timeout.ms", "60001"), ("consumer.heartbeat.interval.ms", "4999"),
                        ("consumer.heartbeat.interval.ms", "15001"), ("consumer.heartbeat.interval.ms", "x"), ("share.session.timeout.ms", "1"),
                        ("share.heartbeat.interval.ms", "1"), ("share.record.lock.duration.ms", "1"), ("share.record.lock.duration.ms", "60001"),
                        ("share.delivery.count.limit", "1"), ("share.delivery.count.limit", "11"), ("share.partition.max.record.locks", "50"),
                        ("share.partition.max.record.locks", "5000"), ("share.auto.offset.reset", "never"), ("share.auto.offset.reset", "by_duration:PT1H"),
                        ("share.isolation.level", "x"), ("streams.session.timeout.ms", "1"), ("streams.heartbeat.interval.ms", "1"),
                        ("streams.num.standby.replicas", "3"), ("streams.num.standby.replicas", "2"), ("streams.initial.rebalance.delay.ms", "-1"),
                        ("streams.initial.rebalance.delay.ms", "0"), ("consumer.assignment.interval.ms", "15001"), ("consumer.assignment.interval.ms", "0"),
                        ("share.assignment.interval.ms", "20000"), ("streams.assignment.interval.ms", "20000"), ("share.renew.acknowledge.enable", "maybe")):
        ask(f"group {name}={value!r}", (GROUP, "g-alter", change(name, value)), validate=True)
    ask("group session not above heartbeat", (GROUP, "g-alter", change("consumer.session.timeout.ms", "45000"), change("consumer.heartbeat.interval.ms", "15000")), validate=True)
    ask("group append", (GROUP, "g-alter", change("consumer.session.timeout.ms", "1", APPEND)))
    ask("group gone", (GROUP, "g-alter", change("consumer.session.timeout.ms", None, DELETE)), show=group)
    ask("group without a name", (GROUP, "", change("consumer.session.timeout.ms", "50000")))
    metrics = [(METRICS, "m-alter")]
    ask("metrics", (METRICS, "m-alter", change("metrics", "org.apache.kafka.producer."), change("interval.ms", "1000"), change("match", "client_id=a.*")), show=metrics)
    for name, value in (("no.such", "1"), ("interval.ms", "1"), ("interval.ms", "99"), ("interval.ms", "100"), ("interval.ms", "3600001"), ("interval.ms", "x"),
                        ("match", "x"), ("match", "no_such=a"), ("match", "client_id=[a"), ("match", ""), ("metrics", ""), ("metrics", "*")):
        ask(f"metrics {name}={value!r}", (METRICS, "m-alter", change(name, value)), validate=True)
    ask("metrics append", (METRICS, "m-alter", change("metrics", "x", APPEND)), show=metrics)
    ask("metrics append a match", (METRICS, "m-alter", change("match", "client_software_name=x", APPEND)), show=metrics)
    ask("metrics subtract", (METRICS, "m-alter", change("metrics", "x", SUBTRACT)), show=metrics)
    ask("metrics append a number", (METRICS, "m-alter", change("interval.ms", "1", APPEND)))
    ask("metrics gone", (METRICS, "m-alter", change("metrics", None, DELETE), change("interval.ms", None, DELETE), change("match", None, DELETE)))
    ask("metrics without a name", (METRICS, "", change("interval.ms", "1000")))
    for what, name, *changes in (("level", "1", change("root", "DEBUG")), ("lower case", "1", change("root", "debug")), ("no level", "1", change("root", "LOUD")),
                                 ("unknown", "1", change("no.such.logger", "INFO")), ("root deleted", "1", change("root", None, DELETE)),
                                 ("append", "1", change("root", "INFO", APPEND)), ("other broker", "7", change("root", "INFO")),
                                 ("all", "", change("root", "INFO")), ("letters", "one", change("root", "INFO")), ("back", "1", change("root", "INFO"))):
        ask(f"logger {what}", (LOGGER, name, *changes), validate=what in ("level", "lower case", "back"))


def legacy(c):
    c.topic("k-legacy", configs={"retention.ms": "1000", "segment.ms": "5000"})
    for v in stable_versions(33):
        def ask(what, *resources, validate=False, show=()):
            c.tell(what, 33, v, {"resources": [
                {"resourceType": kind, "resourceName": name, "configs": [{"name": k, "value": x} for k, x in pairs]} for kind, name, *pairs in resources],
                "validateOnly": validate})
            for kind, name in show:
                c.note(f"{what}, then {name!r} v{v}", shown(c, kind, name))

        topic = [(TOPIC, "k-legacy")]
        ask("replaces", (TOPIC, "k-legacy", ("retention.ms", "2000")), show=topic)
        ask("two", (TOPIC, "k-legacy", ("retention.ms", "2000"), ("segment.ms", "6000")), show=topic)
        ask("validate", (TOPIC, "k-legacy", ("retention.ms", "3000")), validate=True, show=topic)
        ask("bad", (TOPIC, "k-legacy", ("retention.ms", "x")), show=topic)
        ask("unknown key", (TOPIC, "k-legacy", ("no.such", "1")), show=topic)
        ask("null", (TOPIC, "k-legacy", ("retention.ms", None)), show=topic)
        ask("key twice", (TOPIC, "k-legacy", ("retention.ms", "1"), ("retention.ms", "2")), show=topic)
        ask("nothing left", (TOPIC, "k-legacy"), show=topic)
        ask("no resources")
        ask("unknown topic", (TOPIC, "k-nowhere", ("retention.ms", "1")))
        ask("bad topic name", (TOPIC, "a b", ("retention.ms", "1")))
        ask("empty topic name", (TOPIC, "", ("retention.ms", "1")))
        ask("same resource twice", (TOPIC, "k-legacy", ("retention.ms", "1")), (TOPIC, "k-legacy", ("segment.ms", "1")), show=topic)
        ask("good and bad", (TOPIC, "k-legacy", ("retention.ms", "7000")), (TOPIC, "k-nowhere", ("retention.ms", "1")), show=topic)
        ask("own", (BROKER, "1", ("log.retention.ms", "9000000")), show=[(BROKER, "1")])
        ask("own replaced", (BROKER, "1", ("log.segment.bytes", "9000000")), show=[(BROKER, "1")])
        ask("own gone", (BROKER, "1"), show=[(BROKER, "1")])
        ask("own read-only", (BROKER, "1", ("num.partitions", "7")))
        ask("own unknown", (BROKER, "1", ("no.such", "7")), validate=True)
        ask("own min insync", (BROKER, "1", ("min.insync.replicas", "2")))
        ask("all", (BROKER, "", ("min.insync.replicas", "1"), ("log.retention.ms", "9000000")), show=[(BROKER, "")])
        ask("all replaced", (BROKER, "", ("log.segment.bytes", "9000000")), show=[(BROKER, "")])
        ask("all back", (BROKER, "", ("min.insync.replicas", "1")), show=[(BROKER, "")])
        ask("other broker", (BROKER, "7", ("log.retention.ms", "1")))
        ask("letters", (BROKER, "one", ("log.retention.ms", "1")))
        ask("group", (GROUP, "g-legacy", ("consumer.session.timeout.ms", "50000")), show=[(GROUP, "g-legacy")])
        ask("group gone", (GROUP, "g-legacy"), show=[(GROUP, "g-legacy")])
        ask("metrics", (METRICS, "m-legacy", ("interval.ms", "1000")), show=[(METRICS, "m-legacy")])
        ask("metrics gone", (METRICS, "m-legacy"))
        ask("logger", (LOGGER, "1", ("root", "INFO")))
        for kind in (0, 1, 99):
            ask(f"resource type {kind}", (kind, "x", ("a", "1")))


def create_partitions(c):
    for v in stable_versions(37):
        grown = c.topic(f"p-grow-{v}", 2)
        assert grown

        def ask(what, *topics, validate=False):
            c.tell(what, 37, v, {"topics": [
                {"name": name, "count": count, "assignments": None if assignments is None else [{"brokerIds": ids} for ids in assignments]}
                for name, count, assignments in topics], "timeoutMs": 10000, "validateOnly": validate})

        name = f"p-grow-{v}"
        ask("validate", (name, 4, None), validate=True)
        ask("grow", (name, 3, None))
        ask("same count", (name, 3, None))
        ask("fewer", (name, 1, None))
        ask("zero", (name, 0, None))
        ask("negative", (name, -1, None))
        ask("assigned", (name, 5, [[1], [1]]))
        time.sleep(0.3)  # Kafka answers before its broker has heard of them
        c.note(f"partitions v{v}", c.ask(75, 0, {"topics": [{"name": name}]}))
        ask("assigned too few", (name, 8, [[1]]))
        ask("assigned too many", (name, 6, [[1], [1]]))
        ask("assigned none", (name, 6, []))
        ask("assigned to nobody", (name, 6, [[]]))
        ask("assigned to a stranger", (name, 6, [[7]]))
        ask("assigned twice", (name, 6, [[1, 1]]))
        ask("assigned to two", (name, 6, [[1, 7]]))
        ask("unknown topic", ("p-nowhere", 3, None))
        ask("empty name", ("", 3, None))
        ask("bad name", ("a b", 3, None))
        ask("same twice", (name, 9, None), (name, 10, None))
        ask("good and bad", (name, 6, None), ("p-nowhere", 6, None))
        ask("same twice and another", (name, 9, None), ("p-nowhere", 3, None), (name, 10, None))
        ask("nothing")
        c.produce(f"to the last one, v{v}", 9, name, batch_of([(b"k", b"v")]), partition=5)
    for count in (10_001, 10_008, 20_000):
        c.tell(f"to {count}", 37, 3, {"topics": [{"name": "p-grow-0", "count": count, "assignments": None}], "timeoutMs": 10000, "validateOnly": True})


def delete_records(c):
    for v in stable_versions(21):
        name, kept = f"r-{v}", f"r-kept-{v}"
        c.topic(name, 2)
        c.topic(kept, configs={"cleanup.policy": "compact"})
        for _ in range(3):
            c.ask(0, 9, c.produce_body(9, [(name, 0, batch_of([(b"k", b"v")] * 4)), (kept, 0, batch_of([(b"k", b"v")]))]))

        def ask(what, *topics):
            c.tell(what, 21, v, {"topics": [
                {"name": topic, "partitions": [{"partitionIndex": p, "offset": o} for p, o in offsets]} for topic, *offsets in topics], "timeoutMs": 5000})

        def after(what):
            for when in (-2, -1):
                c.tell(f"{what}: offset {when}", 2, 7, {"replicaId": -1, "topics": [{"name": name, "partitions": [{"partitionIndex": 0, "timestamp": when}]}]})

        ask("nothing", (name, (0, 0)))
        ask("inside a batch", (name, (0, 5)))
        after(f"inside a batch, {v}")
        for at in (0, 4, 5, 12):
            c.tell(f"read at {at} after v{v}", 1, 11, c.fetch_body(11, [(name, {"partition": 0, "fetchOffset": at})]))
        ask("back", (name, (0, 2)))
        ask("beyond the end", (name, (0, 13)))
        ask("-2", (name, (0, -2)))
        ask("unknown partition", (name, (9, 0)), )
        ask("negative partition", (name, (-1, 0)))
        ask("unknown topic", ("r-nowhere", (0, 0)))
        ask("bad topic name", ("a b", (0, 0)))
        ask("compacted", (kept, (0, 1)))
        ask("two partitions", (name, (0, 6), (1, 0)))
        ask("good and bad", (name, (0, 7)), ("r-nowhere", (0, 0)))
        ask("same twice", (name, (0, 8), (0, 7)))
        ask("topic twice", (name, (0, 9)), (name, (1, 0)))
        ask("all", (name, (0, -1)))
        after(f"all, {v}")
        ask("all of an empty one", (name, (1, -1)))
        ask("none")
        c.produce(f"goes on, v{v}", 9, name, batch_of([(b"k", b"v")]))
        c.tell(f"reads on, v{v}", 1, 11, c.fetch_body(11, [(name, {"partition": 0, "fetchOffset": 12})]))


def live(c):
    """Settings that change under a topic that is written to."""
    c.topic("l-topic")

    def alter(*changes, kind=TOPIC, name="l-topic"):
        c.ask(44, 1, {"resources": [{"resourceType": kind, "resourceName": name, "configs": list(changes)}], "validateOnly": False})
        time.sleep(0.15)

    small, large = batch_of([(b"k", b"v")]), batch_of([(b"k", b"v" * 3000)])
    alter(change("max.message.bytes", "1000"))
    c.produce("too large now", 9, "l-topic", large)
    alter(change("max.message.bytes", None, DELETE))
    c.produce("and large enough again", 9, "l-topic", large)
    alter(change("message.max.bytes", "1000"), kind=BROKER, name="")
    c.produce("too large for all", 9, "l-topic", large)
    alter(change("message.max.bytes", "5000"), kind=BROKER, name="1")
    c.produce("not for this broker", 9, "l-topic", large)
    alter(change("message.max.bytes", None, DELETE), kind=BROKER, name="")
    alter(change("message.max.bytes", None, DELETE), kind=BROKER, name="1")
    alter(change("message.timestamp.type", "LogAppendTime"))
    c.produce("our time", 9, "l-topic", small)
    alter(change("message.timestamp.type", None, DELETE))
    alter(change("message.timestamp.before.max.ms", "1000"))
    c.produce("long ago", 9, "l-topic", small)
    alter(change("message.timestamp.before.max.ms", None, DELETE))
    alter(change("cleanup.policy", "compact"))
    c.produce("without a key", 9, "l-topic", batch_of([(None, b"v"), (b"k", b"v"), (None, b"v")]))
    alter(change("cleanup.policy", None, DELETE))
    alter(change("min.insync.replicas", "2"))
    c.produce("min insync 2", 9, "l-topic", small)
    alter(change("min.insync.replicas", None, DELETE))
    for target in ("gzip", "snappy", "lz4", "zstd", "uncompressed", "producer"):
        alter(change("compression.type", target))
        at = c.ask(2, 7, {"replicaId": -1, "topics": [{"name": "l-topic", "partitions": [{"partitionIndex": 0, "timestamp": -1}]}]})["topics"][0]["partitions"][0]["offset"]
        for codec in ("none", "gzip"):
            c.produce(f"{codec} to {target}", 9, "l-topic", batch_of([(b"k", b"v" * 100)] * 20, codec))
        out = c.normal(c.ask(1, 11, c.fetch_body(11, [("l-topic", {"partition": 0, "fetchOffset": at})])))
        for kept in out["responses"][0]["partitions"][0]["records"]["batches"]:
            kept.pop("payload")  # two compressors, two results
        c.note(f"as {target}", out)
        for v in (4, 9, 10):
            out = c.ask(1, v, c.fetch_body(v, [("l-topic", {"partition": 0, "fetchOffset": at})]))
            c.note(f"as {target}, error and size v{v}", [(p["errorCode"], len(p["records"] or b"") > 0)
                                                        for t in out["responses"] for p in t["partitions"]])
    alter(change("compression.type", None, DELETE))
    alter(change("message.timestamp.before.max.ms", "1000"))
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        c.produce(f"{codec}, all of it long ago", 9, "l-topic", batch_of([(b"k", b"v" * 30)] * 20, codec))
    alter(change("message.timestamp.before.max.ms", None, DELETE), change("cleanup.policy", "compact"))
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        c.produce(f"{codec}, some without a key", 9, "l-topic", batch_of([(b"k" if i % 3 else None, b"v" * 30) for i in range(20)], codec))
    alter(change("compression.type", "gzip"))
    c.produce("packed again, some without a key", 9, "l-topic", batch_of([(b"k" if i % 3 else None, b"v" * 30) for i in range(20)], "lz4"))
    alter(change("cleanup.policy", None, DELETE), change("max.message.bytes", "400"), change("compression.type", "uncompressed"))
    c.produce("small as it comes, large when opened", 9, "l-topic", batch_of([(b"k", b"v" * 100)] * 20, "gzip"))
    c.produce("garbage to be packed again", 9, "l-topic", batch(20, "gzip", payload=b"no gzip at all"))


CASES = [incremental, incremental_brokers, incremental_others, legacy, create_partitions, delete_records, live]
