"""Committed offsets (keys 8, 9, 47): who may commit, what comes back."""
from cases_groups import RANGE, Member, coordinator, note
from connection import stable_versions
from context import NOBODY


def body(c, v, group, parts, generation=-1, member="", instance=None, **more):
    """parts: (topic, partition, offset, what more)"""
    topics = {}
    for topic, partition, offset, extra in parts:
        topics.setdefault(topic, []).append({"partitionIndex": partition, "committedOffset": offset, **extra})
    out = {"groupId": group, "generationIdOrMemberEpoch": generation, "memberId": member, "topics": [
        {**({"topicId": c.ids.get(t, NOBODY)} if v >= 10 else {"name": t}), "partitions": p} for t, p in topics.items()]}
    if v >= 7:
        out["groupInstanceId"] = instance
    out.update(more)
    return out


def fetch_all(c, group):
    return c.ask(9, 9, {"groups": [{"groupId": group, "topics": None}]})


def offset_commit(c):
    coordinator(c)
    c.topic("oc", 3)
    c.topic("oc2")
    for v in stable_versions(8):
        epoch = {"committedLeaderEpoch": 0} if v >= 6 else {}

        def ask(what, group, parts, **more):
            note(c, f"{what} v{v}", c.ask(8, v, body(c, v, group, parts, **more)))

        g = f"oc-{v}"
        ask("simple", g, [("oc", 0, 5, {"committedMetadata": "some", **epoch}), ("oc", 1, 6, {}), ("oc2", 0, 7, {})])
        note(c, f"what was kept v{v}", fetch_all(c, g))
        ask("null metadata", g, [("oc", 0, 5, {"committedMetadata": None})])
        ask("offset -1", g, [("oc", 0, -1, {})])
        ask("offset -9", g, [("oc", 1, -9, {})])
        ask("beyond the end", g, [("oc", 0, 1 << 40, {})])
        ask("no such partition", g, [("oc", 99, 5, {})])
        ask("negative partition", g, [("oc", -1, 5, {})])
        ask("no such topic", g, [("oc-none", 0, 5, {})])
        ask("no such topic among others", g, [("oc", 0, 5, {}), ("oc-none", 0, 5, {}), ("oc2", 0, 5, {})])
        ask("metadata at the limit", g, [("oc", 0, 5, {"committedMetadata": "m" * 4096})])
        ask("metadata over the limit", g, [("oc", 0, 8, {"committedMetadata": "m" * 4097}), ("oc", 1, 8, {})])
        ask("metadata of two units a letter", g, [("oc", 0, 8, {"committedMetadata": "\U0001f600" * 2048})])
        ask("metadata of two units a letter, over", g, [("oc", 0, 8, {"committedMetadata": "\U0001f600" * 2049})])
        ask("a partition twice", g, [("oc", 0, 5, {}), ("oc", 0, 6, {})])
        ask("no topics", g, [])
        note(c, f"what is left v{v}", fetch_all(c, g))
        ask("empty group", "", [("oc", 0, 5, {})])
        ask("generation of no group", f"oc-none-{v}", [("oc", 0, 5, {})], generation=1, member="somebody")
        ask("generation 0 of no group", f"oc-none-{v}", [("oc", 0, 5, {})], generation=0)
        ask("member of no group without a generation", f"oc-simple-{v}", [("oc", 0, 5, {})], member="somebody")
        ask("generation of an empty group", g, [("oc", 0, 5, {})], generation=1, member="somebody")
        if v <= 4:
            ask("retention", f"oc-ret-{v}", [("oc", 0, 5, {})], retentionTimeMs=3600000)
            ask("no retention", f"oc-ret-{v}", [("oc", 1, 5, {})], retentionTimeMs=0)

        m = Member(c, f"oc-m-{v}")
        m.join()
        ask("while completing", m.group, [("oc", 0, 5, {})], generation=m.generation, member=m.id)
        m.sync({m.id: b"x"})
        ask("as a member", m.group, [("oc", 0, 5, {})], generation=m.generation, member=m.id)
        ask("old generation", m.group, [("oc", 0, 6, {})], generation=m.generation - 1, member=m.id)
        ask("stranger", m.group, [("oc", 0, 6, {})], generation=m.generation, member="somebody")
        ask("outsider", m.group, [("oc", 0, 6, {})])
        ask("member without a generation", m.group, [("oc", 0, 6, {})], member=m.id)
        if v >= 7:
            ask("unknown instance", m.group, [("oc", 0, 6, {})], generation=m.generation, member=m.id, instance="i")
            ask("instance alone", m.group, [("oc", 0, 6, {})], instance="i")
        m.leave()
        ask("after leaving", m.group, [("oc", 0, 6, {})], generation=m.generation, member=m.id)
        note(c, f"the member's v{v}", fetch_all(c, m.group))
        m.close()


