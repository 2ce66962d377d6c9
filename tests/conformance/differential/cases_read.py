"""Fetch (key 1), ListOffsets (2) and OffsetForLeaderEpoch (23)."""
from batches import T0, batch
from connection import stable_versions


def fill(c, name, partitions=1):
    c.topic(name, partitions)
    for p in range(partitions):
        for i in range(3):
            c.ask(0, 9, c.produce_body(9, [(name, p, batch(4, t=T0 + 1000 * i))]))


def fetch_versions(c):
    fill(c, "f-versions", 2)

    def ask(what, v, part, topic="f-versions", **how):
        c.tell(what, 1, v, c.fetch_body(v, [(topic, {"partition": 0, "fetchOffset": 0, **part})], **how))

    for v in stable_versions(1):
        ask("from 0", v, {})
        ask("inside a batch", v, {"fetchOffset": 6})
        ask("at the end", v, {"fetchOffset": 12})
        ask("beyond", v, {"fetchOffset": 13})
        ask("negative", v, {"fetchOffset": -1})
        ask("very negative", v, {"fetchOffset": -9})
        ask("unknown topic", v, {}, topic="f-nowhere")
        ask("unknown partition", v, {"partition": 9})
        ask("negative partition", v, {"partition": -1})
        ask("one byte", v, {"partitionMaxBytes": 1})
        ask("no bytes", v, {"partitionMaxBytes": 0})
        ask("most one byte", v, {}, most=1)
        ask("most zero bytes", v, {}, most=0)
        ask("partition bytes for one and a half", v, {"partitionMaxBytes": 150})
        ask("committed", v, {}, isolation=1)
        c.tell("no topics", 1, v, c.fetch_body(v, []))
        c.tell("two partitions, little room", 1, v, c.fetch_body(v, [("f-versions", {"partition": p, "fetchOffset": 0}) for p in (1, 0)],
                                                                most=200))
        c.tell("same partition twice", 1, v, c.fetch_body(v, [("f-versions", {"partition": 0, "fetchOffset": o}) for o in (0, 8)]))
        if v >= 5:
            ask("log start", v, {"logStartOffset": 0})
        if v >= 9:
            ask("leader epoch 0", v, {"currentLeaderEpoch": 0})
            ask("leader epoch 5", v, {"currentLeaderEpoch": 5})
            ask("leader epoch -2", v, {"currentLeaderEpoch": -2})
        if v >= 11:
            ask("rack", v, {}, rackId="nowhere")
        if v >= 12:
            for epoch in (0, 3, -1, -2):
                for offset in (0, 12, 13):
                    ask(f"last epoch {epoch} at {offset}", v, {"lastFetchedEpoch": epoch, "fetchOffset": offset})
        if v >= 15:
            ask("as an unknown replica", v, {}, replicaState={"replicaId": 7, "replicaEpoch": 1})


def long_poll(c):
    c.topic("f-poll", 2)
    at = [("f-poll", {"partition": 0, "fetchOffset": 0})]
    c.pace("empty, 600 ms", lambda: c.ask(1, 12, c.fetch_body(12, at, wait=600)))
    c.pace("empty, min bytes 0", lambda: c.ask(1, 12, c.fetch_body(12, at, wait=600, least=0)))
    c.pace("empty, no wait", lambda: c.ask(1, 12, c.fetch_body(12, at)))
    bad = at + [("f-poll", {"partition": 1, "fetchOffset": 9})]
    c.pace("one out of range", lambda: c.ask(1, 12, c.fetch_body(12, bad, wait=600)))
    c.pace("one unknown", lambda: c.ask(1, 12, c.fetch_body(12, at + [("f-poll", {"partition": 5, "fetchOffset": 0})], wait=600)))
    c.pace("no partitions", lambda: c.ask(1, 12, c.fetch_body(12, [], wait=600)))
    c.ask(0, 9, c.produce_body(9, [("f-poll", 0, batch(2))]))
    c.pace("enough", lambda: c.ask(1, 12, c.fetch_body(12, at, wait=600)))
    c.pace("not enough", lambda: c.ask(1, 12, c.fetch_body(12, at, wait=600, least=10_000)))
    c.pace("least above most", lambda: c.ask(1, 12, c.fetch_body(12, at, wait=600, least=10_000, most=10)))
    waiter = c.fresh()
    from codec import Message
    body = c.fetch_body(12, [("f-poll", {"partition": 1, "fetchOffset": 0})], wait=2500)
    waiter.send(waiter.header(1, 12) + Message("FetchRequest").encode(body, 12))
    c.ask(0, 9, c.produce_body(9, [("f-poll", 1, batch(2))]))
    c.pace("woken by a produce", lambda: waiter.answer(1, 12))
    waiter.close()


def sessions(c):
    for v in (7, 11, 12, 13, 16, 18):
        one_session(c, v)


