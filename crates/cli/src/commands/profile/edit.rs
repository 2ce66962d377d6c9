//! `ottla profile edit`

use serde_json::json;

use crate::profile::Profiles;
use crate::{Column, Command, Failure, Report};

pub const COMMAND: Command = Command {
    path: &["profile", "edit"],
    about: "Open the file of profiles in $VISUAL or $EDITOR, and check it afterwards",
    example: "EDITOR=nano ottla profile edit",
    arguments: |command| command,
    run: |context, _| {
        let (path, text) = super::user_file()?;
        if !context.dry_run {
            if text.is_empty() {
                super::write(
                    &path,
                    "# current = \"local\"\n#\n# [profiles.local]\n# bootstrap = \"localhost:9092\"\n",
                )?;
            }
            open(&path)?;
        }
        let (_, text) = super::user_file()?;
        let profiles = Profiles::parse(&text, &path)?;
        let row = json!({"file": path.display().to_string(), "profiles": profiles.all.len()});
        let mut report = Report::of("profile_files", COLUMNS, vec![row]);
        report.dry_run = context.dry_run;
        Ok(report)
    },
};

const COLUMNS: &[Column] = &[Column::new("file"), Column::new("profiles")];

fn open(path: &std::path::Path) -> Result<(), Failure> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned());
    // As git does: the variable may hold a command with arguments.
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(path)
        .status()
        .map_err(|error| Failure::failed(format!("{editor}: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::failed(format!("{editor} ended with {status}"))
            .hint("set EDITOR to an editor that is installed")),
    }
}
