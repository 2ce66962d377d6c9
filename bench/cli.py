#!/usr/bin/env python3
"""What a client gets from a cluster, measured from outside with `ottla bench`.

  cli.py kafka OTTLA KAFKA_HOME [ROUNDS]   beside kafka-producer-perf-test and kafka-consumer-perf-test, on the same
                                              broker and topic, in turn; prints medians and their ratio
  cli.py flush OTTLA [ROUNDS]              what --flush ack, interval and never cost

KAFKA_HOME has Apache Kafka's bin/ and lib/ (tests/conformance/kafka-peer/run.sh fetch makes one). Environment: COUNT
(records a run, default 1000000), SIZE (default 100), BROKER (a running cluster in place of a node of our own).
Rows are tab-separated; a line that begins with # says how they came about.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

COUNT = int(os.environ.get("COUNT", "1000000"))
SIZE = int(os.environ.get("SIZE", "100"))
PORT = 17592


def node(ottla, flush):
    """A node of our own: its process, address and folder."""
    folder = tempfile.mkdtemp(prefix="ottla-bench-")
    command = [ottla, "start", "--data", folder + "/data", "--flush", flush, "--set", "ottla.http.listeners=",
               "--set", "listeners=PLAINTEXT://127.0.0.1:%d" % PORT]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(folder + "/log", "w"), text=True)
    ready = process.stdout.readline().strip()
    if not ready.startswith("ottla ready"):
        raise SystemExit("the node does not come up: " + open(folder + "/log").read())
    return process, "127.0.0.1:%d" % PORT, folder, ready


def stop(process, folder):
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


def timed(command):
    """stdout of a command, and the CPU seconds of its process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out = process.stdout.read()
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit("%s failed:\n%s%s" % (" ".join(command), out, err))
    return out, usage.ru_utime + usage.ru_stime


def ours(ottla, address, verb, *more):
    out, cpu = timed([ottla, "bench", verb, "perf", "-b", address, "-o", "json", *more])
    row = json.loads(out)["bench"][0]
    return {"rate": row["records_per_second"], "p50": row["p50_ms"], "p99": row["p99_ms"], "cpu": cpu,
            "us": row["cpu_us_per_record"]}


def theirs_produce(kafka, address, payloads, count, warm, rate, linger):
    out, cpu = timed([kafka + "/bin/kafka-producer-perf-test.sh", "--topic", "perf", "--num-records", str(count + warm),
                      "--warmup-records", str(warm), "--payload-file", payloads, "--throughput", str(rate),
                      "--command-property", "bootstrap.servers=" + address, "acks=all", "linger.ms=%d" % linger,
                      "batch.size=65536", "client.id=perf"])
    said = [line for line in out.splitlines() if "99.9th" in line][-1]
    rate = float(re.search(r"([\d.]+) records/sec", said).group(1))
    p50, p99 = (float(re.search(r"([\d.]+) ms %s" % name, said).group(1)) for name in ("50th", "99th"))
    return {"rate": rate, "p50": p50, "p99": p99, "cpu": cpu, "us": cpu * 1e6 / (count + warm)}


def theirs_consume(kafka, address):
    out, cpu = timed([kafka + "/bin/kafka-consumer-perf-test.sh", "--bootstrap-server", address, "--topic", "perf",
                      "--num-records", str(COUNT), "--timeout", "30000"])
    fields = [field.strip() for field in out.splitlines()[-1].split(",")]
    # The last column: records a second while it fetched, without the time that joining the group took.
    return {"rate": float(fields[-1]), "p50": None, "p99": None, "cpu": cpu, "us": cpu * 1e6 / COUNT}


def median(rows, field):
    values = [row[field] for row in rows if row[field] is not None]
    return statistics.median(values) if values else None


def compare(what, mine, kafkas):
    for field, unit in (("rate", "records/s"), ("p50", "ms"), ("p99", "ms"), ("us", "CPU-us a record, whole process")):
        one, other = median(mine, field), median(kafkas, field)
        if one is None or other is None or other == 0:
            continue
        print("%s\t%s\t%s\t%.3f\t%.3f\t%.2f" % (what, field, unit, one, other, one / other), flush=True)


