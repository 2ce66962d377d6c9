"""Classic groups (keys 10 to 16, 42): good and bad requests, whole lives of members at every version."""
import re
import struct
import time

from connection import stable_versions

UUID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RANGE = b"\0\0\0\0\0\1\0\3top\xff\xff\xff\xff"  # a subscription of version 0 to the topic "top"


def plain(x):
    """Member ids end in chance."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    if isinstance(x, bytes):
        return x.hex()
    return UUID.sub("-uuid", x) if isinstance(x, str) else x


def note(c, name, out):
    c.note(name, plain(out))
    return out


def coordinator(c):
    """Until the groups' topic is there and its coordinator has loaded; Kafka lets the first askers wait."""
    for _ in range(200):
        out = c.ask(10, 1, {"key": "warm", "keyType": 0})
        if out["errorCode"] == 0 and c.ask(15, 5, {"groups": ["warm"]})["groups"][0]["errorCode"] == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"no coordinator: {out}")


class Member:
    def __init__(self, c, group, version=9, instance=None, protocols=(("range", RANGE),), kind="consumer", session=30000, rebalance=30000):
        self.c, self.group, self.version, self.instance = c, group, version, instance
        self.protocols, self.kind, self.session, self.rebalance = protocols, kind, session, rebalance
        self.id, self.generation, self.link = "", -1, c.fresh()

    def body(self):
        v = self.version
        body = {"groupId": self.group, "sessionTimeoutMs": self.session, "memberId": self.id, "protocolType": self.kind,
                "protocols": [{"name": n, "metadata": m} for n, m in self.protocols]}
        if v >= 1:
            body["rebalanceTimeoutMs"] = self.rebalance
        if v >= 5:
            body["groupInstanceId"] = self.instance
        if v >= 8:
            body["reason"] = "a reason"
        return body

    def send_join(self):
        payload = __import__("codec").Message("JoinGroupRequest").encode(self.body(), self.version)
        self.link.send(self.link.header(11, self.version) + payload)

    def joined(self):
        out = self.link.answer(11, self.version)
        if isinstance(out, dict) and out.get("memberId"):
            self.id = out["memberId"]
            if out["errorCode"] == 0:
                self.generation = out["generationId"]
        return out

    def join(self):
        """Joins, with the id that a first answer may bring."""
        self.send_join()
        out = self.joined()
        if isinstance(out, dict) and out["errorCode"] == 79:
            self.send_join()
            out = self.joined()
        return out

    def same_version(self, key):
        return min(max(stable_versions(key)), {14: self.version, 12: self.version, 13: self.version}[key])

    def sync_body(self, assignments=None, **more):
        v = self.same_version(14)
        body = {"groupId": self.group, "generationId": self.generation, "memberId": self.id,
                "assignments": [{"memberId": m, "assignment": a} for m, a in (assignments or {}).items()]}
        if v >= 3:
            body["groupInstanceId"] = self.instance
        if v >= 5:
            body.update(protocolType=self.kind, protocolName=self.protocols[0][0])
        body.update(more)
        return body

    def sync(self, assignments=None, **more):
        return self.link.ask(14, self.same_version(14), self.sync_body(assignments, **more))

    def send_sync(self, assignments=None):
        v = self.same_version(14)
        payload = __import__("codec").Message("SyncGroupRequest").encode(self.sync_body(assignments), v)
        self.link.send(self.link.header(14, v) + payload)

    def beat(self, **more):
        v = self.same_version(12)
        body = {"groupId": self.group, "generationId": self.generation, "memberId": self.id}
        if v >= 3:
            body["groupInstanceId"] = self.instance
        body.update(more)
        return self.link.ask(12, v, body)

    def leave(self, version=None, **more):
        v = self.same_version(13) if version is None else version
        if v >= 3:
            body = {"groupId": self.group, "members": [{"memberId": self.id, "groupInstanceId": self.instance}]}
        else:
            body = {"groupId": self.group, "memberId": self.id}
        body.update(more)
        return self.link.ask(13, v, body)

    def settle(self):
        """Joins and syncs as the only member."""
        assert self.join()["errorCode"] == 0
        assert self.sync({self.id: b"mine"})["errorCode"] == 0
        return self

    def close(self):
        self.link.close()


