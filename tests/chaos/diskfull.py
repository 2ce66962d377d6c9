"""A disk that fills up and gets room again, under load: the broker refuses, serves what it has, and goes on by itself.

diskfull.py CYCLES BINARY

Needs root, for a tmpfs. The broker's data lies on it. Each cycle loads until produce is refused (a filler file takes what is left),
checks that reads, topic creation, deletion of records and of topics still work, takes the filler away and waits until the same
producer is acknowledged again. The process is never restarted in between; at the end it is killed, started again, and everything that
was acknowledged must be there, once, in order. Prints acknowledged, lost, doubled; the exit code is that of the promise.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ADDRESS = "127.0.0.1:19794"
TOPIC = "full"
MIB = 1 << 20
RETRIABLE = "KAFKA_STORAGE_ERROR"


def start(binary, data, log):
    process = subprocess.Popen(
        [binary, "start", "--data", data, "--flush", "ack", "--set", "listeners=PLAINTEXT://" + ADDRESS,
         "--set", "num.partitions=1", "--set", "log.retention.check.interval.ms=500"],
        stdout=subprocess.PIPE, stderr=open(log, "a"), text=True)
    line = process.stdout.readline()
    assert line.startswith("ottla ready"), line + open(log).read()[-2000:]
    return process


class Load:
    """Numbered records; each is sent until it is acknowledged or given up, one after the other."""

    def __init__(self):
        self.acknowledged, self.refused, self.next = [], 0, 0

    def producer(self, retries):
        return Producer({"bootstrap.servers": ADDRESS, "acks": "all", "enable.idempotence": False, "linger.ms": 5, "retries": retries,
                         "message.timeout.ms": 5000, "request.timeout.ms": 4000, "log_level": 0, "batch.num.messages": 20})

    def burst(self, producer, count):
        """Sends `count` records; gives the error names of those that were refused."""
        errors = []

        def told(number):
            def delivered(error, _):
                if error is None:
                    self.acknowledged.append(number)
                else:
                    errors.append(error.name())
            return delivered

        for _ in range(count):
            producer.produce(TOPIC, b"%d " % self.next + b"x" * 4000, partition=0, on_delivery=told(self.next))
            self.next += 1
        producer.flush(10)
        return errors


def read_all(start_at=OFFSET_BEGINNING):
    reader = Consumer({"bootstrap.servers": ADDRESS, "group.id": "none", "enable.auto.commit": False, "log_level": 0})
    low, high = reader.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=10)
    reader.assign([TopicPartition(TOPIC, 0, start_at)])
    numbers, until, position = [], time.time() + 60, low
    while position < high:
        assert time.time() < until, f"{position} of {high} read"
        for message in reader.consume(1000, 1):
            assert message.error() is None, message.error()
            numbers.append(int(message.value().split()[0]))
            position = message.offset() + 1
    reader.close()
    return low, numbers


def done(futures):
    for future in futures.values():
        future.result(20)


def cycle(number, load, mount, admin, seen):
    admin_topic = f"side-{number}"
    producer = load.producer(retries=0)
    filler, began = os.path.join(mount, "filler"), time.time()
    refused = []
    with open(filler, "wb") as fill:
        while not refused:
            assert time.time() - began < 120, "the disk never filled up"
            free = shutil.disk_usage(mount).free
            if free:
                try:
                    os.posix_fallocate(fill.fileno(), fill.seek(0, 2), min(free, 8 * MIB))
                    fill.seek(0, 2)
                except OSError:
                    pass
            refused = load.burst(producer, 200)
    assert set(refused) <= {RETRIABLE, "_MSG_TIMED_OUT"}, refused
    load.refused += len(refused)
    # Everything else goes on.
    low, numbers = read_all()
    assert numbers, "nothing can be read from a full disk"
    seen.update(numbers)
    done(admin.create_topics([NewTopic(admin_topic, 2, 1)]))
    done(admin.delete_topics([admin_topic]))
    high = low + len(numbers)
    # Half of what is there is deleted; what was deleted was read before.
    done(admin.delete_records([TopicPartition(TOPIC, 0, low + len(numbers) // 2)]))
    os.remove(filler)
    began = time.time()
    while load.burst(producer, 20):
        if 30 < time.time() - began:
            print(subprocess.run(["find", mount, "-type", "f", "-printf", "%s %p\\n"], capture_output=True, text=True).stdout, file=sys.stderr)
            raise AssertionError(f"writing does not resume: {len(numbers)} records were there, {shutil.disk_usage(mount)}")
        time.sleep(0.2)
    return time.time() - began


def main():
    cycles, binary = int(sys.argv[1]), sys.argv[2]
    work = tempfile.mkdtemp(prefix="ottla-full-")
    mount, log = work + "/mount", work + "/log"
    os.mkdir(mount)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", mount], check=True)
    process, load, seen = None, Load(), set()
    try:
        process = start(binary, mount + "/data", log)
        admin = AdminClient({"bootstrap.servers": ADDRESS, "log_level": 0})
        done(admin.create_topics([NewTopic(TOPIC, 1, 1)]))
        waits = []
        for number in range(cycles):
            waits.append(cycle(number, load, mount, admin, seen))
            assert process.poll() is None, "the broker died: " + open(log).read()[-2000:]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(binary, mount + "/data", log)
        _, numbers = read_all()
        seen.update(numbers)
        doubled = len(numbers) - len(set(numbers))
        lost = sum(number not in seen for number in load.acknowledged)
        ordered = numbers == sorted(numbers)
        print(f"disk full, {cycles} cycles: {len(load.acknowledged)} acknowledged, {load.refused} refused, {lost} lost, {doubled} doubled, "
              f"{'in order' if ordered else 'OUT OF ORDER'}; writing resumed after {max(waits):.1f} s at most, without a restart")
        return 0 if lost == 0 and doubled == 0 and ordered else 1
    except (AssertionError, KafkaException):
        print(open(log).read()[-3000:], file=sys.stderr)
        raise
    finally:
        if process is not None:
            process.kill()
            process.wait()
        subprocess.run(["umount", mount], check=False)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