def offset_fetch(c):
    coordinator(c)
    c.topic("of", 3)
    c.topic("of2")
    c.ask(8, 8, body(c, 8, "of", [("of", 0, 5, {"committedMetadata": "some", "committedLeaderEpoch": 0}), ("of", 2, 6, {}), ("of2", 0, 0, {"committedMetadata": ""})]))
    c.ask(8, 8, body(c, 8, "of-b", [("of2", 0, 9, {})]))
    for v in stable_versions(9):
        def topics(*parts):
            return [{**({"topicId": c.ids.get(t, NOBODY)} if v >= 10 else {"name": t}), "partitionIndexes": p} for t, p in parts]

        def ask(what, *groups, **more):
            if v >= 8:
                out = c.ask(9, v, {"groups": [{"groupId": g, "topics": t} for g, t in groups], **more})
            else:
                out = c.ask(9, v, {"groupId": groups[0][0], "topics": groups[0][1], **more})
            note(c, f"{what} v{v}", out)

        ask("some", ("of", topics(("of", [0, 1, 2]), ("of2", [0]))))
        ask("no such partition", ("of", topics(("of", [7, -1, 0]))))
        ask("no such topic", ("of", topics(("of-none", [0, 1]))))
        ask("no such topic among others", ("of", topics(("of-none", [0]), ("of", [0]))))
        ask("no such group", ("of-none", topics(("of", [0, 1]))))
        ask("empty group", ("", topics(("of", [0]))))
        ask("twice", ("of", topics(("of", [0, 0]))))
        ask("topic twice", ("of", topics(("of", [0]), ("of", [2]))))
        ask("no topics", ("of", []))
        ask("no partitions", ("of", topics(("of", []))))
        if v >= 2:
            ask("all", ("of", None))
            ask("all of no such group", ("of-none", None))
        if v >= 7:
            ask("stable", ("of", topics(("of", [0, 1]))), requireStable=True)
            ask("all stable", ("of", None), requireStable=True)
        if v >= 8:
            ask("many groups", ("of", None), ("of-b", topics(("of2", [0]))), ("of-none", None), ("of", topics(("of", [0]))))
            ask("no groups")
        if v >= 9:
            note(c, f"a member epoch of a classic group v{v}", c.ask(9, v, {"groups": [
                {"groupId": "of", "memberId": "somebody", "memberEpoch": 3, "topics": topics(("of", [0]))}]}))


def topic_deletion(c):
    """What was committed for a topic goes with it."""
    coordinator(c)
    c.topic("gone", 2)
    c.topic("stays")
    c.ask(8, 8, body(c, 8, "gone", [("gone", 0, 5, {}), ("gone", 1, 6, {}), ("stays", 0, 7, {})]))
    c.ask(20, 5, {"topicNames": ["gone"], "timeoutMs": 5000})
    for _ in range(100):
        out = fetch_all(c, "gone")
        if len(out["groups"][0]["topics"]) == 1:
            break
        __import__("time").sleep(0.05)
    note(c, "afterwards", out)
    c.ids.pop("gone")
    c.topic("gone", 2)
    note(c, "with the same name again", c.ask(9, 7, {"groupId": "gone", "topics": [{"name": "gone", "partitionIndexes": [0, 1]}]}))


def offset_delete(c):
    coordinator(c)
    c.topic("top", 2)
    c.topic("od", 2)

    def ask(what, group, *parts):
        note(c, what, c.ask(47, 0, {"groupId": group, "topics": [
            {"name": t, "partitions": [{"partitionIndex": i} for i in p]} for t, p in parts]}))

    c.ask(8, 8, body(c, 8, "od", [("top", 0, 5, {}), ("top", 1, 6, {}), ("od", 0, 7, {})]))
    ask("no such group", "od-none", ("top", [0]))
    ask("empty group", "", ("top", [0]))
    ask("no topics", "od")
    ask("no such topic", "od", ("od-none", [0]))
    ask("no such topic among others", "od", ("od-none", [0]), ("top", [0]))
    ask("no such partition", "od", ("top", [9]))
    ask("nothing committed", "od", ("od", [1]))
    ask("two topics", "od", ("top", [1]), ("od", [0, 1]))
    note(c, "what is left", fetch_all(c, "od"))
    m = Member(c, "od-m", protocols=(("range", RANGE),)).settle()
    c.ask(8, 8, body(c, 8, "od-m", [("top", 0, 5, {}), ("od", 0, 6, {})], generation=m.generation, member=m.id))
    ask("a subscribed topic and another", "od-m", ("top", [0]), ("od", [0]))
    note(c, "what is left of the member's", fetch_all(c, "od-m"))
    m.leave()
    ask("after leaving", "od-m", ("top", [0]))
    o = Member(c, "od-c", kind="connect").settle()
    ask("a group of another kind with members", "od-c", ("top", [0]))
    o.leave()
    ask("a group of another kind without", "od-c", ("top", [0]))
    vague = Member(c, "od-v", protocols=(("range", b"\0"),)).settle()
    ask("consumers whose subscription is not known", "od-v", ("top", [0]))
    vague.leave()
    for x in (m, o, vague):
        x.close()


CASES = [offset_commit, offset_fetch, topic_deletion, offset_delete]