def describe(c, name, group, version=6):
    note(c, name, c.ask(15, version, {"groups": [group]}))


def find_coordinator(c):
    coordinator(c)
    for v in range(0, 6):
        for what, kind, key in (("a group", 0, "g"), ("the empty group", 0, ""), ("an unknown type", 9, "g"), ("a negative type", -1, "g")):
            if v == 0 and kind:
                continue
            body = {"coordinatorKeys": [key], "keyType": kind} if v >= 4 else {"key": key, **({"keyType": kind} if v else {})}
            c.tell(what, 10, v, body)
        if v >= 4:
            c.tell("many", 10, v, {"coordinatorKeys": ["a", "b", "a"], "keyType": 0})
            c.tell("none", 10, v, {"coordinatorKeys": [], "keyType": 0})


def join_refusals(c):
    coordinator(c)
    for v in stable_versions(11):
        def ask(what, group, member="", **more):
            m = Member(c, group, v)
            m.id = member
            body = {**m.body(), **more}
            note(c, f"{what} v{v}", c.ask(11, v, body))
            m.close()

        ask("empty group", "")
        ask("empty group and a member", "", "somebody")
        ask("session too short", "jr", sessionTimeoutMs=999)
        ask("session too long", "jr", sessionTimeoutMs=1800001)
        ask("session too short, a member", "jr", "somebody", sessionTimeoutMs=1)
        ask("a member of no group", f"jr-none-{v}", "somebody")
        ask("no protocols", f"jr-{v}", protocols=[])
        time.sleep(0.1)  # Kafka describes what is committed
        describe(c, f"after no protocols v{v}", f"jr-{v}")
        ask("no protocol type", f"jr-type-{v}", protocolType="")
        if v >= 5:
            ask("instance and a member of no group", f"jr-none-{v}", "somebody", groupInstanceId="i")
        one = Member(c, f"jr-one-{v}", v).settle()
        ask("a stranger", one.group, "somebody")
        ask("another type", one.group, protocolType="connect")
        ask("no common protocol", one.group, protocols=[{"name": "sticky", "metadata": b""}])
        ask("no common protocol, a member", one.group, one.id, protocols=[{"name": "sticky", "metadata": b""}])
        if v >= 5:
            ask("unknown instance", one.group, one.id, groupInstanceId="nobody")
        one.leave()
        ask("after the last one left, a member", one.group, "somebody")
        one.close()


