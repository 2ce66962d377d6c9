"""Reads Kafka's message definitions out of kafka-clients.jar into definitions.json: names, types and versions, no prose."""
import json
import re
import sys
import zipfile

KEYS = {0: "Produce", 1: "Fetch", 2: "ListOffsets", 3: "Metadata", 8: "OffsetCommit", 9: "OffsetFetch",
        10: "FindCoordinator", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup", 14: "SyncGroup", 15: "DescribeGroups",
        16: "ListGroups", 18: "ApiVersions", 19: "CreateTopics", 20: "DeleteTopics", 21: "DeleteRecords",
        22: "InitProducerId", 23: "OffsetForLeaderEpoch", 32: "DescribeConfigs", 33: "AlterConfigs",
        37: "CreatePartitions", 42: "DeleteGroups", 44: "IncrementalAlterConfigs", 47: "OffsetDelete",
        60: "DescribeCluster", 75: "DescribeTopicPartitions"}


def field(f):
    out = {"n": f["name"][0].lower() + f["name"][1:], "t": f["type"], "v": f.get("versions", "0+")}
    for short, long in (("null", "nullableVersions"), ("tag", "tag"), ("tv", "taggedVersions"), ("fv", "flexibleVersions")):
        if long in f:
            out[short] = f[long]
    if "default" in f:
        out["d"] = str(f["default"])
    if "fields" in f:
        out["f"] = [field(g) for g in f["fields"]]
    return out


def message(text):
    m = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
    structs = {s["name"]: [field(f) for f in s["fields"]] for s in m.get("commonStructs", [])}
    return {"flexible": m["flexibleVersions"], "versions": m["validVersions"], "fields": [field(f) for f in m["fields"]],
            "structs": structs}


def main(jar, out):
    definitions = {}
    with zipfile.ZipFile(jar) as z:
        for key, name in KEYS.items():
            for kind in ("Request", "Response"):
                text = z.read(f"common/message/{name}{kind}.json").decode()
                definitions[f"{name}{kind}"] = message(text)
    with open(out, "w") as f:
        rows = [f"{json.dumps(name)}: {json.dumps(d, sort_keys=True)}" for name, d in definitions.items()]
        f.write("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
