//! `cargo xtask mutants CRATE [NAME]`: plants faults, one at a time, in a copy of the tree and says which test finds each.
//!
//! A crate's faults are the files of its `tests/mutants`, one a file: lines `# fault: ..`, `# test: TARGET FILTER`,
//! `# file: PATH`, then the text as it is, a line `=====`, and the text as it is with the fault. A fault that no test
//! finds, or whose text is not there exactly once, is a failure.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// One fault and who is to find it.
struct Mutant {
    name: String,
    fault: String,
    /// The target of `cargo test --test`, or `lib`, and the tests' filter.
    test: (String, String),
    file: PathBuf,
    right: String,
    wrong: String,
}

/// Runs one crate's faults.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [crate_name, wanted @ ..] = arguments else {
        bail!("usage: cargo xtask mutants CRATE [NAME]");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let work = target.join("mutants");
    let mutants = read_all(&root.join("crates").join(crate_name).join("tests/mutants"))?;
    copy_tree(&root, &work.join("tree"))?;
    let (mut missed, mut sound) = (0, HashSet::new());
    for mutant in mutants {
        if !wanted.is_empty() && !wanted.contains(&mutant.name) {
            continue;
        }
        if sound.insert(mutant.test.clone()) {
            let mut sound_test = mutant.cargo_test(&work, crate_name);
            let passed = sound_test.stdout(Stdio::inherit()).status()?.success();
            ensure!(passed, "{:?} fails without a fault", mutant.test);
        }
        let found = mutant.is_found(&work, crate_name)?;
        println!(
            "{} {}: {}",
            if found { "found " } else { "MISSED" },
            mutant.name,
            mutant.fault
        );
        missed += usize::from(!found);
    }
    ensure!(missed == 0, "{missed} planted faults were not found");
    Ok(())
}

fn read_all(directory: &Path) -> anyhow::Result<Vec<Mutant>> {
    let entries = std::fs::read_dir(directory).with_context(|| format!("{}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    paths.iter().map(|path| Mutant::read(path)).collect()
}

/// What git knows of the tree, with what is not committed yet; files that are the same keep their times.
fn copy_tree(root: &Path, tree: &Path) -> anyhow::Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    ensure!(listed.status.success(), "git ls-files failed");
    for name in String::from_utf8(listed.stdout)?.lines() {
        let (from, to) = (root.join(name), tree.join(name));
        let Ok(text) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == text) {
            continue;
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&to, text)?;
    }
    Ok(())
}

impl Mutant {
    fn read(path: &Path) -> anyhow::Result<Mutant> {
        let text = std::fs::read_to_string(path)?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let head = |key: &str| {
            let found = text
                .lines()
                .find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "));
            found
                .map(str::to_owned)
                .with_context(|| format!("{name}: no line `# {key}: ..`"))
        };
        let test = head("test")?;
        let (target, filter) = test.split_once(' ').unwrap_or((&test, ""));
        let body: String = text
            .lines()
            .skip_while(|line| line.starts_with("# "))
            .map(|line| format!("{line}\n"))
            .collect();
        let (right, wrong) = body
            .split_once("=====\n")
            .with_context(|| format!("{name}: no line `=====`"))?;
        Ok(Mutant {
            fault: head("fault")?,
            test: (target.to_owned(), filter.to_owned()),
            file: head("file")?.into(),
            right: right.to_owned(),
            wrong: wrong.to_owned(),
            name,
        })
    }

    /// Plants the fault, runs the test, and takes the fault out again.
    fn is_found(&self, work: &Path, crate_name: &str) -> anyhow::Result<bool> {
        let file = work.join("tree").join(&self.file);
        let sound = std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))?;
        ensure!(
            sound.matches(&self.right).count() == 1,
            "{}: its text is not exactly once in {}",
            self.name,
            self.file.display()
        );
        std::fs::write(&file, sound.replacen(&self.right, &self.wrong, 1))?;
        let outcome = self.test_fails(work, crate_name);
        std::fs::write(&file, sound)?;
        outcome
    }

    /// A fault that does not compile proves nothing.
    fn test_fails(&self, work: &Path, crate_name: &str) -> anyhow::Result<bool> {
        let mut build = self.cargo_test(work, crate_name);
        let built = build.arg("--no-run").stderr(Stdio::null()).status()?;
        ensure!(built.success(), "{}: does not compile", self.name);
        let mut test = self.cargo_test(work, crate_name);
        Ok(!test.stderr(Stdio::null()).status()?.success())
    }

    fn cargo_test(&self, work: &Path, crate_name: &str) -> Command {
        let (target, filter) = &self.test;
        let mut command = Command::new("cargo");
        command.args(["test", "--quiet", "--package", &format!("ottla-{crate_name}")]);
        match target.as_str() {
            "lib" => command.arg("--lib"),
            name => command.args(["--test", name]),
        };
        command
            .arg(filter)
            .current_dir(work.join("tree"))
            .env("CARGO_TARGET_DIR", work.join("target"))
            .stdout(Stdio::null());
        command
    }
}
