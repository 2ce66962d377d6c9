"""Produce (key 0) and InitProducerId (key 22): what is accepted, what is refused, and with which error."""
from batches import T0, batch, old_message, record
from connection import stable_versions

HOUR = 3_600_000


def every_version(c):
    c.topic("p-versions")
    for v in range(0, 3):
        c.note(f"removed v{v}", c.ask(0, v, raw=b"\xff\xff\0\0\x13\x88\0\0\0\0"))
    for v in stable_versions(0):
        c.produce("good", v, "p-versions", batch(2))
        c.produce("unknown topic", v, "p-nowhere", batch(2))
        c.produce("unknown partition", v, "p-versions", batch(), partition=7)
        c.produce("negative partition", v, "p-versions", batch(), partition=-1)
        c.produce("crc", v, "p-versions", batch(crc=1))
        c.produce("acks 2", v, "p-versions", batch(), acks=2)
        c.produce("acks -2", v, "p-versions", batch(), acks=-2)
        c.produce("acks 1", v, "p-versions", batch(), acks=1)
        c.produce("zstd", v, "p-versions", batch(60, "zstd"))
        c.produce("timestamp too new", v, "p-versions", batch(t=T0 * 2))
        c.tell("two partitions, one bad", 0, v, c.produce_body(v, [("p-versions", 0, batch()), ("p-versions", 3, batch())]))
        c.tell("nothing", 0, v, c.produce_body(v, []))
    c.tell("all of it", 1, 12, c.fetch_body(12, [("p-versions", {"partition": 0, "fetchOffset": 0})]))


def codecs(c):
    for codec in ("none", "gzip", "snappy", "xerial", "lz4", "zstd"):
        c.topic(f"p-{codec}")
        c.produce(codec, 9, f"p-{codec}", batch(60, codec))
        for what, bad in (("garbage", batch(payload=b"garbage" * 9, attributes={"none": 0, "gzip": 1, "snappy": 2, "xerial": 2,
                                                                                "lz4": 3, "zstd": 4}[codec])),
                          ("count too high", batch(60, codec, count=61)), ("count too low", batch(60, codec, count=59)),
                          ("last delta off", batch(60, codec, last=60))):
            c.produce(f"{codec} {what}", 9, f"p-{codec}", bad)
        c.tell(f"{codec}, the log afterwards", 1, 12, c.fetch_body(12, [(f"p-{codec}", {"partition": 0, "fetchOffset": 0})]))


def bad_batches(c):
    good = batch(3)
    shapes = {
        "empty": b"", "null": None, "two batches": good + good, "cut header": good[:40], "cut records": good[:-3],
        "trailing bytes": good + b"xyz", "magic 0": old_message(0), "magic 1": old_message(1), "magic 3": batch(magic=3),
        "magic -1": batch(magic=-1), "codec bits 5": batch(attributes=5), "codec bits 7": batch(attributes=7),
        "control": batch(attributes=0x20), "transactional": batch(attributes=0x10, pid=1, pepoch=0, seq=0),
        "log append time bit": batch(attributes=8), "delete horizon bit": batch(attributes=0x40), "high bits": batch(attributes=0x80),
        "base offset 5": batch(base=5), "base offset -1": batch(base=-1), "no records": batch(0, count=0, last=0), "no records, last -1": batch(0),
        "count 0 of 3": batch(3, count=0), "count -1": batch(3, count=-1), "length 0": batch(length=0), "length -1": batch(length=-1), "length short": batch(3, length=60),
        "length long": batch(3, length=1000), "length huge": batch(3, length=2**31 - 1),
        "max timestamp wrong": batch(3, t_max=T0 + 99), "max timestamp -1": batch(3, t_max=-1), "timestamp -1": batch(t=-1), "timestamp -5": batch(t=-5), "leader epoch 9": batch(epoch=9),
        "record length long": batch(records=b"\x50" + record(0)[1:]), "record length negative": batch(records=b"\x01" + record(0)[1:]),
        "offset deltas off": batch(2, records=record(0) + record(5)), "offset deltas twice": batch(2, records=record(0) + record(0)),
        "null key and value": batch(records=record(0, None, None)), "headers": batch(records=record(0, headers=[(b"a", b"1"), (b"a", None)])),
        "record tail": batch(records=record(0) + b"zz"), "record attributes": batch(records=b"\x10\xff" + record(0)[2:]),
        "sequence without id": batch(seq=0), "id without sequence": batch(pid=5, pepoch=0), "id without epoch": batch(pid=5, pepoch=-1, seq=0), "negative id": batch(pid=-2, pepoch=0, seq=0),
    }
    for i, (what, records) in enumerate(shapes.items()):
        c.topic(f"p-bad-{i}")
        for v in (3, 9, 13):
            c.produce(what, v, f"p-bad-{i}", records)
        c.tell(f"{what}, the log afterwards", 1, 12, c.fetch_body(12, [(f"p-bad-{i}", {"partition": 0, "fetchOffset": 0})]))


def sizes(c):
    c.topic("p-size", configs={"max.message.bytes": "1000"})
    c.produce("large", 9, "p-size", batch(records=record(0, value=b"x" * 2000)))
    c.produce("compressed below", 9, "p-size", batch(codec="gzip", records=record(0, value=b"x" * 2000)))
    for size in (925, 926, 927, 928, 929, 930):
        c.produce(f"value of {size}", 9, "p-size", batch(records=record(0, value=b"x" * size)))
    c.topic("p-default-size")
    c.produce("above the default", 9, "p-default-size", batch(codec="none", crc=0, records=record(0, value=b"x" * 1_100_000)))


