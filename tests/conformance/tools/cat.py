#!/usr/bin/env python3
"""`ottla cat` beside kcat 1.7.1 on one cluster, case by case: cat.py ADDRESS OTTLA [KCAT]

Each case runs with both programs, each on topics of its own (kcat: its-NAME, ottla cat: our-NAME), so both see the same
data. Output, what is said on stderr and the exit code are compared; times, member ids, the rest of kcat's long usage
and librdkafka's log are left out. `sorted` cases read several partitions, whose order is nobody's promise.
What differs on purpose is here: a mode given twice, -L -t of a topic that is not there (ottla cat does not create it),
transactions, Avro, and what kcat's help calls little-endian but 1.7.1 reads as big-endian (-s '<h').
"""
import difflib
import os
import re
import subprocess
import sys
import tempfile

address, ottla, *rest = sys.argv[1:]
ottla = os.path.abspath(ottla)
kcat = rest[0] if rest else "kcat"
folder = tempfile.mkdtemp()
for name, text in {"one.txt": "hello\n", "two.txt": "a\nb\n", "empty.txt": "", "settings": "# mine\nlinger.ms=3\n"}.items():
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)

KEYS = "".join("k%d:v%d\n" % (number, number) for number in range(60))
# (arguments, stdin, how): topics are {NAME}.
CASES = [
    # producing
    ("-P -t {one} -K: -T", b"a:1\n\nb\n:c\nd:\n", ""),
    ("-P -t {one} -K: -Z -k fix -H h=1 -H n -H e=", b"a:1\n\nb\n:c\nd:\n", ""),
    ("-P -t {one} -D -- -k kk", b'x-y\t"\\/\x01\xc3\xa9\xff--z--', ""),
    ("-P -t {one} -z gzip -X acks=1", b"gz\n", ""),
    ("-P -t {one} -z lz4 -X request.required.acks=0", b"lz\n", ""),
    ("-P -t {one} -zzstd -X topic.message.timeout.ms=9000", b"zs\n", ""),
    ("-P -t {one} -z snappy -K \\x3a\\x3a", b"k::sn\n", ""),
    ("-P -t {four} -p 2 one.txt two.txt empty.txt none.txt", b"", ""),
    ("-P -t {four} -p 2 none.txt", b"", ""),
    ("-P -t {four} -p 2 -l two.txt", b"", ""),
    ("-P -t {four} -p 2 -l two.txt one.txt", b"", ""),
    ("-P -t {four} -p 2 -l none.txt", b"", ""),
    ("-P -t {four} -p 3 -c 2", b"a\nb\nc\n", ""),
    ("-P -t {four} -p 9", b"a\nb\n", ""),
    ("-t {four} -p 3", b"auto\n", ""),
    ("-P -t bad!name", b"a\n", ""),
    ("-P -t {four} -D ", b"a\n", ""),
    ("-P -t {keys} -K:", KEYS.encode(), ""),
    ("-P -t {keys} -K: -X partitioner=murmur2_random", KEYS.encode(), ""),
    ("-P -t {keys} -K: -X partitioner=fnv1a_random", KEYS.encode(), ""),
    ("-P -t {packed} -p 0 -D ZZ", b"\x01\x02\x03abcZZ\xff\xfe\xff\xff\xff\xff\xff\xff\xff", ""),
    ("-P -F settings -t {one}", b"with settings\n", ""),
    ("-P -F none.txt -t {one}", b"x\n", ""),
    # consuming
    ("-C -t {one} -e", b"", ""),
    ("-Ceqt {one} -o beginning", b"", ""),
    ("-C -t {one} -e -f %t\\t%p\\t%o\\t%k|%K\\t%s|%S\\t%h\\t%%\\n\\x41\\e -Z", b"", ""),
    ("-C -t {one} -e -f %R%s", b"", ""),
    ("-C -t {one} -e -J -q", b"", ""),
    ("-C -t {one} -e -J -Z -D  -o -3", b"", ""),
    ("-C -t {one} -e -K\\t -O -q -u", b"", ""),
    ("-C -t {one} -e -K\\t -Z -q -o 2 -c 3", b"", ""),
    ("-C -t {one} -e -D\\r\\n -o 5", b"", ""),
    ("-C -t {one} -e -o end", b"", ""),
    ("-C -t {one} -e -o -100", b"", ""),
    ("-C -t {one} -o s@1000 -c 2", b"", ""),
    ("-C -t {one} -o s@9999999999999 -e", b"", ""),
    ("-C -t {one} -o beginning -o e@1000", b"", ""),
    ("-C -t {one} -p 0 -e -c 1", b"", ""),
    ("-C -t {one} -p 3 -e", b"", ""),
    ("-C -t none-such -e", b"", ""),
    ("-C -t {four} -e -f [%p|%s]", b"", "sorted ]"),
    ("-C -t {four} -p 2 -e", b"", ""),
    ("-C -t {keys} -e -q -f %p\\t%k\\t%s\\n", b"", "sorted"),
    ("-C -t {one} -e -f %q", b"", ""),
    ("-C -t {one} -e -f a%", b"", ""),
    ("-C -t {one} -e -X isolation.level=read_uncommitted -X auto.offset.reset=smallest", b"", ""),
    ("-C -t {packed} -e -s BB", b"", ""),
    ("-C -t {packed} -e -q -s >bhQ", b"", ""),
    ("-C -t {packed} -e -q -s >bqs", b"", ""),
    ("-C -t {packed} -e -q -E -s Bs$", b"", ""),
    ("-C -t {packed} -e -q -s key=c -K:", b"", ""),
    ("-C -t {packed} -e -q -s value=xx", b"", ""),
    ("-C -t {packed} -e -q -s B -J", b"", ""),
    # groups
    ("-G g{one} -e {one}", b"", ""),
    ("-G g{one} -o beginning -e -q {one}", b"", ""),
    ("-G h{one} -X auto.offset.reset=earliest -e -q -c 2 -f %o\\n {one}", b"", ""),
    ("-G h{one} -X auto.offset.reset=earliest -e -q -f %o\\n {one}", b"", ""),
    ("-G i{one} -X topic.auto.offset.reset=earliest -e -q -f %t:%p:%o\\n {four} ^{keys}$", b"", "sorted"),
    ("-G g{one} -o s@1 {one}", b"", ""),
    # listing and asking
    ("-L -t {one}", b"", ""),
    ("-L -t {four} -J", b"", ""),
    ("-Q -t {one}:0:-1", b"", ""),
    ("-Q -t {one}:0:-2 -t {four}:2:-1", b"", ""),
    ("-Q -t {one}:0:5", b"", ""),
    ("-Q -t {one}:0:9999999999999", b"", ""),
    ("-Q -J -t {one}:0:0 -t {four}:1:-1", b"", ""),
    ("-Q -t {one}", b"", ""),
    ("-Q -t {one}:9:-1", b"", ""),
    # wrong
    ("-P", b"", ""),
    ("-C", b"", ""),
    ("-Q", b"", ""),
    ("-C -t {one} extra", b"", ""),
    ("-y", b"", ""),
    ("-C -t", b"", ""),
    ("-X nope=1 -L", b"", ""),
    ("-X nope -L", b"", ""),
    ("-z nope -P -t {one}", b"", ""),
    ("-X session.timeout.ms=x -P -t {one}", b"", ""),
    ("-X transactional.nope=x -P -t {one}", b"", ""),
]
ELSEWHERE = [
    ("-L", b"", ""),
    ("-L -m 1 -b 127.0.0.1:1", b"", ""),
    ("-C -t one -e -m 1 -b 127.0.0.1:1", b"", ""),
]


