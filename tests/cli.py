#!/usr/bin/env python3
"""The command line as scripts and new users meet it, against a real node: cli.py OTTLA

Shapes: each command of docs/reference/json.md answers `-o json` as `-o help` (a JSON Schema) says, and ends with the
exit code of console-cli: done 0, one item failed 1, wrong usage 2, no server 3. First steps gone wrong: wrong port, wrong
topic, typing errors, a full disk, each with a sentence that says what to do. The full disk needs root, for a tmpfs; it
is left out, and said so, without.
"""
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ottla = os.path.abspath(sys.argv[1])
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
work = tempfile.mkdtemp(prefix="ottla-cli-")
failures, checks = [], 0


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Node:
    def __init__(self, data, *settings):
        self.address = "127.0.0.1:%d" % free_port()
        self.data = data
        words = ["listeners=PLAINTEXT://" + self.address, "ottla.http.listeners=", "num.partitions=2",
                 "group.initial.rebalance.delay.ms=0", *settings]
        self.process = subprocess.Popen(
            [ottla, "start", "--data", data, *(word for one in words for word in ("--set", one))],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline().startswith("ottla"), "the node did not start"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0


def run(words, stdin=b"", timeout=60):
    found = subprocess.run([ottla, *words], input=stdin, capture_output=True, timeout=timeout, cwd=work,
                           env={**os.environ, "OTTLA_BOOTSTRAP": "127.0.0.1:1"})
    return found.returncode, found.stdout.decode(), found.stderr.decode()


def check(name, holds, *said):
    global checks
    checks += 1
    if not holds:
        failures.append(name)
        print("FAILED", name, *said, sep="\n  ")


# --- JSON Schema, as far as the shapes use it
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list, "null": type(None)}


def of_kind(value, kind):
    return isinstance(value, KINDS[kind]) and not (kind in ("integer", "number") and isinstance(value, bool))


