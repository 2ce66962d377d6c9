"""The story that every client tells of its groups: members come and go while records flow, and each record is counted
once. A client brings `make(group, seen, **more)`, which starts a member with `owned` (partitions), `failure` and
`leave()`, and `produce(topic, partition, value)`, which returns when the record is acknowledged."""
import threading
import time
import traceback

PARTITIONS = 6


def wait(what, holds, state, seconds=30):
    until = time.time() + seconds
    while not holds():
        assert time.time() < until, "%s did not come: %s" % (what, state())
        time.sleep(0.02)


def shared(what, *members):
    """Every partition has one owner, and each member its fair share."""
    def holds():
        owned = [set(member.owned) for member in members]
        fair = all(len(one) == PARTITIONS // len(members) for one in owned)
        return fair and len(set().union(*owned)) == PARTITIONS
    wait(what, holds, lambda: [(sorted(member.owned), member.failure) for member in members])


class Counts:
    """What was read, by partition and offset."""

    def __init__(self):
        self.lock, self.reads = threading.Lock(), {}

    def add(self, partition, offset):
        with self.lock:
            self.reads[partition, offset] = self.reads.get((partition, offset), 0) + 1

    def check(self, sent):
        assert len(self.reads) == sent, "%d of %d records were read" % (len(self.reads), sent)
        twice = {at: count for at, count in self.reads.items() if count != 1}
        assert not twice, "read more than once: %s" % dict(list(twice.items())[:5])


class Producing(threading.Thread):
    def __init__(self, topic, produce):
        super().__init__(daemon=True)
        self.topic, self.produce, self.sent, self.stop, self.failure = topic, produce, 0, False, None
        self.start()

    def run(self):
        try:
            while not self.stop:
                self.produce(self.topic, self.sent % PARTITIONS, b"%d" % self.sent)
                self.sent += 1
                time.sleep(0.002)
        except Exception as error:
            self.failure = error

    def end(self):
        self.stop = True
        self.join()
        assert self.failure is None, self.failure
        return self.sent


def come_and_go(topic, make, produce, committed):
    """`committed(group, topic)` is the sum of the group's offsets."""
    seen, producing = Counts(), Producing(topic, produce)
    first = make(topic, seen)
    shared("one has all", first)
    second = make(topic, seen)
    shared("two share", first, second)
    third = make(topic, seen)
    shared("three share", first, second, third)
    second.leave()
    shared("two are left", first, third)
    sent = producing.end()
    wait("everything is read", lambda: sent <= len(seen.reads), lambda: "%d of %d" % (len(seen.reads), sent))
    for member in (first, third):
        member.leave()
    seen.check(sent)
    assert committed(topic, topic) == sent, (committed(topic, topic), sent)
    return sent


def settled(*members):
    """No rebalance for a second: a member that has just learnt of the topic may ask for another."""
    before, since = None, time.time()
    while time.time() - since < 1.2:
        now = [member.rebalances for member in members]
        if now != before:
            before, since = now, time.time()
        time.sleep(0.05)


def static_members(topic, make):
    """A static member that comes back has its share again, and nobody else notices."""
    seen = Counts()
    first, second = make(topic, seen, instance="one"), make(topic, seen, instance="two")
    shared("two share", first, second)
    settled(first, second)
    shared("two still share", first, second)
    before, rebalances = set(first.owned), second.rebalances
    first.leave()
    again = make(topic, seen, instance="one")
    shared("it has its share again", again, second)
    assert set(again.owned) == before, (again.owned, before)
    assert second.rebalances == rebalances, "the other one noticed"
    again.leave()
    second.leave()


def run(tests, wanted):
    """Runs the tests that are wanted, or all; exits with 1 if one fails."""
    failed = 0
    for name, test in tests.items():
        if not name.startswith("test_") or wanted and name not in wanted:
            continue
        start = time.time()
        try:
            test()
            print("ok", name, "%.1f s" % (time.time() - start), flush=True)
        except Exception:
            failed += 1
            print("FAILED", name, traceback.format_exc(), flush=True)
    raise SystemExit(1 if failed else 0)
