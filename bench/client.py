#!/usr/bin/env python3
"""What a message costs the client: ours beside librdkafka, in one run and on one broker, in turns.

  client.py --ottla OTTLA --rdkafka RDKAFKA_PERFORMANCE [--bin DIR] [--rounds 5] [--messages 2000000] [--out FILE]

CPU is that of the client's whole process (wait4), start and connecting included; the smallest of all rounds counts. Prints
a line a case: microseconds a message of both, and ours in parts of librdkafka's. Fails if a bar is missed:
produce 100 B at most 0.30, consume at most 0.08. README.md says where rdkafka_performance comes from."""
import argparse, os, shutil, signal, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser()
parser.add_argument("--ottla", required=True)
parser.add_argument("--rdkafka", required=True)
parser.add_argument("--bin", default=os.environ.get("PERF_BIN", "target/release"))
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--messages", type=int, default=2_000_000)
parser.add_argument("--port", type=int, default=17392)
parser.add_argument("--out")
asked = parser.parse_args()

ADDRESS = f"127.0.0.1:{asked.port}"
BARS = {"produce 100 B, acks=all, idempotent": 0.30, "consume 100 B": 0.08}


def cost(command):
    """CPU-microseconds a message of a process."""
    before = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{printed}")
    seconds = time.monotonic() - before
    return (used.ru_utime + used.ru_stime) * 1e6 / asked.messages, asked.messages / seconds


def ours(mode, topic, *more):
    return cost([f"{asked.bin}/clientload", mode, ADDRESS, topic, str(asked.messages), "100", *more])


def theirs(*arguments):
    return cost([asked.rdkafka, "-b", ADDRESS, "-c", str(asked.messages), "-q", *arguments])


def produce_theirs(topic, *more):
    return theirs("-P", "-t", topic, "-s", "100", "-X", "linger.ms=5", *more)


def cases(new_topic, full):
    """Name, ours, librdkafka's."""
    idempotent = ("-a", "-1", "-X", "enable.idempotence=true")
    yield ("produce 100 B, acks=all, idempotent", lambda: ours("produce", new_topic()),
           lambda: produce_theirs(new_topic(), *idempotent))
    yield ("produce 100 B, acks=1", lambda: ours("produce", new_topic(), "leader"),
           lambda: produce_theirs(new_topic(), "-a", "1"))
    yield ("consume 100 B", lambda: ours("consume", full),
           lambda: theirs("-C", "-t", full, "-p", "0", "-o", "beginning"))


def run(topic_of):
    made = iter(range(1_000_000))
    new_topic = lambda: topic_of(f"t{next(made)}")
    full = topic_of("full")
    ours("produce", full)
    costs = {}
    for _ in range(asked.rounds):
        for name, *both in cases(new_topic, full):
            for who, one in zip(("ours", "librdkafka"), both):
                costs.setdefault(name, {}).setdefault(who, []).append(one())
    return costs


def report(costs):
    lines = ["case\tours us/msg\tlibrdkafka us/msg\tours/librdkafka\tours msg/s\tlibrdkafka msg/s\trounds"]
    missed = []
    for name, both in costs.items():
        (cpu, rate), (their_cpu, their_rate) = [(min(c for c, _ in both[who]), max(r for _, r in both[who])) for who in ("ours", "librdkafka")]
        lines.append(f"{name}\t{cpu:.3f}\t{their_cpu:.3f}\t{cpu / their_cpu:.2f}\t{rate:.0f}\t{their_rate:.0f}\t{asked.rounds}")
        if name in BARS and BARS[name] < cpu:
            missed.append(f"{name}: {cpu:.3f}, the bar is {BARS[name]}")
    print("\n".join(lines))
    if asked.out:
        with open(asked.out, "w") as file:
            file.write("\n".join(lines) + "\n")
    return missed


def main():
    data = tempfile.mkdtemp(prefix="client-bench-")
    settings = [f"listeners=PLAINTEXT://{ADDRESS}", "ottla.http.listeners="]
    command = [asked.ottla, "start", "--data", f"{data}/data", "--flush", "never"]
    broker = subprocess.Popen(command + [word for one in settings for word in ("--set", one)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    def topic_of(name):
        made = [f"{asked.bin}/kload", "create", "--addr", ADDRESS, "--topic", name, "--partitions", "1"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        return name
    try:
        subprocess.run([f"{asked.bin}/kload", "ready", "--addr", ADDRESS, "--timeout", "30"], check=True, stdout=subprocess.DEVNULL)
        missed = report(run(topic_of))
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait(20)
        shutil.rmtree(data)
    if missed:
        sys.exit("\n".join(missed))


main()
