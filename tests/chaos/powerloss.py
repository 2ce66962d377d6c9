"""Power loss under load: a broker on a loop-mounted file system that is shut down without its journal, again and again.

powerloss.py ext4|xfs CYCLES ottla BINARY      or      powerloss.py ext4|xfs CYCLES kafka KAFKA_PEER_RUN_SH

Needs root. Each cycle loads the broker with an acks=all idempotent producer, drops all unsynced data (the shutdown ioctl), kills the
broker, mounts anew, starts it again and reads everything: what was acknowledged in any cycle must be there, once, in order.
Prints acknowledged, lost, doubled and out of order; the exit code is that of the promise for Ottla, and 0 for Kafka.
"""
import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

SHUTDOWN = 0x8004587D  # _IOR('X', 125, u32)
NO_LOG_FLUSH = 2
PARTITIONS = 3
TOPIC = "power"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


class Disk:
    """A file system in a file."""

    def __init__(self, kind, work):
        self.image, self.at = work + "/image", work + "/mount"
        self.options = "loop,commit=300" if kind == "ext4" else "loop"
        os.mkdir(self.at)
        run("truncate", "-s", "2G", self.image)
        run("mkfs." + kind, "-q", self.image)
        self.mount()

    def mount(self):
        run("mount", "-o", self.options, self.image, self.at)

    def lose_power(self):
        fd = os.open(self.at, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(fd)

    def unmount(self):
        for _ in range(50):
            if subprocess.run(["umount", self.at], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError("the file system stays busy")


class Ottla:
    name = "ottla flush=ack"

    def __init__(self, binary, work, disk):
        self.binary, self.log, self.data = binary, work + "/log", disk.at + "/data"
        self.address = "127.0.0.1:19792"

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "start", "--data", self.data, "--flush", "ack", "--set", "listeners=PLAINTEXT://" + self.address,
             "--set", f"num.partitions={PARTITIONS}"], stdout=subprocess.PIPE, stderr=open(self.log, "a"), text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ottla ready"), line + open(self.log).read()[-2000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Kafka:
    name = "kafka 4.3.1 with its defaults"

    def __init__(self, script, work, disk):
        self.script = script
        self.port = 19892
        self.address = f"127.0.0.1:{self.port}"
        home = work + "/peer"
        os.makedirs(home)
        jars = os.environ["KAFKA_HOME"]
        for part in ("lib", "bin", "classes.txt"):
            os.symlink(os.path.join(os.path.abspath(jars), part), home + "/" + part)
        with open(work + "/extra", "w") as f:
            f.write(f"\nlog.dirs={disk.at}/data\nnum.partitions={PARTITIONS}\n")
        self.env = dict(os.environ, PEER_HOME=home, PEER_PORT=str(self.port), PEER_HEAP="512m", PEER_EXTRA=work + "/extra")
        run("bash", script, "format", env=self.env)
        os.sync()

    def start(self):
        subprocess.run(["bash", self.script, "start"], check=True, env=self.env, stdout=subprocess.DEVNULL)

    def kill(self):
        run("bash", self.script, "kill", "1", env=self.env)


class Load:
    """What was sent and what was acknowledged in one cycle."""

    def __init__(self, address, cycle):
        self.cycle, self.sent, self.acknowledged = cycle, [0] * PARTITIONS, [0] * PARTITIONS
        self.producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True, "linger.ms": 1,
                                  "batch.num.messages": 50, "message.timeout.ms": 30000, "log_level": 0})

    def delivered(self, error, message):
        if error is None:
            assert int(message.value().split()[1]) == self.acknowledged[message.partition()], "acknowledged out of order"
            self.acknowledged[message.partition()] += 1

    def go(self, seconds):
        """Load for so long, once the topic is there and every partition has answered."""
        for partition in range(PARTITIONS):
            self.producer.produce(TOPIC, b"%d 0 first" % self.cycle, partition=partition, on_delivery=self.delivered)
            self.sent[partition] += 1
        assert self.producer.flush(25) == 0, "no partition answers"
        until = time.time() + seconds
        while time.time() < until:
            for partition in range(PARTITIONS):
                try:
                    self.producer.produce(TOPIC, b"%d %d " % (self.cycle, self.sent[partition]) + b"x" * 100, partition=partition,
                                          on_delivery=self.delivered)
                    self.sent[partition] += 1
                except BufferError:
                    pass
            self.producer.poll(0.0005)

    def stop(self):
        """Answers that are still on their way count as well."""
        until = time.time() + 0.3
        while time.time() < until:
            self.producer.poll(0.05)
        self.producer.purge()
        self.producer.flush(5)


def read_back(address):
    """Per cycle and partition, the numbers in the order of the log."""
    found = {}
    reader = Consumer({"bootstrap.servers": address, "group.id": "none", "enable.auto.commit": False, "log_level": 0})
    for partition in range(PARTITIONS):
        until = time.time() + 30
        while True:
            try:
                _, high = reader.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=5)
                break
            except Exception:
                if until < time.time():
                    raise
        reader.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING)])
        position = 0
        while position < high:
            assert time.time() < until + 60, f"{position} of {high} read"
            for message in reader.consume(5000, 1):
                if message.error() is None:
                    cycle, number = map(int, message.value().split()[:2])
                    found.setdefault((cycle, partition), []).append(number)
                    position = message.offset() + 1
    reader.close()
    return found


def judge(loads, found):
    lost = doubled = disordered = 0
    for load in loads:
        for partition in range(PARTITIONS):
            numbers = found.get((load.cycle, partition), [])
            distinct = set(numbers)
            lost += sum(n not in distinct for n in range(load.acknowledged[partition]))
            doubled += len(numbers) - len(distinct)
            disordered += sum(b <= a for a, b in zip(numbers, numbers[1:]))
    return lost, doubled, disordered


def main():
    kind, cycles, which, binary = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    work = tempfile.mkdtemp(prefix="powerloss-")
    disk = Disk(kind, work)
    broker = {"ottla": Ottla, "kafka": Kafka}[which](binary, work, disk)
    loads, stopped = [], ""
    running = False
    try:
        broker.start()
        running = True
        for cycle in range(cycles):
            load = Load(broker.address, cycle)
            loads.append(load)
            load.go(random.uniform(0.4, 1.0))
            disk.lose_power()
            load.stop()
            broker.kill()
            running = False
            disk.unmount()
            disk.mount()
            try:
                broker.start()
            except (AssertionError, subprocess.CalledProcessError) as error:
                stopped = f", does not start after {cycle + 1} cycles"
                print(error, file=sys.stderr)
                break
            running = True
        acknowledged = sum(sum(load.acknowledged) for load in loads)
        lost, doubled, disordered = judge(loads, read_back(broker.address)) if running else (acknowledged, 0, 0)
        assert acknowledged > 0, "nothing was acknowledged"
    finally:
        if running:
            broker.kill()
        disk.unmount()
        shutil.rmtree(work)
    print(f"{kind}, {len(loads)} power losses, {broker.name}: {acknowledged} acknowledged, {lost} lost, {doubled} doubled, "
          f"{disordered} out of order{stopped}")
    return 1 if which == "ottla" and (lost or doubled or disordered or stopped) else 0


if __name__ == "__main__":
    sys.exit(main())