def beside_kafka(ottla, kafka, rounds):
    broker = os.environ.get("BROKER")
    process = folder = None
    if broker is None:
        process, broker, folder, ready = node(ottla, "ack")
        print("# " + ready)
    warm = COUNT // 10
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as payloads:
        state = 1
        for _ in range(1000):
            letters = []
            for _ in range(SIZE):
                state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
                letters.append(chr(65 + (state >> 33) % 26))
            payloads.write("".join(letters) + "\n")
        payloads.flush()
        subprocess.run([ottla, "topic", "create", "perf", "-p", "1", "--if-not-exists", "-b", broker],
                       check=True, stdout=subprocess.DEVNULL)
        produced, kafka_produced, steady, kafka_steady, consumed, kafka_consumed = [], [], [], [], [], []
        print("# %d rounds in turn, medians; %d records of %d B, one partition, acks=all, linger 5 ms, batches of 64 KiB"
              % (rounds, COUNT, SIZE))
        print("what\tfigure\tunit\tottla bench\tKafka's tool\tratio")
        for _ in range(rounds):
            produced.append(ours(ottla, broker, "produce", "-c", str(COUNT), "-s", str(SIZE), "--warm-up", str(warm)))
            kafka_produced.append(theirs_produce(kafka, broker, payloads.name, COUNT, warm, -1, 5))
            steady.append(ours(ottla, broker, "produce", "-c", "10000", "-s", str(SIZE), "--warm-up", "4000", "--rate",
                               "2000", "--linger", "0"))
            kafka_steady.append(theirs_produce(kafka, broker, payloads.name, 10000, 4000, 2000, 0))
            consumed.append(ours(ottla, broker, "consume", "-c", str(COUNT)))
            kafka_consumed.append(theirs_consume(kafka, broker))
        compare("produce as fast as it goes", produced, kafka_produced)
        compare("produce 2,000/s, linger 0", steady, kafka_steady)
        compare("consume", consumed, kafka_consumed)
    if process is not None:
        stop(process, folder)


def flush_modes(ottla, rounds):
    print("# %d rounds in turn, medians; records of %d B, one partition, acks=all; as fast as it goes: %d records in"
          " batches of up to 64 KiB; steady: 5,000 records at 1,000/s, linger 0" % (rounds, SIZE, COUNT))
    print("flush\trecords/s as fast as it goes\tMiB/s\tsteady p50 ms\tp99 ms\tsync us")
    modes = {mode: [] for mode in ("ack", "interval", "never")}
    for _ in range(rounds):
        for mode, rows in modes.items():
            process, address, folder, ready = node(ottla, mode)
            fast = ours(ottla, address, "produce", "--partitions", "1", "-c", str(COUNT), "-s", str(SIZE))
            steady = ours(ottla, address, "produce", "-c", "5000", "-s", str(SIZE), "--rate", "1000", "--linger", "0")
            stop(process, folder)
            rows.append({"rate": fast["rate"], "p50": steady["p50"], "p99": steady["p99"],
                         "sync": float(re.search(r"sync=(\d+)us", ready).group(1))})
    for mode, rows in modes.items():
        rate = median(rows, "rate")
        print("%s\t%.0f\t%.1f\t%.3f\t%.3f\t%.0f" % (mode, rate, rate * SIZE / (1 << 20), median(rows, "p50"),
                                                   median(rows, "p99"), median(rows, "sync")))


def main():
    match sys.argv[1:]:
        case ["kafka", ottla, kafka, *rounds]:
            beside_kafka(os.path.abspath(ottla), os.path.abspath(kafka), int(rounds[0]) if rounds else 5)
        case ["flush", ottla, *rounds]:
            flush_modes(os.path.abspath(ottla), int(rounds[0]) if rounds else 3)
        case _:
            raise SystemExit(__doc__)


main()
