#!/usr/bin/env python3
"""Our kafka-*.sh commands beside Apache Kafka's own tools, case by case (cases.txt), on one cluster.

  compare.py record ADDRESS KAFKA_JARS > kafka-4.3.1.txt   what Kafka's tools print on a fresh cluster
  compare.py check ADDRESS OTTLA                           ours on a fresh cluster against the recording
  compare.py live ADDRESS KAFKA_JARS OTTLA                 both on the same cluster, changes undone in between

The cluster has num.partitions=4 and offsets.topic.num.partitions=8. What differs by nature is made equal: topic ids,
ports, Java's stack traces and lists of flags, the order of lines inside a case and of a topic's settings (the tools
iterate over hash maps), settings that only Ottla has, times of records, what is logged (Kafka's tools log nowhere
here), and, in cases that end with `# words`, what the broker says about an error: that it is one, and its exit code,
is compared, not its sentence.
Exits with 1 and the difference if a case differs.
"""
import difflib
import os
import re
import shlex
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
CLASSES = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}


def cases():
    """Each as its line, its words, what is on stdin, and what is special about it: words, alone, or nothing."""
    with open(os.path.join(here, "cases.txt")) as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    for line in lines:
        command, _, special = line.partition(" # ")
        command, _, stdin = command.partition(" < ")
        yield command, shlex.split(command), stdin.encode().decode("unicode_escape"), special


def java(jars):
    options = os.path.join(os.environ.get("TMPDIR", "/tmp"), "ottla-tools-log4j2.properties")
    with open(options, "w") as file:
        file.write("rootLogger.level=OFF\n")
    return lambda tool: ["java", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-Dlog4j2.configurationFile=" + options,
                         "-cp", jars + "/*", CLASSES[tool]]


def ours(binary):
    return lambda tool: [binary, tool]


NOISE = re.compile(r"^(\t|  |--|Option  |------|Caused by: |joptsimple\.|java\.util\.concurrent\.|WARN: No action|"
                   r"The consumer rebalance protocol|ERROR |WARN |INFO )")


def normal(text, address):
    text = re.sub(r"TopicId: [A-Za-z0-9_-]{22}", "TopicId: ID", text.replace(address, "SERVER"))
    text = re.sub(r"(CreateTime|LogAppendTime):[0-9]+", r"\1:TIME", text)
    text = text.replace('Exception in thread "main" ', "").replace("joptsimple.OptionArgumentConversionException: ", "")
    settings = lambda match: "Configs: " + ",".join(sorted(re.split(r",(?=[a-z.]+=)", match.group(1))))
    text = re.sub(r"Configs: (.*)", settings, text)
    choices = lambda match: match.group(1) + ", ".join(sorted(match.group(2).split(", ")))
    text = re.sub(r"(takes one of these options: )(.*)", choices, text)
    scenarios = lambda match: "scenarios: [[%s]]" % "], [".join(sorted(match.group(1).split("], [")))
    return re.sub(r"scenarios: \[\[(.*)\]\]", scenarios, text)


def run(command, stdin, special, address):
    server = [] if special == "alone" else ["--bootstrap-server", address]
    found = subprocess.run([*command, *server], capture_output=True, text=True, timeout=60, input=stdin)
    out = [line for line in normal(found.stdout, address).splitlines() if not line.startswith("  ottla.")]
    if special == "words":
        out = [re.sub(r"(Error while executing topic command : ).*", r"\1...", line) for line in out]
    err = [line for line in normal(found.stderr, address).splitlines() if line and not NOISE.match(line)]
    return sorted(out) + sorted("E: " + line for line in err) + ["exit %d" % found.returncode]


def transcript(program, address):
    lines = []
    for line, (tool, *args), stdin, special in cases():
        lines += ["### " + line] + run([*program(tool), *args], stdin, special, address)
    return lines


def compare(wanted, found):
    difference = list(difflib.unified_diff(wanted, found, "kafka", "ottla", lineterm="", n=3))
    print("\n".join(difference) if difference else "%d cases, none differs" % len(list(cases())))
    return 1 if difference else 0


def main():
    what, address, *rest = sys.argv[1:]
    if what == "record":
        print("\n".join(transcript(java(rest[0]), address)))
        return 0
    if what == "check":
        with open(os.path.join(here, "kafka-4.3.1.txt")) as file:
            return compare(file.read().splitlines(), transcript(ours(rest[0]), address))
    wanted = transcript(java(rest[0]), address)
    return compare(wanted, transcript(ours(rest[1]), address))


sys.exit(main())