def wrong(value, schema, path="$"):
    """What of a value is not as the schema says; nothing if it is."""
    if "oneOf" in schema:
        each = [wrong(value, one, path) for one in schema["oneOf"]]
        return [] if sum(not one for one in each) == 1 else [path + ": none or several of oneOf", *each[0]]
    if "const" in schema and value != schema["const"]:
        return ["%s: %r is not %r" % (path, value, schema["const"])]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(of_kind(value, kind) for kind in kinds):
        return ["%s: %r is no %s" % (path, value, " or ".join(kinds))]
    found = []
    if isinstance(value, dict):
        found += ["%s: %s is missing" % (path, name) for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if inner is not None:
                found += wrong(one, inner, path + "." + name)
    if isinstance(value, list) and "items" in schema:
        for at, one in enumerate(value):
            found += wrong(one, schema["items"], "%s[%d]" % (path, at))
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append("%s: %d items" % (path, len(value)))
    return found


schemas = {}


def schema_of(words):
    if words not in schemas:
        code, out, err = run([*words.split(), "-o", "help"])
        assert code == 0, (words, err)
        schemas[words] = json.loads(out)
    return schemas[words]


# --- the shapes
covered = set()


def answers(words, arguments, code, stdin=b"", items=None, at=None):
    """A command answers on stdout in its shape, with an exit code, and errors of just these items."""
    covered.add(words)
    name = "ottla %s %s" % (words, " ".join(arguments))
    got, out, err = run([*words.split(), *arguments, "-o", "json", *(["-b", at] if at else [])], stdin)
    check(name + ": exit code", got == code, got, out, err)
    schema = schema_of(words)
    lines = "errors" not in json.dumps(schema.get("properties", schema.get("oneOf")))
    documents = out.splitlines() if lines else [out]
    check(name + ": an answer", any(documents), err)
    for document in documents:
        try:
            value = json.loads(document)
        except ValueError as error:
            check(name + ": JSON", False, error, document)
            continue
        check(name + ": shape", not wrong(value, schema), *wrong(value, schema))
        if not lines:
            found = [one["item"] for one in value["errors"]]
            check(name + ": items", found == (items or []), found)
            check(name + ": code of each", all(one["code"] and one["message"] for one in value["errors"]), value)
    return out


def fails(words, arguments, code, error=None, stdin=b"", at=None):
    """A command fails as a whole: nothing on stdout, one object on stderr."""
    covered.add(words)
    name = "ottla %s %s" % (words, " ".join(arguments))
    got, out, err = run([*words.split(), *arguments, "-o", "json", *(["-b", at] if at else [])], stdin)
    check(name + ": exit code", got == code, got, out, err)
    check(name + ": nothing on stdout", out == "", out)
    try:
        value = json.loads(err)
    except ValueError:
        check(name + ": JSON on stderr", False, err)
        return
    failure = schema_of(words)["$defs"]["failure"]
    check(name + ": failure's shape", not wrong(value, failure), *wrong(value, failure))
    if error:
        check(name + ": code", value["error"]["code"] == error, value)
    if code in (2, 3):
        check(name + ": a hint", value["error"]["hint"], value)


def usage(words, *cases):
    for arguments in cases:
        fails(words, arguments, 2, "usage")


def no_server(words, arguments, stdin=b""):
    fails(words, [*arguments, "--timeout", "2"], 3, "unreachable", stdin=stdin, at="127.0.0.1:1")


def topics(node):
    at = node.address
    answers("topic create", ["made", "--config", "retention.ms=99999"], 0, at=at)
    answers("topic create", ["dry", "-n"], 0, at=at)
    answers("topic create", ["made", "--if-not-exists"], 0, at=at)
    out = answers("topic create", ["made", "other"], 1, items=["made"], at=at)
    check("the other topic was created", '"topic":"other"' in out, out)
    usage("topic create", [], ["x", "-p", "many"], ["x", "--config", "none"], ["x", "--partitons", "3"])
    no_server("topic create", ["x"])
    answers("topic list", [], 0, at=at)
    usage("topic list", ["--bogus"])
    no_server("topic list", [])
    answers("topic describe", ["made"], 0, at=at)
    answers("topic describe", ["made", "nope"], 1, items=["nope"], at=at)
    usage("topic describe", [])
    no_server("topic describe", ["made"])
    answers("topic alter", ["made", "--set", "retention.ms=5000"], 0, at=at)
    answers("topic alter", ["made", "nope", "--set", "retention.ms=5000"], 1, items=["nope"], at=at)
    answers("topic alter", ["made", "--set", "nope=1"], 1, items=["made"], at=at)
    usage("topic alter", [], ["made", "--set", "nothing"])
    no_server("topic alter", ["made", "--set", "retention.ms=5000"])


def records(node):
    at = node.address
    answers("produce", ["made", "-k", ":"], 0, stdin=b"a:1\nb:2\nc:3\n", at=at)
    answers("produce", ["made", "--json"], 0, stdin=b'{"value":{"x":1},"headers":[["h","1"],["n",null]]}\n', at=at)
    answers("produce", ["made", "-n"], 0, stdin=b"dry\n", at=at)
    fails("produce", ["made", "--whole"], 1, "MESSAGE_TOO_LARGE", stdin=b"x" * 1100000, at=at)
    fails("produce", ["bad!name"], 1, "INVALID_TOPIC_EXCEPTION", stdin=b"x\n", at=at)
    fails("produce", ["made", "--json"], 2, "usage", stdin=b"no json\n", at=at)
    usage("produce", [], ["made", "--acks", "2"], ["made", "-z", "zip"])
    no_server("produce", ["made"], b"x\n")
    out = answers("consume", ["made"], 0, at=at)
    check("every record is read", len(out.splitlines()) == 4, out)
    fails("consume", ["nope"], 1, "UNKNOWN_TOPIC_OR_PARTITION", at=at)
    fails("consume", ["made:99"], 2, "usage", at=at)
    usage("consume", [], ["made", "--from", "whenever"])
    no_server("consume", ["made"])
    answers("topic trim", ["made", "--before", "latest", "-y"], 0, at=at)
    fails("topic trim", ["nope", "--before", "latest", "-y"], 1, "UNKNOWN_TOPIC_OR_PARTITION", at=at)
    usage("topic trim", [], ["made", "--before", "latest"], ["made", "--before", "whenever", "-y"])
    no_server("topic trim", ["made", "--before", "latest", "-y"])


def groups(node):
    at = node.address
    answers("consume", ["other", "-g", "readers", "-c", "1"], 0, stdin=b"", at=at) if run(
        ["produce", "other", "-b", at], b"x\ny\n")[0] == 0 else check("producing to other", False)
    answers("group list", [], 0, at=at)
    usage("group list", ["--bogus"])
    no_server("group list", [])
    reader = subprocess.Popen([ottla, "consume", "other", "-g", "watchers", "-f", "-b", at], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    reader.stdout.readline()
    out = answers("group describe", ["watchers"], 0, at=at)
    check("the member is described", '"members":[{' in out, out)
    answers("group lag", ["watchers"], 0, at=at)
    answers("group delete", ["watchers", "-y"], 1, items=["watchers"], at=at)
    reader.terminate()
    reader.wait()
    answers("group describe", ["readers", "nope"], 1, items=["nope"], at=at)
    usage("group describe", [])
    no_server("group describe", ["readers"])
    answers("group lag", ["readers"], 0, at=at)
    usage("group lag", [])
    no_server("group lag", ["readers"])
    answers("group reset", ["readers", "-t", "other", "--to", "earliest", "-y"], 0, at=at)
    answers("group reset", ["readers", "--all-topics", "--shift", "-1", "-n"], 0, at=at)
    fails("group reset", ["readers", "-t", "nope", "--to", "earliest", "-y"], 1, "UNKNOWN_TOPIC_OR_PARTITION", at=at)
    usage("group reset", [], ["readers", "-y"], ["readers", "-t", "other", "--to", "earliest"])
    no_server("group reset", ["readers", "-t", "other", "--to", "earliest", "-y"])
    answers("group delete", ["readers", "nope", "-y"], 1, items=["nope"], at=at)
    usage("group delete", [], ["readers"])
    no_server("group delete", ["readers", "-y"])
    answers("topic delete", ["other", "nope", "-y"], 1, items=["nope"], at=at)
    answers("topic delete", ["made", "-n"], 0, at=at)
    answers("topic delete", ["nope", "--if-exists", "-y"], 0, at=at)
    usage("topic delete", [], ["made"])
    no_server("topic delete", ["made", "-y"])


def cluster(node):
    at = node.address
    answers("cluster describe", [], 0, at=at)
    answers("cluster config", [], 0, at=at)
    answers("cluster config", ["--broker", "1", "--all"], 0, at=at)
    answers("cluster config", ["--set", "log.retention.ms=100000"], 0, at=at)
    answers("cluster config", ["--set", "log.retention.ms=never"], 1, items=["all"], at=at)
    usage("cluster config", ["--set", "nothing"], ["--broker", "one"])
    answers("cluster features", [], 0, at=at)
    for words in "describe", "config", "features":
        usage("cluster " + words, ["--bogus"])
        no_server("cluster " + words, [])


def schema_files():
    files = {
        "old.avsc": {"type": "record", "name": "Order", "namespace": "com.example.shop", "doc": "What a customer wants to buy, written once it is paid.",
                     "fields": [{"name": "id", "type": "long", "doc": "Counts up from 1 in each shop."}]},
        "new.avsc": {"type": "record", "name": "Order", "namespace": "com.example.shop", "doc": "What a customer wants to buy, written once it is paid.",
                     "fields": [{"name": "id", "type": "string", "doc": "Counts up from 1 in each shop."}]},
    }
    for name, text in files.items():
        with open(os.path.join(work, name), "w") as file:
            json.dump(text, file)
    with open(os.path.join(work, "broken.avsc"), "w") as file:
        file.write('{"type": "record"')
    answers("schema check", ["old.avsc"], 0)
    answers("schema check", ["new.avsc", "--against", "old.avsc"], 5, items=["new.avsc"])
    answers("schema check", ["old.avsc", "broken.avsc"], 5, items=["broken.avsc"])
    usage("schema check", [], ["old.avsc", "--mode", "SIDEWARD"])
    answers("schema lint", ["old.avsc"], 0)
    answers("schema lint", ["old.avsc", "broken.avsc"], 5, items=["broken.avsc"])
    usage("schema lint", [])
    answers("schema diff", ["old.avsc", "new.avsc"], 0)
    fails("schema diff", ["old.avsc", "missing.avsc"], 1)
    usage("schema diff", ["old.avsc"])
    answers("schema fmt", ["old.avsc"], 0)
    answers("schema fmt", ["old.avsc", "--check"], 5, items=["old.avsc"])
    answers("schema fmt", ["broken.avsc"], 5, items=["broken.avsc"])
    usage("schema fmt", [])


def doctor(node):
    free = ["--data", "doctor", "--set", "ottla.http.listeners=", "--set"]
    answers("doctor", [*free, "listeners=PLAINTEXT://127.0.0.1:%d" % free_port()], 0)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = ["listeners=PLAINTEXT://127.0.0.1:%d" % other.getsockname()[1]]
        answers("doctor", [*free, *taken], 1, items=["port"])
    answers("doctor", [*free, "listeners=PLAINTEXT://" + node.address], 0)
    answers("doctor", [*free, "nope=1"], 1, items=["settings"])
    usage("doctor", ["--bogus"])


def benches(node):
    at = node.address
    small = ["measured", "-c", "500"]
    run(["topic", "create", "measured", "-p", "1", "-b", at])
    answers("bench produce", [*small, "-s", "50"], 0, at=at)
    answers("bench produce", [*small, "-n"], 0, at=at)
    answers("bench consume", small, 0, at=at)
    answers("bench e2e", ["measured", "-c", "20"], 0, at=at)
    for words in "bench produce", "bench consume", "bench e2e":
        usage(words, ["measured", "-c", "many"])
        no_server(words, small)
    answers("demo", [], 0)
    answers("demo", ["-n"], 0)
    usage("demo", ["--bogus"])


def profiles():
    os.environ["XDG_CONFIG_HOME"] = os.path.join(work, "config")
    answers("profile create", ["one", "-b", "127.0.0.1:1"], 0)
    answers("profile create", ["two", "-b", "127.0.0.1:2", "--protected"], 0)
    fails("profile create", ["one", "-b", "127.0.0.1:1"], 1)
    answers("profile list", [], 0)
    answers("profile use", ["one"], 0)
    fails("profile use", ["three"], 2, "usage")
    answers("profile show", [], 0)
    answers("profile show", ["two"], 0)
    fails("profile show", ["three"], 2, "usage")
    os.environ["EDITOR"] = "true"
    answers("profile edit", [], 0)
    os.environ["EDITOR"] = "false"
    fails("profile edit", [], 1)
    for words in "list", "show", "use", "create", "edit":
        usage("profile " + words, ["--bogus"])


def logs(data):
    chunks = sorted(os.path.join(data, "chunks", name) for name in os.listdir(os.path.join(data, "chunks")))
    answers("log dump", chunks[:1], 0)
    fails("log dump", ["missing.stream"], 1)
    usage("log dump", [])
    answers("log export", ["exported", "--data", data], 0)
    fails("log export", ["exported", "--data", "missing"], 1)
    usage("log export", ["exported"])
    answers("log export-metadata", ["--data", data, "--to", "metadata"], 0)
    fails("log export-metadata", ["--data", "missing", "--to", "metadata"], 1)
    usage("log export-metadata", [])
    answers("log scrub", ["--data", data, "-n"], 0)
    answers("log scrub", ["--data", data, "-y"], 0)
    usage("log scrub", [], ["--data", data])


# --- first steps gone wrong
def told(name, words, code, *parts, stdin=b"", within=20):
    """A person is told what is wrong and what to do: an error line, a hint line, and these words in them."""
    began = time.monotonic()
    got, out, err = run(words, stdin)
    check(name + ": exit code", got == code, got, out, err)
    check(name + ": in time", time.monotonic() - began < within)
    check(name + ": what is wrong", err.startswith("error: "), err)
    check(name + ": what to do", re.search(r"^ hint: |^  tip: |^Usage: ", err, re.M), err)
    for part in parts:
        check("%s: says %r" % (name, part), part in err, err)


def first_steps(node):
    at = ["-b", node.address]
    # Wrong port: nobody there; somebody else there; no name; no port.
    told("a port where nobody listens", ["topic", "list", "-b", "127.0.0.1:1", "--timeout", "2"], 3,
         "127.0.0.1:1", "ottla start", "-b HOST:PORT")
    told("the default port", ["topic", "list", "--timeout", "2"], 3, "is a server listening on 127.0.0.1:1?")
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    told("a web server's port", ["topic", "list", "-b", "127.0.0.1:%d" % web.server_port, "--timeout", "2"], 3,
         "does not answer as Kafka does", "right port")
    web.shutdown()
    told("a host that is no host", ["topic", "list", "-b", "nobody.invalid:9092", "--timeout", "2"], 3, "nobody.invalid")
    told("a server without a port", ["topic", "list", "-b", "localhost"], 2, "host:port", "-b HOST:PORT")
    # Wrong topic.
    told("reading a topic that is not there", ["consume", "ordres", *at], 1, "ordres", "ottla topic list")
    told("describing it", ["topic", "describe", "ordres", *at], 1, "ordres", "ottla topic list")
    told("a partition that is not there", ["consume", "made:7", *at], 2, "2 partitions", "topic describe")
    told("a name that is none", ["topic", "create", "my topic", *at], 1, "letters, digits")
    # Typing errors.
    told("a flag", ["topic", "create", "x", "--partitons", "3", *at], 2, "--partitons", "'--partitions'")
    told("a command", ["topic", "lsit"], 2, "lsit", "'list'")
    told("a setting of a topic", ["topic", "alter", "made", "--set", "retention.mss=1", *at], 1, "retention.mss")
    told("a format", ["topic", "list", "-o", "jason", *at], 2, "jason", "json")
    told("a number", ["topic", "create", "x", "-p", "three", *at], 2, "--partitions", "three")
    told("a setting of the node", ["start", "--data", "typo", "--set", "listenrs=PLAINTEXT://127.0.0.1:1"], 1, "listenrs")
    # Starting where somebody is already.
    told("a port that is taken", ["start", "--data", "taken", "--set", "listeners=PLAINTEXT://" + node.address], 1,
         node.address, "ottla doctor")


def full_disk():
    disk = os.path.join(work, "disk")
    os.mkdir(disk)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "ottla", disk],
                                           stderr=subprocess.DEVNULL).returncode != 0:
        print("the full disk is left out: no tmpfs without root")
        return
    try:
        node = Node(os.path.join(disk, "data"))
        run(["topic", "create", "full", "-p", "1", "-b", node.address])
        with open(os.path.join(disk, "filler"), "wb") as filler:
            try:
                while filler.write(b"x" * 65536):
                    filler.flush()
            except OSError:
                pass
        text = b"".join(os.urandom(900).hex().encode() + b"\n" for _ in range(20000))
        told("a full disk", ["produce", "full", "-b", node.address, "--timeout", "4"], 1, "KAFKA_STORAGE_ERROR",
             "disk full", "ottla doctor", stdin=text)
        os.remove(os.path.join(disk, "filler"))
        until = time.monotonic() + 30
        while run(["produce", "full", "-b", node.address, "--timeout", "4"], b"again\n")[0] != 0:
            assert time.monotonic() < until, "it does not go on"
        node.stop()
    finally:
        subprocess.run(["umount", disk], check=False)


node = Node(os.path.join(work, "data"))
try:
    topics(node)
    records(node)
    groups(node)
    cluster(node)
    schema_files()
    doctor(node)
    benches(node)
    profiles()
    first_steps(node)
    node.stop()
    logs(node.data)
    full_disk()
finally:
    node.process.kill()
    shutil.rmtree(work, ignore_errors=True)
with open(os.path.join(root, "docs", "reference", "json.md")) as page:
    published = {line.removeprefix("## ottla ").split(",")[0].strip() for line in page if line.startswith("## ottla ")}
check("every published shape is tested", covered >= published, sorted(published - covered))
print("%d commands, %d checks, %s" % (len(covered), checks, "%d failed" % len(failures) if failures else "none failed"))
sys.exit(1 if failures else 0)
