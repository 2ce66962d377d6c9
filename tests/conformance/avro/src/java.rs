//! Java Avro in a process of its own: batches of lines in, batches of lines out.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, bail};

pub struct Java {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What Java says about a writer, a reader and data of the writer.
#[derive(Debug)]
pub struct Answer {
    pub text: String,
    pub canonical: String,
    pub fingerprint: i64,
    pub compatible: bool,
    /// Names of the incompatibilities, sorted, each once.
    pub found: Vec<String>,
    /// For each datum: its bytes when written with the reader, and its JSON encoding.
    pub data: Vec<Result<(Vec<u8>, String), String>>,
}

impl Java {
    pub fn start(classpath: &str) -> Result<Java> {
        let mut child = Command::new("java")
            .args(["-Xmx512m", "-Xss8m", "-cp", classpath, "AvroOracle"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("java")?;
        let input = BufWriter::new(child.stdin.take().context("stdin")?);
        let output = BufReader::new(child.stdout.take().context("stdout")?);
        Ok(Java { child, input, output })
    }

    /// Asks about a batch.
    pub fn ask(&mut self, lines: &[String]) -> Result<Vec<Result<Answer, String>>> {
        let mut answers = Vec::with_capacity(lines.len());
        // Few enough at a time that neither pipe fills up while nobody reads.
        for chunk in lines.chunks(20) {
            for line in chunk {
                self.input.write_all(line.as_bytes())?;
                self.input.write_all(b"\n")?;
            }
            self.input.write_all(b"\n")?;
            self.input.flush()?;
            for _ in chunk {
                let mut answer = String::new();
                if self.output.read_line(&mut answer)? == 0 {
                    bail!("java ended");
                }
                answers.push(parse(answer.trim_end_matches('\n')));
            }
        }
        Ok(answers)
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(line: &str) -> Result<Answer, String> {
    if let Some(error) = line.strip_prefix('!') {
        return Err(error.to_owned());
    }
    let parts: Vec<_> = line.split('\t').collect();
    let [text, canonical, fingerprint, verdict, data] = parts.as_slice() else {
        return Err(format!("an answer of {} parts", parts.len()));
    };
    let (verdict, found) = verdict.split_once(':').unwrap_or((verdict, ""));
    let data = if data.is_empty() { vec![] } else { data.split('\u{1}').map(datum).collect() };
    Ok(Answer {
        text: (*text).to_owned(),
        canonical: (*canonical).to_owned(),
        fingerprint: fingerprint.parse().map_err(|_| "no fingerprint")?,
        compatible: verdict == "COMPATIBLE",
        found: found.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        data,
    })
}

fn datum(text: &str) -> Result<(Vec<u8>, String), String> {
    if let Some(error) = text.strip_prefix('!') {
        return Err(error.to_owned());
    }
    let (hex, json) = text.split_once('\u{2}').unwrap_or((text, ""));
    Ok((unhex(hex), json.to_owned()))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or("00"), 16).unwrap_or(0))
        .collect()
}
