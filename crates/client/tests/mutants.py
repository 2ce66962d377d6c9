#!/usr/bin/env python3
"""Plants bugs in the client, one at a time, and says whether the simulated histories find each; two that histories hardly
ever come to are for the tests of one partition's queue.

  mutants.py [--cargo CARGO] [--seeds 150] [NAME...]

Works in a copy of the tree at HEAD (a git worktree, removed at the end); CARGO_TARGET_DIR is used if it is set. Every
replaced piece must be in its file exactly once, so that a plant that rotted says so. Prints a line a plant; fails if one is
not found."""
import argparse, os, pathlib, re, subprocess, sys, tempfile

LOST, TWICE, ORDER = "acknowledged and not stored", "is stored twice", "is stored behind"
UNREAD, OWNERS, ENDLESS = "stored and never read", "two members commit", "does not end"
SIGNS = [LOST, TWICE, ORDER, UNREAD, OWNERS, ENDLESS]

HISTORIES = ["--test", "it", "--quiet", "--", "sim::", "--nocapture"]
QUEUE = ["--lib", "--quiet", "--", "producer::queue"]

# name: (file, what is there, what is planted, how it is noticed, and by which tests if not by histories)
PLANTS = {
    "a retry takes a new sequence": (
        "producer/queue.rs", "            first.attempts += 1;\n",
        "            first.attempts += 1;\n            if let Some(own) = self.identity {\n"
        "                first.bytes = with_producer(&first.bytes, own.id, own.epoch, self.next_sequence);\n"
        "                self.next_sequence = plus(self.next_sequence, first.count);\n            }\n", [TWICE]),
    "no idempotence": (
        "producer/mod.rs", "idempotent: config.is_idempotent(),", "idempotent: false,", [TWICE, ORDER]),
    "the second batch of an epoch does not wait for the first": (
        "producer/queue.rs", "let alone = self.broken || (rules.idempotent && !self.confirmed);",
        "let alone = self.broken;", ["panicked"], QUEUE),
    "a lost connection counts as an acknowledgement": (
        "producer/sender.rs",
        "                    self.metadata.wanted |= error.wants_metadata();\n                    self.settle(item, Err(error.clone()), false);\n                }\n                Ok(answer)",
        "                    self.metadata.wanted |= error.wants_metadata();\n                    let landed = Landed { base_offset: None, log_append_time: None };\n                    self.settle(item, Ok(landed), false);\n                }\n                Ok(answer)",
        [LOST]),
    "an epoch that ended begins where the last one stopped": (
        "producer/queue.rs", "        self.confirmed = false;\n        self.next_sequence = 0;\n",
        "        self.confirmed = false;\n", ["panicked"], QUEUE),
    "commits say what was fetched and not what was given": (
        "consumer/positions.rs", "Some((partition.clone(), one.offset?, one.epoch))",
        "Some((partition.clone(), one.offset.map(|_| one.fetch_offset)?, one.epoch))", [UNREAD]),
    "a member that lost its partitions goes on with them": (
        "consumer/rebalance.rs",
        "        let gone = positions.assigned();\n        positions.remove(&gone);\n        drop(positions);\n        if let Some(listener)",
        "        let gone = positions.assigned();\n        drop(positions);\n        if let Some(listener)",
        [OWNERS, UNREAD]),
    "an eager member keeps its partitions while the group rebalances": (
        "consumer/rebalance.rs", "if !cooperative && !assigned.is_empty() {", "if false && !cooperative {", [OWNERS]),
    "a moving partition is given out while its owner has it": (
        "consumer/group/assignor/mod.rs", "            sticky::hold_back_moving(&ordered, &mut assignment);\n", "", [OWNERS]),
    "a dropped poll loses what it had": (
        "consumer/mod.rs", "            if !records.is_empty() {\n                return Ok(records);",
        "            if !records.is_empty() {\n                tokio::time::sleep(Duration::from_millis(20)).await;\n                return Ok(records);",
        [UNREAD]),
    "a committed offset is one too far": (
        "consumer/commit.rs", "offset: Offset(offset),", "offset: Offset(offset + 1),", [UNREAD, ENDLESS]),
    "six batches of a partition may be out": (
        "producer/queue.rs", "const WINDOW_MAX: u64 = 5;", "const WINDOW_MAX: u64 = 50;", [TWICE, ORDER]),
    "what was fetched for an older assignment is given out": (
        "consumer/positions.rs", "            .filter(|one| one.incarnation == incarnation)", "            .filter(|_| 0 <= incarnation as i64)",
        [UNREAD, OWNERS, ENDLESS]),
}

parser = argparse.ArgumentParser()
parser.add_argument("--cargo", default="cargo")
parser.add_argument("--seeds", type=int, default=150)
parser.add_argument("names", nargs="*")
asked = parser.parse_args()
root = pathlib.Path(__file__).resolve().parents[3]


def histories(tree, tests=HISTORIES):
    """What the tests print; None if all is sound."""
    command = [asked.cargo, "test", "-p", "ottla-client", *tests]
    run = subprocess.run(command, cwd=tree, env={**os.environ, "OTTLA_CASES": str(asked.seeds), "RUST_BACKTRACE": "0"},
                         capture_output=True, text=True)
    printed = run.stdout + run.stderr
    if "error[" in printed or "could not compile" in printed:
        sys.exit(printed[-3000:])
    return None if run.returncode == 0 else printed


def plant(tree, name):
    path, honest, planted, signs, *tests = PLANTS[name]
    file = tree / "crates/client/src" / path
    text = file.read_text()
    if text.count(honest) != 1:
        sys.exit(f"{name}: {path} has the piece {text.count(honest)} times, not once: mend the plant")
    file.write_text(text.replace(honest, planted))
    try:
        printed = histories(tree, *tests)
    finally:
        file.write_text(text)
    if printed is None:
        print(f"NOT FOUND in {asked.seeds} histories: {name}", flush=True)
        return False
    sign = next((sign for sign in signs + SIGNS if sign in printed), None)
    seed = re.search(r"seed (\d+)", printed)
    where = f"seed {seed.group(1)}" if seed else "a panic"
    print(f"found at {where}: {name}: {sign or 'by another sign: ' + printed[-600:]}", flush=True)
    return sign is not None


def main():
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = pathlib.Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(tree), "HEAD"], cwd=root, check=True)
        try:
            if printed := histories(tree):
                sys.exit(f"the histories fail without a plant:\n{printed[-3000:]}")
            found = [plant(tree, name) for name in asked.names or PLANTS]
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=root, check=True)
    print(f"{sum(found)} of {len(found)} plants found")
    sys.exit(0 if all(found) else 1)


main()
