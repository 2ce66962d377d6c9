#!/usr/bin/env python3
"""What groups cost a running Ottla: groups.py OTTLA [ROUNDS]
CPU of the broker per Heartbeat, per OffsetCommit of one partition and per single-record Produce with acks=all, one request in flight on
each of 8 connections, rounds interleaved, the least of all rounds (noise only adds); and a restart with 10,000 groups. Prints TSV."""
import glob
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/conformance/differential"))
import batches  # noqa: E402
from codec import Message  # noqa: E402
from connection import Connection  # noqa: E402

PORT = int(os.environ.get("BENCH_PORT", "17492"))
ADDRESS = f"127.0.0.1:{PORT}"
CONNECTIONS, REQUESTS, GROUPS = 8, 4000, 10_000


def start(ottla, data, *more):
    broker = subprocess.Popen([ottla, "start", "--data", data, "--set", f"listeners=PLAINTEXT://{ADDRESS}",
                               "--set", "group.initial.rebalance.delay.ms=0", *more], stdout=subprocess.PIPE, text=True)
    line = broker.stdout.readline()
    assert line.startswith("ottla ready"), line
    return broker, line.split("sync=")[1].split()[0] if "sync=" in line else "?"


def cpu_us(broker):
    """Of all its threads, to the nanosecond."""
    return sum(int(open(path).read().split()[0]) for path in glob.glob(f"/proc/{broker.pid}/task/*/schedstat")) / 1000


def frame(connection, key, version, body, name):
    payload = connection.header(key, version) + Message(name).encode(body, version)
    return struct.pack(">i", len(payload)) + payload


def rush(frames, count):
    """Each connection sends its frame again as soon as it is answered, `count` in all; gives the latencies."""
    poll, sockets, sent_at, latencies = select.epoll(), {}, {}, []
    for connection, data in frames:
        s = connection.socket
        sockets[s.fileno()] = (s, data)
        poll.register(s.fileno(), select.EPOLLIN)
        sent_at[s.fileno()] = time.perf_counter()
        s.sendall(data)
    left = count - len(frames)
    waiting = len(frames)
    while waiting:
        for fd, _ in poll.poll():
            s, data = sockets[fd]
            s.recv(65536)  # an answer is one small piece
            now = time.perf_counter()
            latencies.append(now - sent_at[fd])
            if left:
                left -= 1
                sent_at[fd] = now
                s.sendall(data)
            else:
                waiting -= 1
    return sorted(latencies)


def prepare():
    c = Connection(ADDRESS)
    c.ask(19, 7, {"topics": [{"name": "t", "numPartitions": CONNECTIONS, "replicationFactor": 1}], "timeoutMs": 10000})
    assert c.ask(10, 4, {"coordinatorKeys": ["g"], "keyType": 0})["coordinators"][0]["errorCode"] == 0
    c.close()
    beats, commits, produces = [], [], []
    for i in range(CONNECTIONS):
        c = Connection(ADDRESS)
        group = f"bench-{i}"
        join = {"groupId": group, "sessionTimeoutMs": 600000, "rebalanceTimeoutMs": 60000, "memberId": "", "protocolType": "consumer",
                "protocols": [{"name": "range", "metadata": b""}]}
        joined = c.ask(11, 3, join)
        assert joined["errorCode"] == 0, joined
        member = {"groupId": group, "generationId": joined["generationId"], "memberId": joined["memberId"]}
        assert c.ask(14, 3, {**member, "assignments": [{"memberId": joined["memberId"], "assignment": b"x"}]})["errorCode"] == 0
        assert c.ask(12, 3, member)["errorCode"] == 0
        beats.append((c, frame(c, 12, 3, member, "HeartbeatRequest")))
        commit = {"groupId": group, "generationIdOrMemberEpoch": joined["generationId"], "memberId": joined["memberId"],
                  "topics": [{"name": "t", "partitions": [{"partitionIndex": i, "committedOffset": 12345, "committedLeaderEpoch": 0}]}]}
        assert c.ask(8, 8, commit)["topics"][0]["partitions"][0]["errorCode"] == 0
        commits.append((c, frame(c, 8, 8, commit, "OffsetCommitRequest")))
        records = batches.batch_of([(b"key-of-a-record", b"v" * 40)])
        produce = {"acks": -1, "timeoutMs": 10000, "topicData": [{"name": "t", "partitionData": [{"index": i, "records": records}]}]}
        answer = c.ask(0, 9, produce)
        assert answer["responses"][0]["partitionResponses"][0]["errorCode"] == 0, answer
        produces.append((c, frame(c, 0, 9, produce, "ProduceRequest")))
    return {"heartbeat": beats, "offset commit": commits, "single-record produce": produces}


def costs(ottla, flush, rounds):
    data = tempfile.mkdtemp()
    broker, sync = start(ottla, data, "--flush", flush)
    try:
        kinds = prepare()
        least, middle = {}, {}
        for _ in range(rounds):
            for kind, frames in kinds.items():
                before = cpu_us(broker)
                latencies = rush(frames, REQUESTS)
                each = (cpu_us(broker) - before) / REQUESTS
                least[kind] = min(least.get(kind, each), each)
                middle.setdefault(kind, []).append(latencies[len(latencies) // 2] * 1e6)
        for kind in kinds:
            print(f"groups\tflush={flush} sync={sync}\t{kind}: CPU us\t{least[kind]:.1f}\tp50 us\t{min(middle[kind]):.0f}")
        print(f"groups\tflush={flush} sync={sync}\toffset commit / produce, CPU\t{least['offset commit'] / least['single-record produce']:.2f}")
    finally:
        broker.kill()
        broker.wait()
        shutil.rmtree(data)


def many_groups(ottla):
    data = tempfile.mkdtemp()
    broker, sync = start(ottla, data)
    try:
        prepare()
        links = [Connection(ADDRESS) for _ in range(64)]
        for low in range(0, GROUPS, len(links)):
            for i, c in enumerate(links):
                body = {"groupId": f"many-{low + i}", "generationIdOrMemberEpoch": -1, "memberId": "", "topics": [
                    {"name": "t", "partitions": [{"partitionIndex": p, "committedOffset": low + i} for p in range(4)]}]}
                c.send(c.header(8, 8) + Message("OffsetCommitRequest").encode(body, 8))
            for c in links:
                c.answer(8, 8)
        broker.kill()
        broker.wait()
        began = time.perf_counter()
        broker, _ = start(ottla, data)
        ready = time.perf_counter() - began
        c = Connection(ADDRESS)
        while True:
            out = c.ask(16, 4, {})
            if out["errorCode"] == 0:
                break
        loaded = time.perf_counter() - began
        found = sum(g["groupId"].startswith("many-") for g in out["groups"])
        assert found >= GROUPS, found
        last = c.ask(9, 8, {"groups": [{"groupId": f"many-{GROUPS - 1}", "topics": None}]})["groups"][0]["topics"][0]["partitions"]
        assert [p["committedOffset"] for p in last] == [GROUPS - 1] * 4, last
        rss = next(int(line.split()[1]) / 1024 for line in open(f"/proc/{broker.pid}/status") if line.startswith("VmRSS"))
        print(f"groups\tsync={sync}\trestart after SIGKILL with {found} groups of 4 offsets: listening ms\t{ready * 1e3:.0f}"
              f"\tall loaded ms\t{loaded * 1e3:.0f}\trss MiB\t{rss:.0f}")
    finally:
        broker.kill()
        broker.wait()
        shutil.rmtree(data)


if __name__ == "__main__":
    binary, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for flush in ("never", "ack"):
        costs(binary, flush, rounds)
    many_groups(binary)
