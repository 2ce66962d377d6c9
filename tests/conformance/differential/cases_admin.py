"""ApiVersions, Metadata, topics, configs, cluster (keys 18, 3, 19, 20, 32, 60, 75)."""
import time

from connection import stable_versions
from context import NOBODY, ZERO
from definitions import KEYS


def api_versions(c):
    soft = {"clientSoftwareName": "apache-kafka-java", "clientSoftwareVersion": "4.3.1"}
    for v in stable_versions(18):
        out = c.ask(18, v, soft if v >= 3 else {})
        c.note(f"v{v}", ours(out))
    for name, version in (("", ""), ("-bad", "1"), ("bad-", "1"), ("a b", "1"), ("a", "1"), ("good", "-"), ("good", "1.0-rc"), ("ü", "1")):
        c.note(f"software {name!r} {version!r}", ours(c.ask(18, 4, {"clientSoftwareName": name, "clientSoftwareVersion": version})))
    for v in (5, 9, 32767, -1):
        conn = c.fresh()
        conn.send(conn.header(18, v) + b"\1\1\1\0")
        c.note(f"unknown version {v}", ours(conn.answer(18, 0)))
        c.note(f"unknown version {v}, then 0", ours(conn.ask(18, 0)))
        conn.close()
    c.note("truncated body", ours(c.ask(18, 3, raw=b"\x09ab")))


def ours(out):
    """Keys that the other broker serves beyond ours are no difference: they are not served yet."""
    if isinstance(out, dict):
        out = {k: v for k, v in out.items() if k not in ("supportedFeatures", "finalizedFeatures", "finalizedFeaturesEpoch", "zkMigrationReady")} | {
            "apiKeys": sorted((k for k in out["apiKeys"] if k["apiKey"] in KEYS), key=lambda k: k["apiKey"])}
    return out


def metadata(c):
    c.topic("m-one")
    c.topic("m-two", 3)
    for v in stable_versions(3):
        def ask(what, topics, **more):
            body = {"topics": topics, **more}
            if v >= 4:
                body.setdefault("allowAutoTopicCreation", False)
            out = c.ask(3, v, body)
            if isinstance(out, dict):
                out["topics"] = [t for t in out["topics"] if not (t["name"] or "").startswith("__")]
                if what in ("all", "empty list"):
                    out["topics"] = [t for t in out["topics"] if (t["name"] or "").startswith("m-")]
            c.note(f"{what} v{v}", out)

        ask("all", [] if v == 0 else None)
        if v:
            ask("empty list", [])
        ask("one", [{"name": "m-one"}])
        ask("both", [{"name": "m-two"}, {"name": "m-one"}])
        ask("same twice", [{"name": "m-one"}, {"name": "m-one"}])
        if v >= 4:
            ask("unknown", [{"name": "m-nowhere"}])
            ask("unknown and known", [{"name": "m-nowhere"}, {"name": "m-one"}])
            for bad in ("", ".", "..", "a b", "x" * 250, "ü"):
                ask(f"name {bad[:5]!r}", [{"name": bad}])
        for bad in ("", "a b", "x" * 250):
            ask(f"name {bad[:5]!r} with creation", [{"name": bad}], **({"allowAutoTopicCreation": True} if v >= 4 else {}))
        if 8 <= v <= 10:
            ask("cluster operations", [{"name": "m-one"}], includeClusterAuthorizedOperations=True)
        if v >= 8:
            ask("topic operations", [{"name": "m-one"}], includeTopicAuthorizedOperations=True)
        if v >= 10:
            ask("by id", [{"topicId": c.ids["m-one"], "name": None}])
            ask("unknown id", [{"topicId": NOBODY, "name": None}])
            ask("zero id, no name", [{"topicId": ZERO, "name": None}])
            ask("id and name", [{"topicId": c.ids["m-one"], "name": "m-two"}])
    c.ask(3, 12, {"topics": [{"name": "m-auto"}], "allowAutoTopicCreation": True})
    for _ in range(100):
        out = c.ask(3, 9, {"topics": [{"name": "m-auto"}], "allowAutoTopicCreation": False})
        if out["topics"][0]["errorCode"] == 0:
            break
        time.sleep(0.05)
    c.note("created by asking", out)


def create(name, partitions=1, replicas=1, **more):
    return {"name": name, "numPartitions": partitions, "replicationFactor": replicas, **more}


