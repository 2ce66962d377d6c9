//! `--command-config FILE`: the file of properties that scripts hand to Kafka's own tools.

use std::path::Path;
use std::time::Duration;

use crate::Failure;

/// What of such a file a command needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct JavaFile {
    pub(crate) bootstrap: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

pub(crate) fn load(path: &str) -> Result<JavaFile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{path}: {error}")))?;
    parse(&text, Path::new(path))
}

/// Reads `name=value` lines. What a client without encryption and authentication can leave aside is left aside; what
/// it cannot is refused, so that nobody talks in the open who meant not to.
fn parse(text: &str, path: &Path) -> Result<JavaFile, Failure> {
    let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let mut file = JavaFile::default();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(['#', '!'])) {
        let (name, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
        let (name, value) = (name.trim(), value.trim());
        match name {
            "bootstrap.servers" => file.bootstrap = Some(value.to_owned()),
            "default.api.timeout.ms" => {
                let milliseconds = value.parse().ok().filter(|milliseconds| 0 < *milliseconds);
                let milliseconds =
                    milliseconds.ok_or_else(|| wrong(format!("{name} is no number: {value:?}")))?;
                file.timeout = Some(Duration::from_millis(milliseconds));
            }
            "security.protocol" if value != "PLAINTEXT" => {
                let refused = wrong(format!(
                    "security.protocol={value} is not there yet, only PLAINTEXT"
                ));
                return Err(refused.hint("this version has neither TLS nor SASL"));
            }
            _ => {}
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_kafkas_tools_says_where_and_how_long() {
        let text = "# ours\nbootstrap.servers = a:1,b:1\ndefault.api.timeout.ms=1500\nsecurity.protocol=PLAINTEXT\nretries=3\n";
        let file = parse(text, Path::new("f")).expect("good");
        assert_eq!(file.bootstrap.as_deref(), Some("a:1,b:1"));
        assert_eq!(file.timeout, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn who_means_to_encrypt_is_not_sent_in_the_open() {
        let refused = parse("security.protocol=SASL_SSL", Path::new("f")).expect_err("no TLS yet");
        assert!(refused.message.starts_with("f: security.protocol=SASL_SSL"));
        assert!(parse("default.api.timeout.ms=soon", Path::new("f")).is_err());
    }
}
