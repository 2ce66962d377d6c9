//! `ottla profile ...`: named clusters in the user's file.

mod create;
mod edit;
mod list;
mod select;
mod show;

pub use create::COMMAND as CREATE;
pub use edit::COMMAND as EDIT;
pub use list::COMMAND as LIST;
pub use select::COMMAND as USE;
pub use show::COMMAND as SHOW;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::{Failure, profile};

/// The user's file and what it says; nothing if it is not there.
fn user_file() -> Result<(PathBuf, String), Failure> {
    let path = profile::user_file().ok_or_else(|| {
        Failure::failed("there is no place for a file: neither XDG_CONFIG_HOME nor HOME is set")
    })?;
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((path, String::new())),
        Err(error) => Err(Failure::failed(format!("{}: {error}", path.display()))),
    }
}

/// Puts another file in the place of the user's, whole or not at all; only the user may read it.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let aside = path.with_extension("toml.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&aside).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&aside, path).map_err(failed)
}