def one_session(c, v):
    name = f"f-session-{v}"
    c.topic(name, 2)
    both = [(name, {"partition": 0, "fetchOffset": 0}), (name, {"partition": 1, "fetchOffset": 0})]

    def ask(what, parts, **how):
        return c.tell(what, 1, v, c.fetch_body(v, parts, **how))

    first = ask("full", both, epoch=0)
    session = first["sessionId"]
    ask("nothing new", [], session=session, epoch=1)
    ask("wrong epoch", [], session=session, epoch=7)
    ask("old epoch", [], session=session, epoch=1)
    c.ask(0, 9, c.produce_body(9, [(name, 1, batch(2))]))
    ask("one partition has data", [], session=session, epoch=2)
    ask("asked anew at its end", [(name, {"partition": 1, "fetchOffset": 2})], session=session, epoch=3)
    ask("forget one", [], session=session, epoch=4, forget=[(name, [0])])
    ask("unknown partition joins", [(name, {"partition": 8, "fetchOffset": 0})], session=session, epoch=5)
    ask("and stays", [], session=session, epoch=6)
    ask("unknown topic joins", [("f-nowhere", {"partition": 0, "fetchOffset": 0})], session=session, epoch=7)
    ask("and stays too", [], session=session, epoch=8)
    ask("out of range", [(name, {"partition": 1, "fetchOffset": 99})], session=session, epoch=9)
    ask("out of range stays", [], session=session, epoch=10)
    ask("forget what it has not", [], session=session, epoch=11, forget=[(name, [0, 5])])
    ask("other version", [], session=session, epoch=12)
    if v in (12, 13):
        other = 13 if v == 12 else 12
        c.tell("names and ids mixed", 1, other, c.fetch_body(other, [], session=session, epoch=13))
    ask("full anew closes it", both, session=session, epoch=0)
    ask("closed now", [], session=session, epoch=14)
    ask("unknown session", [], session=123, epoch=1)
    ask("unknown session, epoch 0", both, session=123, epoch=0)
    ask("unknown session, epoch -1", both, session=123, epoch=-1)
    ask("id 0, epoch 5", both, session=0, epoch=5)
    ask("epoch -2", both, session=0, epoch=-2)
    ask("full of nothing", [], session=0, epoch=0)
    second = c.ask(1, v, c.fetch_body(v, both, epoch=0))
    ask("forget all", [], session=second["sessionId"], epoch=1, forget=[(name, [0, 1])])
    ask("empty session is gone", [], session=second["sessionId"], epoch=2)
    third = c.ask(1, v, c.fetch_body(v, both, epoch=0))
    ask("final epoch", [], session=third["sessionId"], epoch=-1)
    ask("gone after it", [], session=third["sessionId"], epoch=1)


def list_offsets(c):
    fill(c, "l-versions")
    c.topic("l-empty")
    for v in stable_versions(2):
        def ask(what, topic="l-versions", isolation=0, replica=-1, parts=None, **part):
            asked = parts or [{"partitionIndex": 0, "timestamp": -1, **part}]
            body = {"replicaId": replica, "topics": [{"name": topic, "partitions": asked}]}
            if v >= 2:
                body["isolationLevel"] = isolation
            c.tell(what, 2, v, body)

        for timestamp in (-1, -2, -3, -4, -5, -6, -7, -100, 0, T0 - 1, T0, T0 + 2, T0 + 500, T0 + 2003, T0 + 2004, 2**62):
            ask(f"timestamp {timestamp}", timestamp=timestamp)
        for timestamp in (-1, -2, -3, -4, -5, -6, 0, T0):
            ask(f"empty, timestamp {timestamp}", "l-empty", timestamp=timestamp)
        ask("committed", isolation=1)
        ask("committed by time", isolation=1, timestamp=T0 + 500)
        ask("unknown topic", "l-nowhere")
        ask("unknown partition", partitionIndex=4)
        ask("negative partition", partitionIndex=-1)
        ask("same twice", parts=[{"partitionIndex": 0, "timestamp": -1}, {"partitionIndex": 0, "timestamp": -2}])
        ask("as replica 5", replica=5)
        ask("as the debug consumer", replica=-2)
        if v >= 4:
            for epoch in (0, 3, -2):
                ask(f"leader epoch {epoch}", currentLeaderEpoch=epoch)
        c.tell("no topics", 2, v, {"replicaId": -1, "topics": []})


def time_order(c):
    c.topic("l-order")
    for t in (T0 + 5000, T0 + 1000, T0 + 5000, T0 + 3000):
        c.ask(0, 9, c.produce_body(9, [("l-order", 0, batch(3, t=t))]))
    c.ask(0, 9, c.produce_body(9, [("l-order", 0, batch(60, "gzip", t=T0 + 9000))]))
    for timestamp in (-3, T0, T0 + 1000, T0 + 1002, T0 + 3001, T0 + 5000, T0 + 5002, T0 + 5003, T0 + 9030, T0 + 9060):
        c.tell(f"timestamp {timestamp - T0 if timestamp > 0 else timestamp}", 2, 7, {"replicaId": -1, "topics": [
            {"name": "l-order", "partitions": [{"partitionIndex": 0, "timestamp": timestamp}]}]})


def leader_epochs(c):
    fill(c, "e-versions")
    c.topic("e-empty")
    for v in stable_versions(23):
        for topic in ("e-versions", "e-empty", "e-nowhere"):
            for partition in (0, 5):
                for asked in (0, 1, 7, -1, -2):
                    for current in (-1, 0, 5):
                        body = {"topics": [{"topic": topic, "partitions": [
                            {"partition": partition, "currentLeaderEpoch": current, "leaderEpoch": asked}]}]}
                        if v >= 3:
                            body["replicaId"] = -1
                        c.tell(f"{topic}-{partition} epoch {asked} at {current}", 23, v, body)
        c.tell("nothing", 23, v, {"topics": []})


CASES = [fetch_versions, long_poll, sessions, list_offsets, time_order, leader_epochs]