def create_topics(c):
    for v in stable_versions(19):
        def ask(what, topics, **more):
            out = c.ask(19, v, {"topics": topics, "timeoutMs": 10000, **more})
            for t in out["topics"] if isinstance(out, dict) else ():
                if t.get("topicId", ZERO) != ZERO:
                    c.ids[t["name"]] = t["topicId"]
                if t.get("configs") is not None:
                    t["configs"] = [k for k in t["configs"] if k["configSource"] != 4 or k["name"] in ("cleanup.policy", "retention.ms")]
            c.note(f"{what} v{v}", out)

        def config(**pairs):
            return [{"name": k.replace("_", "."), "value": x} for k, x in pairs.items()]

        ask("good", [create(f"c-good-{v}", 2)])
        ask("exists", [create(f"c-good-{v}")])
        ask("two", [create(f"c-two-{v}"), create(f"c-more-{v}", 3)])
        ask("same twice", [create(f"c-same-{v}"), create(f"c-same-{v}")])
        ask("only validate", [create(f"c-valid-{v}")], validateOnly=True)
        ask("validate an existing one", [create(f"c-good-{v}")], validateOnly=True)
        for name in ("", ".", "..", "a b", "x" * 249, "x" * 250, "a/b", "ü", f"c.good-{v}", "__x"):
            ask(f"name {name[:6]!r} {len(name)}", [create(name)], validateOnly=True)
        for partitions, replicas in ((0, 1), (-1, 1), (-2, 1), (1, 0), (1, -1), (1, -2), (1, 2), (-1, -1), (20000, 1), (10001, 1)):
            ask(f"{partitions} partitions, {replicas} replicas", [create("c-count", partitions, replicas)], validateOnly=True)

        def assignment(*lists):
            return [{"partitionIndex": i, "brokerIds": ids} for i, ids in lists]

        for what, lists in (("by hand", ((0, [1]), (1, [1]))), ("out of order", ((1, [1]), (0, [1]))), ("gap", ((0, [1]), (2, [1]))),
                            ("from 1", ((1, [1]),)), ("twice", ((0, [1]), (0, [1]))), ("unknown broker", ((0, [7]),)),
                            ("broker twice", ((0, [1, 1]),)), ("nobody", ((0, []),)), ("uneven", ((0, [1]), (1, [])))):
            ask(f"assigned {what}", [create("c-assign", -1, -1, assignments=assignment(*lists))], validateOnly=True)
        ask("assigned and counted", [create("c-assign", 1, -1, assignments=assignment((0, [1])))], validateOnly=True)
        ask("assigned and replicated", [create("c-assign", -1, 1, assignments=assignment((0, [1])))], validateOnly=True)
        for what, pairs in (("good", {"retention_ms": "1000"}), ("unknown", {"no_such": "1"}), ("null", {"retention_ms": None}),
                            ("letters", {"retention_ms": "soon"}), ("negative", {"retention_ms": "-2"}), ("policy", {"cleanup_policy": "compact,delete"}),
                            ("bad policy", {"cleanup_policy": "burn"}), ("empty policy", {"cleanup_policy": ""}), ("small segment", {"segment_bytes": "10"}),
                            ("time type", {"message_timestamp_type": "LogAppendTime"}), ("bad time type", {"message_timestamp_type": "Later"}),
                            ("codec", {"compression_type": "zstd"}), ("bad codec", {"compression_type": "rar"}), ("min insync", {"min_insync_replicas": "2"}),
                            ("min insync 0", {"min_insync_replicas": "0"}), ("bool", {"preallocate": "true"}), ("bad bool", {"preallocate": "maybe"}),
                            ("spaces", {"retention_ms": " 1000 "}), ("empty", {"retention_ms": ""}), ("max bytes", {"max_message_bytes": "-1"}),
                            ("ratio", {"min_cleanable_dirty_ratio": "2"}), ("broker key", {"log_retention_ms": "5"}), ("remote", {"remote_storage_enable": "true"}),
                            ("local above", {"local_retention_ms": "5000", "retention_ms": "1000"})):
            ask(f"config {what}", [create("c-config", configs=config(**pairs))], validateOnly=True)
        ask("config twice", [create("c-config", configs=config(retention_ms="1") + config(retention_ms="2"))], validateOnly=True)
        ask("none", [])
        ask("bad and good", [create("a b"), create(f"c-mixed-{v}")])


def delete_topics(c):
    for v in stable_versions(20):
        for name in ("one", "two", "three"):
            c.topic(f"d-{name}-{v}")

        def ask(what, names=(), ids=()):
            if v >= 6:
                body = {"topics": [{"name": n, "topicId": ZERO} for n in names] + [{"name": None, "topicId": i} for i in ids]}
            else:
                body = {"topicNames": list(names)}
            c.tell(what, 20, v, {**body, "timeoutMs": 10000})

        ask("one", [f"d-one-{v}"])
        ask("gone", [f"d-one-{v}"])
        ask("unknown", ["d-nowhere"])
        ask("empty name", [""])
        ask("same twice", [f"d-two-{v}", f"d-two-{v}"])
        ask("unknown and known", ["d-nowhere", f"d-three-{v}"])
        ask("none")
        if v >= 6:
            kept = c.topic("d-by-id")
            ask("unknown id", ids=[NOBODY])
            ask("zero id", ids=[ZERO])
            c.tell("name and id", 20, v, {"topics": [{"name": "d-by-id", "topicId": kept}], "timeoutMs": 10000})
            ask("id twice", ids=[kept, kept])
            ask("by id", ids=[kept])
            ask("by id again", ids=[kept])
            c.ids.pop("d-by-id")
            again = c.topic("d-by-id")
            c.note("a new life has a new id", again != kept)
            c.tell("fetch by the old id", 1, 13, {"maxWaitMs": 0, "minBytes": 0, "topics": [
                {"topicId": kept, "partitions": [{"partition": 0, "fetchOffset": 0, "partitionMaxBytes": 1000}]}]})


