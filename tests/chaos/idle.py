"""What idle partitions cost: memory and descriptors of the running node, and the time of its next start.

idle.py BINARY PARTITIONS [SECONDS_MAX]

Makes topics with so many partitions in all, looks at /proc, kills the node, starts it again and waits for the first acknowledged
record. Fails when a partition costs a descriptor or more than 2 KiB, or when the start takes longer than SECONDS_MAX (2).
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

ADDRESS = "127.0.0.1:19796"
PER_TOPIC = 10000
BYTES_MAX = 2048


def start(binary, data, log):
    process = subprocess.Popen([binary, "start", "--data", data, "--set", "listeners=PLAINTEXT://" + ADDRESS],
                               stdout=subprocess.PIPE, stderr=open(log, "a"), text=True)
    line = process.stdout.readline()
    assert line.startswith("ottla ready"), line + open(log).read()[-2000:]
    return process


def resident(process):
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def acknowledge(topic):
    """Sends one record as soon as there is somebody to take it."""
    producer = Producer({"bootstrap.servers": ADDRESS, "acks": "all", "enable.idempotence": False, "linger.ms": 0, "log_level": 0,
                         "reconnect.backoff.ms": 5, "reconnect.backoff.max.ms": 10})
    failed = []
    producer.produce(topic, b"first", partition=0, on_delivery=lambda error, _: failed.append(error))
    assert producer.flush(30) == 0 and failed == [None], failed


def main():
    binary, wanted = sys.argv[1], int(sys.argv[2])
    seconds_max = float(sys.argv[3]) if 3 < len(sys.argv) else 2.0
    work = tempfile.mkdtemp(prefix="ottla-idle-")
    data, log, process = work + "/data", work + "/log", None
    try:
        process = start(binary, data, log)
        admin = AdminClient({"bootstrap.servers": ADDRESS, "log_level": 0})
        admin.create_topics([NewTopic("first", 1, 1)])["first"].result(20)
        # What the first topic of a thousand costs beside its partitions (buffers, threads, the client) is no partition's.
        admin.create_topics([NewTopic("warm", 1000, 1)])["warm"].result(20)
        acknowledge("first")
        time.sleep(1)
        memory, files, left, topic = resident(process), descriptors(process), wanted, 0
        while 0 < left:
            count = min(left, PER_TOPIC)
            name = f"idle-{topic}"
            admin.create_topics([NewTopic(name, count, 1)], operation_timeout=60, request_timeout=60)[name].result(60)
            left, topic = left - count, topic + 1
        time.sleep(3)
        cost, more_files = (resident(process) - memory) / wanted, descriptors(process) - files
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = time.time()
        process = start(binary, data, log)
        ready = time.time() - began
        acknowledge("first")
        took = time.time() - began
        after = resident(process)
        print(f"{wanted} idle partitions: {cost:.0f} bytes each, {more_files} descriptors more, "
              f"restart ready after {ready:.2f} s, first record acknowledged after {took:.2f} s, {after / (1 << 20):.0f} MiB then")
        return 0 if cost <= BYTES_MAX and more_files <= 2 and took <= seconds_max else 1
    finally:
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
