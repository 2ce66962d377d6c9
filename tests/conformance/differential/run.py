"""The same requests to Apache Kafka and to Ottla, the answers compared.

run.py record HOST:PORT OUT.json [CASE...]             keeps the normalised answers of a fresh broker; named cases
                                                       replace what OUT.json has of them
run.py compare HOST:PORT PEER [CASE...]                asks a fresh broker and compares; PEER is a recording or a HOST:PORT
Both brokers: node id 1, rack RACK1, num.partitions 4. Differences named in explained.tsv are counted apart; any other fails.
"""
import fnmatch
import gzip
import json
import os
import sys
import traceback

import cases_admin
import cases_alter
import cases_frames
import cases_groups
import cases_offsets
import cases_produce
import cases_read
from context import Context

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [case for module in (cases_admin, cases_alter, cases_produce, cases_read, cases_frames, cases_groups, cases_offsets)
         for case in module.CASES]


def answers(address, names):
    c = Context(address)
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        c.case = case.__name__
        try:
            case(c)
        except Exception:  # a broken case is an answer too: it differs from the peer's
            print(f"the case {c.case} broke off at {address}:\n{traceback.format_exc(limit=-2)}", file=sys.stderr)
            c.answers[f"{c.case}: broke off"] = True
            c.connection.close()
            c.connection = c.fresh()
    return json.loads(json.dumps(c.answers))


def recording(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as f:
        return json.load(f)


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            if k not in a or k not in b:
                yield f"{path}.{k}", a.get(k, "absent"), b.get(k, "absent")
            else:
                yield from differences(a[k], b[k], f"{path}.{k}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}.{i}")
    elif a != b:
        yield path, a, b


def explanations():
    with open(os.path.join(HERE, "explained.tsv")) as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and not line.startswith("#")]
    assert all(len(row) == 3 for row in rows), "explained.tsv: three columns"
    return rows


def compare(ottla, kafka):
    rows, used = explanations(), set()
    unexplained = explained = mend = same = 0
    for name in sorted(set(ottla) | set(kafka)):
        found = list(differences(kafka.get(name, "not asked"), ottla.get(name, "not asked")))
        same += not found
        for path, theirs, mine in found:
            row = next((r for r in rows if fnmatch.fnmatchcase(name, r[0]) and fnmatch.fnmatchcase(path, r[1])), None)
            if row:
                explained += not row[2].startswith("mend:")
                mend += row[2].startswith("mend:")
                used.add(tuple(row))
            else:
                unexplained += 1
                print(f"{name} {path}\n    kafka {short(theirs)}\n    ottla {short(mine)}")
    for row in rows:
        if tuple(row) in used:
            print(f"explained: {row[0]} {row[1]}: {row[2]}")
        else:
            print(f"no longer needed: {row[0]} {row[1]}: {row[2]}")
    print(f"{same} answers equal, {explained} explained differences, {mend} to mend, {unexplained} unexplained")
    return unexplained


def short(x):
    text = json.dumps(x)
    return text if len(text) < 400 else text[:400] + "..."


def main():
    what, address, peer, *names = sys.argv[1:]
    mine = answers(address, names)
    if what == "record":
        if names and os.path.exists(peer):
            kept = {k: v for k, v in recording(peer).items() if k.split(":")[0] not in names}
            mine = kept | mine
        with gzip.open(peer, "wt") if peer.endswith(".gz") else open(peer, "w") as f:
            json.dump(mine, f, indent=0, sort_keys=True)
        print(f"{len(mine)} answers kept")
        return 0
    theirs = recording(peer) if os.path.exists(peer) else answers(peer, names)
    if names:
        theirs = {k: v for k, v in theirs.items() if k.split(":")[0] in names}
    return 1 if compare(mine, theirs) else 0


if __name__ == "__main__":
    sys.exit(main())