def one_life(c):
    """One member from its first request to its last, at every version."""
    coordinator(c)
    for v in stable_versions(11):
        m = Member(c, f"life-{v}", v)
        m.send_join()
        note(c, f"first join v{v}", m.joined())
        describe(c, f"while joining v{v}", m.group)
        note(c, f"joined v{v}", m.join() if m.generation < 0 else "already")
        describe(c, f"before sync v{v}", m.group)
        note(c, f"beat before sync v{v}", m.beat())
        note(c, f"same join again v{v}", m.join())
        note(c, f"sync of an old generation v{v}", m.sync({m.id: b"x"}, generationId=m.generation - 1))
        note(c, f"sync of a stranger v{v}", m.sync(memberId="somebody"))
        if m.same_version(14) >= 5:
            note(c, f"sync of another protocol v{v}", m.sync(protocolName="sticky"))
            note(c, f"sync of another type v{v}", m.sync(protocolType="connect"))
            note(c, f"sync without a protocol v{v}", m.sync(protocolName=None))
        note(c, f"sync v{v}", m.sync({m.id: b"mine", "somebody": b"theirs"}))
        note(c, f"sync again v{v}", m.sync())
        describe(c, f"stable v{v}", m.group)
        note(c, f"beat v{v}", m.beat())
        note(c, f"beat of an old generation v{v}", m.beat(generationId=m.generation - 1))
        note(c, f"beat of a newer generation v{v}", m.beat(generationId=m.generation + 1))
        note(c, f"beat of a stranger v{v}", m.beat(memberId="somebody"))
        note(c, f"beat of no group v{v}", m.beat(groupId="life-none"))
        note(c, f"beat of the empty group v{v}", m.beat(groupId=""))
        note(c, f"the leader joins again v{v}", m.join())
        note(c, f"beat in the new generation v{v}", m.beat())
        note(c, f"sync without assignments v{v}", m.sync())
        describe(c, f"stable again v{v}", m.group)
        note(c, f"leave as a stranger v{v}", m.leave(memberId="somebody") if m.same_version(13) < 3 else m.leave(
            members=[{"memberId": "somebody"}, {"memberId": "", "groupInstanceId": "nobody"}, {"memberId": ""}]))
        note(c, f"leave of no group v{v}", m.leave(groupId="life-none"))
        note(c, f"leave of the empty group v{v}", m.leave(groupId=""))
        note(c, f"leave v{v}", m.leave())
        note(c, f"leave again v{v}", m.leave())
        note(c, f"beat after leaving v{v}", m.beat())
        note(c, f"sync after leaving v{v}", m.sync())
        describe(c, f"empty v{v}", m.group)
        m.id, m.generation = "", -1
        note(c, f"back v{v}", m.join())
        m.leave()
        m.close()


def two_members(c):
    coordinator(c)
    for v in (0, 3, 4, 5, 9):
        a, b = Member(c, f"two-{v}", v), Member(c, f"two-{v}", v)
        a.settle()
        b.send_join()
        if v >= 4:
            b.joined()
            b.send_join()
        time.sleep(0.15)
        describe(c, f"while preparing v{v}", a.group)
        note(c, f"beat while preparing v{v}", a.beat())
        note(c, f"sync while preparing v{v}", a.sync())
        first = a.join()
        second = b.joined()
        note(c, f"leader joined v{v}", {**first, "members": len(first["members"])})
        note(c, f"follower joined v{v}", second)
        b.send_sync()
        time.sleep(0.1)
        describe(c, f"while completing v{v}", a.group)
        note(c, f"leader synced v{v}", a.sync({a.id: b"a", b.id: b"b"}))
        note(c, f"follower synced v{v}", b.link.answer(14, b.same_version(14)))
        note(c, f"follower joins again v{v}", b.join())
        note(c, f"follower syncs again v{v}", b.sync())
        # the follower changes what it says
        b.protocols = (("range", RANGE + b"more"),)
        b.send_join()
        time.sleep(0.15)
        note(c, f"beat after a change v{v}", a.beat())
        again = a.join()
        note(c, f"leader joined again v{v}", {**again, "members": len(again["members"])})
        note(c, f"follower joined again v{v}", b.joined())
        # the follower waits for its assignment when the leader leaves
        b.send_sync()
        time.sleep(0.1)
        note(c, f"leader leaves v{v}", a.leave())
        note(c, f"follower's sync v{v}", b.link.answer(14, b.same_version(14)))
        note(c, f"follower alone v{v}", b.join())
        note(c, f"follower leads v{v}", b.sync({b.id: b"all"}))
        note(c, f"last one leaves v{v}", b.leave())
        a.close()
        b.close()