def times(c):
    c.topic("p-append-time", configs={"message.timestamp.type": "LogAppendTime"})
    for v in (3, 9, 12):
        c.produce("log append time", v, "p-append-time", batch(3))
    c.produce("compressed", 9, "p-append-time", batch(60, "gzip"))
    c.produce("bit set by the client", 9, "p-append-time", batch(attributes=8))
    c.produce("too new", 9, "p-append-time", batch(t=T0 * 2))
    c.tell("all of it", 1, 12, c.fetch_body(12, [("p-append-time", {"partition": 0, "fetchOffset": 0})]))
    c.topic("p-before", configs={"message.timestamp.before.max.ms": "1000"})
    for v in (7, 8, 9):
        c.produce("too old", v, "p-before", batch(3))
    c.topic("p-bit")
    c.produce("bit on CreateTime", 9, "p-bit", batch(3, attributes=8))
    c.tell("bit is cleared", 1, 12, c.fetch_body(12, [("p-bit", {"partition": 0, "fetchOffset": 0})]))


def compacted(c):
    c.topic("p-compact", configs={"cleanup.policy": "compact"})
    for v in (7, 8, 9, 13):
        c.produce("keyless", v, "p-compact", batch(2, records=record(0) + record(1, None)))
        c.produce("keyed", v, "p-compact", batch(2))
        c.produce("tombstone", v, "p-compact", batch(records=record(0, b"k", None)))


def acks_zero(c):
    c.topic("p-zero")
    conn = c.fresh()
    from codec import Message
    request = Message("ProduceRequest")
    conn.send(conn.header(0, 9) + request.encode(c.produce_body(9, [("p-zero", 0, batch(2))], acks=0), 9))
    c.note("next answer on the connection", conn.ask(2, 7, {"replicaId": -1, "topics": [
        {"name": "p-zero", "partitions": [{"partitionIndex": 0, "timestamp": -1}]}]}))
    for what, part in (("unknown partition", 5), ("bad batch", 0)):
        conn = c.fresh()
        records = batch(crc=1) if part == 0 else batch()
        conn.send(conn.header(0, 9) + request.encode(c.produce_body(9, [("p-zero", part, records)], acks=0), 9))
        conn.send(conn.header(18, 0))
        c.note(what, conn.receive() if True else None)
        conn.close()


def idempotence(c):
    c.topic("p-idem", 3)

    def say(what, pid, epoch, seq, n=1, partition=0, v=9):
        c.produce(what, v, "p-idem", batch(n, pid=pid, pepoch=epoch, seq=seq), partition=partition)

    pid = c.producer_id()
    for i in range(7):
        say(f"sequence {i * 2}", pid, 0, i * 2, 2)
    for i in range(7):
        say(f"again {i * 2}", pid, 0, i * 2, 2)
    say("part of a batch", pid, 0, 12, 1)
    say("longer than before", pid, 0, 12, 3)
    say("gap", pid, 0, 20)
    say("newer epoch, sequence 5", pid, 1, 5)
    say("newer epoch", pid, 1, 0)
    say("newer epoch again", pid, 1, 0)
    say("old epoch", pid, 0, 14)
    say("old epoch, old sequence", pid, 0, 0)
    say("old epoch v13", pid, 0, 14, v=13)
    say("gap v13", pid, 1, 9, v=13)
    say("epoch jump", pid, 5, 0)
    say("unknown id, any sequence", 77_000_000, 0, 100, partition=1)
    say("and on", 77_000_000, 0, 101, partition=1)
    say("sequence near the end", 77_000_001, 0, 2**31 - 2, 2, partition=1)
    say("wrapped to 0", 77_000_001, 0, 0, 2, partition=1)
    say("wrapped, again", 77_000_001, 0, 0, 2, partition=1)
    say("wraps inside", 77_000_002, 0, 2**31 - 2, 4, partition=1)
    say("after the wrap", 77_000_002, 0, 2, partition=1)
    say("epoch at the end", 77_000_003, 32767, 0, partition=1)
    c.tell("all of it", 1, 12, c.fetch_body(12, [("p-idem", {"partition": 0, "fetchOffset": 0}),
                                               ("p-idem", {"partition": 1, "fetchOffset": 0})]))


def producer_ids(c):
    c.producer_id()
    for v in stable_versions(22):
        c.tell("fresh", 22, v, {"transactionalId": None, "transactionTimeoutMs": 1000})
        c.tell("zero timeout", 22, v, {"transactionalId": None, "transactionTimeoutMs": 0})
        c.tell("negative timeout", 22, v, {"transactionalId": None, "transactionTimeoutMs": -1})
        if v >= 3:
            known = c.ask(22, v, {"transactionalId": None, "transactionTimeoutMs": 1000})
            for what, pid, epoch in (("known", known["producerId"], 0), ("known, epoch 9", known["producerId"], 9), ("epoch alone", -1, 0),
                                     ("id alone", known["producerId"], -1), ("unknown", 99_000_000, 3), ("last epoch", known["producerId"], 32767)):
                c.tell(what, 22, v, {"transactionalId": None, "transactionTimeoutMs": 1000, "producerId": pid, "producerEpoch": epoch})
    first = [c.producer_id() for _ in range(3)]
    c.note("ids rise", [b - a for a, b in zip(first, first[1:])])


CASES = [every_version, codecs, bad_batches, sizes, times, compacted, acks_zero, idempotence, producer_ids]
