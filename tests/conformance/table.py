"""docs/compatibility.md from clients.tsv and the last result of each test: table.py CLIENTS RESULTS > PAGE"""
import os
import subprocess
import sys

HEAD = """# Compatibility

Clients that a test run puts against Ottla, unchanged. Written by `tests/conformance/run.sh` when it runs all of them;
the rows are those of `tests/conformance/clients.tsv`. Each row is a test that fails when the client fails.

| client | version | what is covered | last result |
|---|---|---|---|
"""
clients, results = sys.argv[1:]
kcat = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
kcat = next((line.split()[1] for line in kcat.splitlines() if line.startswith("Version")), "Debian's")
page = HEAD
for line in open(clients):
    if line.startswith("#"):
        continue
    name, how, client, version, covers = line.rstrip("\n").split("\t")
    result = os.path.join(results, name)
    said = "not in this run (`.ci/full`)" if how == "full" else "not run"
    if os.path.exists(result):
        verdict, seconds, day = open(result).read().split()
        said = "%s on %s in %s s" % (verdict, day, seconds)
    page += "| %s | %s | %s | %s |\n" % (client, version.replace("Debian's", kcat), covers, said)
page += "\n## What waits\n\nTests of the clients' own suites that are left out (`tests/conformance/waiting.tsv`).\n\n"
page += "| suite | test | waits for |\n|---|---|---|\n"
for line in open(os.path.join(os.path.dirname(clients), "waiting.tsv")):
    if not line.startswith("#"):
        page += "| %s | `%s` | %s |\n" % tuple(line.rstrip("\n").split("\t"))
sys.stdout.write(page)