def votes(c):
    coordinator(c)
    for what, first, second in (
            ("agreed", ("range", "roundrobin"), ("range", "roundrobin")),
            ("only one common", ("range", "roundrobin"), ("sticky", "roundrobin")),
            ("tie", ("range", "roundrobin"), ("roundrobin", "range")),
            ("tie of cooperative and range", ("cooperative-sticky", "range"), ("range", "cooperative-sticky")),
            ("tie of sticky and cooperative", ("sticky", "cooperative-sticky"), ("cooperative-sticky", "sticky"))):
        a = Member(c, f"vote {what}", protocols=[(n, RANGE) for n in first]).settle()
        b = Member(c, f"vote {what}", protocols=[(n, RANGE) for n in second])
        b.send_join()
        b.joined()
        b.send_join()
        time.sleep(0.15)
        note(c, what, a.join()["protocolName"])
        b.joined()
        for m in (a, b):
            m.leave()
            m.close()


def static_members(c):
    coordinator(c)
    for v in (5, 7, 8, 9):
        a = Member(c, f"static-{v}", v, instance="one")
        note(c, f"joined at once v{v}", a.join())
        note(c, f"synced v{v}", a.sync({a.id: b"first"}))
        again = Member(c, a.group, v, instance="one")
        note(c, f"back v{v}", again.join())
        note(c, f"back and synced v{v}", again.sync())
        note(c, f"the old one is fenced: beat v{v}", a.beat())
        note(c, f"the old one is fenced: sync v{v}", a.sync())
        note(c, f"the old one is fenced: join v{v}", a.join())
        note(c, f"the old one is fenced: leave v{v}", a.leave())
        note(c, f"without its name v{v}", again.beat(groupInstanceId=None))
        note(c, f"another's name v{v}", again.beat(groupInstanceId="two"))
        describe(c, f"described v{v}", a.group)
        changed = Member(c, a.group, v, instance="one", protocols=(("range", RANGE + b"x"),))
        note(c, f"back with other metadata v{v}", changed.join())
        note(c, f"synced with other metadata v{v}", changed.sync())
        b = Member(c, a.group, v, instance="two")
        b.send_join()
        time.sleep(0.15)
        note(c, f"beat when two comes v{v}", changed.beat())
        out = changed.join()
        note(c, f"both v{v}", {**out, "members": len(out["members"])})
        note(c, f"both, the second v{v}", b.joined())
        # while the assignment is due, one comes back under its name
        b.send_sync()
        time.sleep(0.1)
        late = Member(c, a.group, v, instance="two")
        late.send_join()
        note(c, f"two is fenced in sync v{v}", b.link.answer(14, b.same_version(14)))
        note(c, f"the leader has to join again v{v}", changed.sync({changed.id: b"c"}))
        out = changed.join()
        note(c, f"both again v{v}", {**out, "members": len(out["members"])})
        note(c, f"two again v{v}", late.joined())
        note(c, f"removed by name v{v}", late.link.ask(13, 5, {"groupId": a.group, "members": [
            {"memberId": "", "groupInstanceId": "two", "reason": "why"}, {"memberId": "", "groupInstanceId": "three"},
            {"memberId": changed.id, "groupInstanceId": "two"}, {"memberId": changed.id, "groupInstanceId": "one"}]}))
        describe(c, f"all gone v{v}", a.group)
        for m in (a, again, changed, b, late):
            m.close()


def sessions(c):
    coordinator(c)
    a = Member(c, "expires", session=1000, rebalance=2000).settle()
    b = Member(c, "expires", session=6000, rebalance=2000)
    b.send_join()
    b.joined()
    b.send_join()
    # the first one says nothing any more: its session ends, and the second is alone
    start = time.monotonic()
    note(c, "the second is alone", {**b.joined(), "leader": "itself"})
    c.note("after the session", 0.8 < time.monotonic() - start < 1.9)
    note(c, "the first is a stranger", a.beat())
    note(c, "the second syncs", b.sync({b.id: b"x"}))
    # a follower that never asks for its assignment is left out after the rebalance time-out
    a.id, a.generation, a.session = "", -1, 6000
    a.send_join()
    a.joined()
    a.send_join()
    time.sleep(0.15)
    b.join()
    a.joined()
    note(c, "the leader syncs alone", b.sync({b.id: b"y"}))
    time.sleep(2.4)
    note(c, "a rebalance because of the silent one", b.beat())
    note(c, "the silent one is a stranger", a.beat())
    b.leave()
    # an id that was given out lasts a session
    p = Member(c, "expires-pending", session=1000)
    p.send_join()
    p.joined()
    time.sleep(1.6)
    note(c, "a given id that expired", p.join())
    for m in (a, b, p):
        m.close()