def said(text, prefix):
    text = text.replace(prefix, "")
    lines = [line for line in text.splitlines() if line and not re.match(r"%\d\|", line)]
    if lines and lines[0].startswith("Error: "):
        return [re.sub(r"(unknown argument).*", r"\1", lines[0])]
    lines = [re.sub(r"memberid [^)]*", "memberid ID", line) for line in lines]
    return [re.sub(r"(Broker transport failure).*", r"\1", line) for line in lines]


def run(program, prefix, case, server):
    line, stdin, how = case
    words = re.sub(r"{(\w+)}", prefix + r"\1", line).split(" ")
    found = subprocess.run([*program, *server, *words], input=stdin, capture_output=True, timeout=60, cwd=folder)
    out = found.stdout.replace(prefix.encode(), b"")
    out = re.sub(rb'"ts":\d+', b'"ts":TIME', out)
    if how.startswith("sorted"):
        end = how.partition(" ")[2].encode() or b"\n"
        out = end.join(sorted(out.split(end)))
    shown = repr(out).replace("\\n", "\\n\n").splitlines()
    return shown + ["E: " + one for one in said(found.stderr.decode(errors="replace"), prefix)] + [
        "exit %d" % found.returncode]


def compare(cases, server):
    different = 0
    for case in cases:
        wanted = run([kcat], "its-", case, server)
        got = run([ottla, "cat"], "our-", case, server)
        if wanted != got:
            different += 1
            print("### " + case[0])
            print("\n".join(difflib.unified_diff(wanted, got, "kcat", "ottla cat", lineterm="", n=1)))
    return different


for prefix in "its-", "our-":
    for topic, partitions in ("one", 1), ("four", 4), ("keys", 7), ("packed", 1):
        subprocess.run([ottla, "topic", "create", prefix + topic, "-p", str(partitions), "-b", address], check=True,
                       stdout=subprocess.DEVNULL)
count = compare(CASES, ["-b", address]) + compare(ELSEWHERE, [])
print("%d cases, %s" % (len(CASES) + len(ELSEWHERE), "%d differ" % count if count else "none differs"))
sys.exit(1 if count else 0)
