#!/usr/bin/env python3
"""Ottla beside the floor (kfloor) and Apache Kafka 4.3.1, in one run: rounds in turn, minimum of CPU, median of p50;
prints the ratios, and who wins by how much.

  bench/run.py OTTLA [--rounds 10] [--durable] [--no-kafka] [--out FILE]

The floor is the least code that answers Produce and Fetch (bench/README.md). `never` is compared with its page cache
and with Kafka's defaults, which never sync; `--durable` with its shared log under group commit, and with a Kafka that
syncs every batch (flush.messages=1), which is what an acknowledgement of ours means. Kafka runs through all rounds, so
that its code is warm, with the heap of kafka-server-start.sh. Quote ratios only; on a shared machine the rest is weather.
"""
import argparse
import collections
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser()
parser.add_argument("ottla")
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--durable", action="store_true")
parser.add_argument("--no-kafka", action="store_true")
parser.add_argument("--out")
args = parser.parse_args()
bins = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(here, "target")), "release")
subprocess.run(["cargo", "build", "--release", "--quiet", "--bins"], cwd=here, check=True)
kload, kfloor = os.path.join(bins, "kload"), os.path.join(bins, "kfloor")
peer = os.path.join(here, "../tests/conformance/kafka-peer/run.sh")
FLOOR, OURS, KAFKA = "127.0.0.1:17192", "127.0.0.1:17292", "127.0.0.1:18392"

Case = collections.namedtuple("Case", "name what partitions more cpu p50 unit")


def produce(name, partitions, more, unit="GB"):
    return Case(name, "produce", partitions, more, "brk_cpu_s_per_" + unit, "ack_p50_us", unit)


def fetch(name, partitions, more):
    return Case(name, "fetch", partitions, more, "brk_cpu_s_per_GB", "req_p50_us", "GB")


CASES = [
    produce("produce 1 KiB x 63, acks=1", 1, ["--msg", "1k", "--batch", "64k", "--bytes", "128m"]),
    produce("produce 1 KiB x 63, acks=all", 1, ["--msg", "1k", "--batch", "64k", "--bytes", "128m", "--acks", "-1"]),
    produce("produce 100 B x 151", 1, ["--msg", "100", "--batch", "16k", "--bytes", "64m"]),
    produce("produce 1 KiB x 952", 1, ["--msg", "1k", "--batch", "960k", "--bytes", "128m"]),
    produce("produce 1 KiB x 15, 16 partitions, 4 connections", 16,
            ["--conns", "4", "--msg", "1k", "--batch", "16k", "--bytes", "128m"]),
    produce("produce 1 KiB x 1, 5 in flight", 1, ["--msg", "1k", "--batch", "1k", "--bytes", "16m"], "Mmsg"),
    produce("produce 100 B x 1, 1 in flight", 1, ["--msg", "100", "--batch", "100", "--bytes", "2m", "--inflight", "1"], "Mmsg"),
    fetch("fetch 1 MiB", 1, ["--bytes", "256m"]),
    fetch("fetch 64 KiB", 1, ["--max", "64k", "--bytes", "128m"]),
    fetch("fetch 1 MiB, 16 partitions", 16, ["--bytes", "128m"]),
    Case("metadata of 1,000 partitions", "metadata", 1000, ["--n", "300"], "brk_cpu_s_per_Mmsg", "p50_us", "Mmsg"),
    Case("heartbeat", "group", 1, ["--n", "2000"], "heartbeat brk_cpu_s_per_Mmsg", "heartbeat p50_us", "Mmsg"),
    Case("offset commit of one partition", "group", 1, ["--n", "2000"], "commit brk_cpu_s_per_Mmsg", "commit p50_us", "Mmsg"),
]
DURABLE = [produce("durable 1 KiB x 1, 1,000 partitions, 16 connections x 4", 1000,
                   ["--msg", "1k", "--batch", "1k", "--acks", "-1", "--conns", "16", "--inflight", "4", "--bytes", "16m"], "Mmsg")]
cases = DURABLE if args.durable else CASES
# What the floor does not answer.
NOT_FLOOR = {"metadata", "group"}
results = collections.defaultdict(list)


def run(command):
    out = subprocess.run(command, capture_output=True, text=True, timeout=300)
    text = out.stdout + out.stderr
    if out.returncode or re.search(r"error(?!=0)", text):
        sys.exit("%s: %s" % (" ".join(command), text))
    return text


def figures(text):
    """Every KEY=NUMBER; those of a line that begins with a word are also there as `WORD KEY`."""
    found = {}
    for line in text.splitlines():
        for key, value in re.findall(r"([A-Za-z0-9_]+)=(-?[0-9.]+)", line):
            found[key] = found[line.split()[0] + " " + key] = float(value)
    return found


def topics(address, suffix):
    for partitions in sorted({case.partitions for case in cases}):
        config = ["--config", "flush.messages=1"] if args.durable and address == KAFKA else []
        run([kload, "create", "--addr", address, "--topic", "p%d%s" % (partitions, suffix), "--partitions", str(partitions), *config])


def measure(name, address, pid, suffix=""):
    run([kload, "ready", "--addr", address, "--timeout", "60"])
    topics(address, suffix)
    done = {}
    for case in cases:
        if name == "floor" and case.what in NOT_FLOOR:
            continue
        key = (case.what, case.partitions, *case.more)
        if key not in done:
            done[key] = figures(run([kload, case.what, "--addr", address, "--topic", "p%d%s" % (case.partitions, suffix),
                                     "--partitions", str(case.partitions), "--pid", str(pid), "--group", "kload" + suffix, *case.more]))
        results[case.name, name].append((done[key][case.cpu], done[key][case.p50]))