def list_groups(c):
    coordinator(c)

    def listed(out):
        if isinstance(out, dict):
            out["groups"] = sorted((g for g in out["groups"] if g["groupId"].startswith("list")), key=lambda g: g["groupId"])
        return out

    stable = Member(c, "list-stable").settle()
    empty = Member(c, "list-empty").settle()
    empty.leave()
    other = Member(c, "list-connect", kind="connect").settle()
    c.topic("list-topic")
    c.ask(8, 8, {"groupId": "list-simple", "generationIdOrMemberEpoch": -1, "memberId": "", "topics": [
        {"name": "list-topic", "partitions": [{"partitionIndex": 0, "committedOffset": 3}]}]})
    for v in stable_versions(16):
        note(c, f"all v{v}", listed(c.ask(16, v, {})))
        if v >= 4:
            for states in (["Stable"], ["stable", "EMPTY"], ["Dead"], ["nonsense"], ["PreparingRebalance"], [""]):
                note(c, f"states {states} v{v}", listed(c.ask(16, v, {"statesFilter": states})))
        if v >= 5:
            for types in (["Classic"], ["classic"], ["consumer"], ["CLASSIC", "share"], ["nonsense"], [""]):
                note(c, f"types {types} v{v}", listed(c.ask(16, v, {"typesFilter": types})))
            note(c, f"both v{v}", listed(c.ask(16, v, {"statesFilter": ["empty"], "typesFilter": ["classic"]})))
    for m in (stable, empty, other):
        m.leave()
        m.close()


def describe_groups(c):
    coordinator(c)
    m = Member(c, "desc").settle()
    for v in stable_versions(15):
        more = {"includeAuthorizedOperations": True} if v >= 3 else {}
        note(c, f"one v{v}", c.ask(15, v, {"groups": ["desc"]}))
        note(c, f"unknown v{v}", c.ask(15, v, {"groups": ["desc-none"]}))
        note(c, f"the empty group v{v}", c.ask(15, v, {"groups": [""]}))
        note(c, f"none v{v}", c.ask(15, v, {"groups": []}))
        note(c, f"operations v{v}", c.ask(15, v, {"groups": ["desc", "desc-none", ""], **more}))
        note(c, f"twice v{v}", c.ask(15, v, {"groups": ["desc", "desc"], **more}))
    m.leave()
    m.close()


def delete_groups(c):
    coordinator(c)
    c.topic("del-topic")
    for v in stable_versions(42):
        m = Member(c, f"del-full-{v}").settle()
        e = Member(c, f"del-empty-{v}").settle()
        e.leave()
        c.ask(8, 8, {"groupId": f"del-simple-{v}", "generationIdOrMemberEpoch": -1, "memberId": "", "topics": [
            {"name": "del-topic", "partitions": [{"partitionIndex": 0, "committedOffset": 3}]}]})
        note(c, f"all kinds v{v}", c.ask(42, v, {"groupsNames": [m.group, e.group, f"del-simple-{v}", "del-none", ""]}))
        note(c, f"again v{v}", c.ask(42, v, {"groupsNames": [e.group, e.group]}))
        note(c, f"none v{v}", c.ask(42, v, {"groupsNames": []}))
        note(c, f"offsets afterwards v{v}", c.ask(9, 8, {"groups": [{"groupId": f"del-simple-{v}", "topics": None}]}))
        describe(c, f"described afterwards v{v}", e.group)
        m.leave()
        m.close()
        e.close()


CASES = [find_coordinator, join_refusals, one_life, two_members, votes, static_members, sessions, list_groups, describe_groups, delete_groups]
