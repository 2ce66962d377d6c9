#!/usr/bin/env python3
"""Ottla beside the floor (kfloor), in one run: rounds in turn, minimum of CPU, median of p50; prints the ratios.

  bench/run.py OTTLA [--rounds 10] [--durable] [--out FILE]

The floor is the least code that answers Produce and Fetch (bench/README.md). `never` is compared with its page cache,
`--durable` with its shared log under group commit. Quote ratios only; on a shared machine the rest is weather.
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
parser.add_argument("--out")
args = parser.parse_args()
bins = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(here, "target")), "release")
subprocess.run(["cargo", "build", "--release", "--quiet", "--bins"], cwd=here, check=True)
kload, kfloor = os.path.join(bins, "kload"), os.path.join(bins, "kfloor")

PRODUCE = [  # name, topic, partitions, arguments, unit
    ("produce 1 KiB x 63, acks=1", 1, ["--msg", "1k", "--batch", "64k", "--bytes", "128m"], "GB"),
    ("produce 1 KiB x 63, acks=all", 1, ["--msg", "1k", "--batch", "64k", "--bytes", "128m", "--acks", "-1"], "GB"),
    ("produce 100 B x 151", 1, ["--msg", "100", "--batch", "16k", "--bytes", "64m"], "GB"),
    ("produce 1 KiB x 952", 1, ["--msg", "1k", "--batch", "960k", "--bytes", "128m"], "GB"),
    ("produce 1 KiB x 15, 16 partitions, 4 connections", 16,
     ["--conns", "4", "--msg", "1k", "--batch", "16k", "--bytes", "128m"], "GB"),
    ("produce 1 KiB x 1, 5 in flight", 1, ["--msg", "1k", "--batch", "1k", "--bytes", "16m"], "Mmsg"),
    ("produce 100 B x 1, 1 in flight", 1, ["--msg", "100", "--batch", "100", "--bytes", "2m", "--inflight", "1"], "Mmsg"),
]
FETCH = [
    ("fetch 1 MiB", 1, ["--bytes", "256m"], "GB"),
    ("fetch 64 KiB", 1, ["--max", "64k", "--bytes", "128m"], "GB"),
    ("fetch 1 MiB, 16 partitions", 16, ["--bytes", "128m"], "GB"),
]
DURABLE = [("durable 1 KiB x 1, 1,000 partitions, 16 connections x 4", 1000,
            ["--msg", "1k", "--batch", "1k", "--acks", "-1", "--conns", "16", "--inflight", "4", "--bytes", "16m"], "Mmsg")]


def load(address, pid, what, partitions, more):
    command = [kload, what, "--addr", address, "--topic", "p%d" % partitions, "--partitions", str(partitions),
               "--pid", str(pid), *more]
    out = subprocess.run(command, capture_output=True, text=True, timeout=300)
    text = out.stdout + out.stderr
    if out.returncode or "error" in text:
        sys.exit("%s: %s" % (" ".join(command), text))
    return {key: float(value) for key, value in re.findall(r"([A-Za-z0-9_]+)=(-?[0-9.]+)", text)}


def servers(folder):
    floor = [kfloor, "--listen", "127.0.0.1:17192", "--dir", folder + "/floor", "--rt", "threads" if args.durable else "ct"]
    if args.durable:
        floor += ["--store", "shared", "--fsync", "group"]
    flush = "ack" if args.durable else "never"
    ours = [args.ottla, "start", "--data", folder + "/ottla", "--set", "listeners=PLAINTEXT://127.0.0.1:17292",
            "--flush", flush]
    return {"floor": (floor, "127.0.0.1:17192"), "ours": (ours, "127.0.0.1:17292")}


results = collections.defaultdict(list)
ready = ""
for round_ in range(args.rounds):
    folder = tempfile.mkdtemp()
    for name, (command, address) in servers(folder).items():
        os.makedirs(folder + "/" + ("floor" if name == "floor" else "ottla"), exist_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if name == "ours":
            ready = process.stdout.readline().strip()
        subprocess.run([kload, "ready", "--addr", address, "--timeout", "20"], check=True, capture_output=True)
        for partitions in ([1000] if args.durable else [1, 16]):
            subprocess.run([kload, "create", "--addr", address, "--topic", "p%d" % partitions, "--partitions",
                            str(partitions)], check=True, capture_output=True)
        for case, partitions, more, unit in DURABLE if args.durable else PRODUCE:
            found = load(address, process.pid, "produce", partitions, more)
            results[case, unit, name].append((found["brk_cpu_s_per_" + unit], found["ack_p50_us"]))
        if not args.durable:
            for case, partitions, more, unit in FETCH:
                found = load(address, process.pid, "fetch", partitions, more)
                results[case, unit, name].append((found["brk_cpu_s_per_" + unit], found["req_p50_us"]))
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    shutil.rmtree(folder)

lines = ["# %s, %d rounds, %s" % (time.strftime("%Y-%m-%d"), args.rounds, ready),
         "case\tunit\tfloor CPU\tours CPU\tratio\tfloor p50 us\tours p50 us"]
for case, partitions, more, unit in DURABLE if args.durable else PRODUCE + FETCH:
    label = "CPU-s/GB" if unit == "GB" else "CPU-us/message"
    floor, ours = results[case, unit, "floor"], results[case, unit, "ours"]
    low = [min(row[0] for row in rows) for rows in (floor, ours)]
    p50 = [statistics.median(row[1] for row in rows) for rows in (floor, ours)]
    lines.append("%s\t%s\t%.3f\t%.3f\t%.2f\t%.0f\t%.0f" % (case, label, *low, low[1] / low[0], *p50))
print("\n".join(lines))
if args.out:
    with open(args.out, "a") as out:
        out.write("\n".join(lines) + "\n")