def describe_configs(c):
    c.topic("k-topic", configs={"retention.ms": "1000", "cleanup.policy": "compact"})
    c.topic("k-plain")

    def resource(kind, name, keys=None):
        return {"resourceType": kind, "resourceName": name, "configurationKeys": keys}

    def brief(out):
        """Each config as name -> (value, source, type, read only, sensitive, its synonyms' names)."""
        if isinstance(out, dict):
            for r in out["results"]:
                if r["configs"] is not None:
                    r["configs"] = {k["name"]: "; ".join(str(x) for x in (
                        k["value"], k["configSource"], k.get("configType"), k["readOnly"], k["isSensitive"],
                        [(s["name"], s["source"]) for s in k.get("synonyms", [])], bool(k.get("documentation")))) for k in r["configs"]}
        return out

    for v in stable_versions(32):
        def ask(what, *resources, **more):
            c.note(f"{what} v{v}", brief(c.ask(32, v, {"resources": list(resources), **more})))

        ask("topic", resource(2, "k-topic"))
        ask("plain topic", resource(2, "k-plain"))
        ask("with synonyms", resource(2, "k-topic"), includeSynonyms=True)
        if v >= 3:
            ask("with documentation", resource(2, "k-topic", ["retention.ms"]), includeDocumentation=True)
        ask("two keys", resource(2, "k-topic", ["retention.ms", "segment.bytes"]))
        ask("unknown key", resource(2, "k-topic", ["no.such"]))
        ask("no keys", resource(2, "k-topic", []))
        ask("unknown topic", resource(2, "k-nowhere"))
        ask("bad topic", resource(2, "a b"))
        ask("empty topic", resource(2, ""))
        ask("same twice", resource(2, "k-topic", ["retention.ms"]), resource(2, "k-topic", ["segment.bytes"]))
        ask("broker keys", resource(4, "1", ["num.partitions", "message.max.bytes", "log.retention.hours", "log.retention.ms", "no.such", "node.id", "compression.type"]))
        ask("cluster", resource(4, ""))
        ask("other broker", resource(4, "7"))
        ask("broker with letters", resource(4, "one"))
        ask("resource type 0", resource(0, "x"))
        ask("resource type 99", resource(99, "x"))
        ask("resource type 1", resource(1, "x"))
        ask("broker logger", resource(8, "7"))
        ask("nothing")
    c.note("broker", brief(c.ask(32, 4, {"resources": [resource(4, "1")], "includeSynonyms": True})))


def describe_cluster(c):
    for v in stable_versions(60):
        c.tell("plain", 60, v, {})
        c.tell("operations", 60, v, {"includeClusterAuthorizedOperations": True})
        if v >= 1:
            for kind in (1, 2, 3, 0):
                c.tell(f"endpoint type {kind}", 60, v, {"endpointType": kind})
        if v >= 2:
            c.tell("fenced too", 60, v, {"includeFencedBrokers": True})


def describe_partitions(c):
    c.topic("t-a", 5)
    c.topic("t-b", 3)

    def ask(what, names, **more):
        return c.tell(what, 75, 0, {"topics": [{"name": n} for n in names], **more})

    ask("one", ["t-a"])
    ask("two", ["t-b", "t-a"])
    ask("unknown", ["t-nowhere"])
    ask("unknown among known", ["t-b", "t-nowhere", "t-a"])
    ask("twice", ["t-a", "t-a"])
    ask("bad name", ["a b"])
    ask("empty name", [""])
    for limit in (1, 2, 5, 6, 7, 8, 0, -1):
        ask(f"at most {limit}", ["t-a", "t-b"], responsePartitionLimit=limit)
    for topic, at in (("t-a", 0), ("t-a", 3), ("t-a", 5), ("t-a", 9), ("t-b", 1), ("t-aa", 0), ("t-z", 0), ("t-a", -1)):
        ask(f"from {topic} {at}", ["t-a", "t-b"], cursor={"topicName": topic, "partitionIndex": at})
        ask(f"from {topic} {at}, at most 2", ["t-a", "t-b"], cursor={"topicName": topic, "partitionIndex": at}, responsePartitionLimit=2)


CASES = [api_versions, metadata, create_topics, delete_topics, describe_configs, describe_cluster, describe_partitions]