def node(name, command, address, folder):
    """A fresh server for one round: cold start, the cases, memory when idle. Gives its first line."""
    os.makedirs(os.path.join(folder, name))
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    ready = process.stdout.readline().strip() if name == "ours" else ""
    if name == "ours" and not args.durable:
        run([kload, "ready", "--addr", address, "--timeout", "20"])
        run([kload, "create", "--addr", address, "--topic", "first", "--partitions", "1"])
        run([kload, "firstack", "--addr", address, "--topic", "first"])
        results["cold start to first acknowledged record", name].append((0, (time.perf_counter() - began) * 1e6))
        run([kload, "create", "--addr", address, "--topic", "idle", "--partitions", "100"])
        results["memory when idle with 100 partitions", name].append((figures(run([kload, "stat", "--pid", str(process.pid)]))["rss_MiB"], 0))
    measure(name, address, process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return ready


def kafka(*what):
    home = os.environ.get("PEER_HOME", os.path.join(here, "../target/kafka-peer"))
    environment = {**os.environ, "PEER_HOME": home, "PEER_PORT": KAFKA.split(":")[1], "PEER_QUIET": "1"}
    done = subprocess.run([peer, *what], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit("kafka-peer/run.sh %s: %s%s" % (" ".join(what), done.stdout[-2000:], done.stderr[-2000:]))
    return home


def start_kafka():
    home = os.environ.get("PEER_HOME", os.path.join(here, "../target/kafka-peer"))
    if not os.path.exists(os.path.join(home, "classes.txt")):
        kafka("fetch")
    kafka("format")
    began = time.perf_counter()
    kafka("start")
    pid = int(open(os.path.join(home, "node1/pid")).read())
    run([kload, "create", "--addr", KAFKA, "--topic", "first", "--partitions", "1"])
    run([kload, "firstack", "--addr", KAFKA, "--topic", "first"])
    if not args.durable:
        results["cold start to first acknowledged record", "kafka"].append((0, (time.perf_counter() - began) * 1e6))
        run([kload, "create", "--addr", KAFKA, "--topic", "idle", "--partitions", "100"])
        results["memory when idle with 100 partitions", "kafka"].append((figures(run([kload, "stat", "--pid", str(pid)]))["rss_MiB"], 0))
    return pid


def commands(folder):
    floor = [kfloor, "--listen", FLOOR, "--dir", folder + "/floor", "--rt", "threads" if args.durable else "ct"]
    if args.durable:
        floor += ["--store", "shared", "--fsync", "group"]
    flush = "ack" if args.durable else "never"
    ours = [args.ottla, "start", "--data", folder + "/ours/data", "--set", "listeners=PLAINTEXT://" + OURS,
            "--set", "group.initial.rebalance.delay.ms=0", "--flush", flush]
    return [("floor", floor, FLOOR), ("ours", ours, OURS)]


kafka_pid = None if args.no_kafka else start_kafka()
ready = ""
try:
    for round_ in range(args.rounds):
        folder = tempfile.mkdtemp()
        for name, command, address in commands(folder):
            ready = node(name, command, address, folder) or ready
        if kafka_pid:
            measure("kafka", KAFKA, kafka_pid, "r%d" % round_)
        shutil.rmtree(folder)
finally:
    if kafka_pid:
        kafka("stop")
        kafka("clean")


def low(name, who):
    rows = results.get((name, who))
    return min(row[0] for row in rows) if rows else None


def middle(name, who):
    rows = results.get((name, who))
    return statistics.median(row[1] for row in rows) if rows else None


def number(value, digits):
    return "-" if value is None else "%.*f" % (digits, value)


def verdict(ours, theirs):
    """Who needs less, and how many times less."""
    if not ours or not theirs:
        return "-"
    return "ours %.1fx" % (theirs / ours) if ours <= theirs else "kafka %.1fx" % (ours / theirs)


lines = ["# %s, %d rounds, %s%s" % (time.strftime("%Y-%m-%d"), args.rounds, ready, "" if args.no_kafka else ", beside Apache Kafka 4.3.1"),
         "case\tunit\tfloor CPU\tours CPU\tratio\tkafka CPU\tless CPU\tfloor p50 us\tours p50 us\tkafka p50 us\tsooner"]
more = [] if args.durable else [Case("cold start to first acknowledged record", "", 0, [], "", "", "us"),
                                Case("memory when idle with 100 partitions", "", 0, [], "", "", "MiB")]
for case in cases + more:
    label = {"GB": "CPU-s/GB", "Mmsg": "CPU-us/message"}.get(case.unit, case.unit)
    cpu = [low(case.name, who) for who in ("floor", "ours", "kafka")]
    p50 = [middle(case.name, who) for who in ("floor", "ours", "kafka")]
    ratio = "-" if not cpu[0] else "%.2f" % (cpu[1] / cpu[0])
    lines.append("\t".join([case.name, label, number(cpu[0], 3), number(cpu[1], 3), ratio, number(cpu[2], 3), verdict(cpu[1], cpu[2]),
                            *(number(value, 0) for value in p50), verdict(p50[1], p50[2])]))
print("\n".join(lines))
if args.out:
    with open(args.out, "a") as out:
        out.write("\n".join(lines) + "\n")
