//! What comes in on stdin or from a file, in pieces, without holding up who waits for it.
//!
//! A thread reads; so whatever else the program does, such as sending what came before, goes on while nothing comes.

use std::io::{self, BufRead, BufReader, Read};

use tokio::sync::mpsc;

/// Pieces that are handed over together at most, when they are there already.
const TOGETHER_MAX: usize = 1000;
/// Handfuls that wait to be taken.
const WAITING_MAX: usize = 16;

/// Pieces of the input, as they come.
#[derive(Debug)]
pub(crate) struct Input {
    pieces: mpsc::Receiver<io::Result<Vec<Vec<u8>>>>,
}

impl Input {
    /// Reads pieces that end with a delimiter, which is left off. `before` runs before each time that the input is
    /// asked for more, as for a prompt.
    pub(crate) fn pieces(
        source: impl Read + Send + 'static,
        delimiter: Vec<u8>,
        before: impl Fn() + Send + 'static,
    ) -> Input {
        let (give, pieces) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || {
            let mut reader = BufReader::with_capacity(256 << 10, source);
            loop {
                before();
                let handful = handful(&mut reader, &delimiter);
                let ended = !matches!(&handful, Ok(some) if !some.is_empty());
                if give.blocking_send(handful).is_err() || ended {
                    break;
                }
            }
        });
        Input { pieces }
    }

    /// The next pieces; none at the end of the input. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> io::Result<Vec<Vec<u8>>> {
        self.pieces.recv().await.unwrap_or_else(|| Ok(Vec::new()))
    }
}

/// At least one piece if there is one, and those behind it that are there without waiting.
fn handful<R: Read>(reader: &mut BufReader<R>, delimiter: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    let last = delimiter.last().copied();
    while let Some(piece) = piece(reader, delimiter)? {
        pieces.push(piece);
        let more = last.is_some_and(|last| reader.buffer().contains(&last));
        if !more || pieces.len() == TOGETHER_MAX {
            break;
        }
    }
    Ok(pieces)
}

/// The next piece without its delimiter; all of the rest if the delimiter is empty.
pub(crate) fn piece(reader: &mut impl BufRead, delimiter: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut piece = Vec::new();
    let Some(last) = delimiter.last() else {
        let read = reader.read_to_end(&mut piece)?;
        return Ok((read != 0).then_some(piece));
    };
    loop {
        if reader.read_until(*last, &mut piece)? == 0 {
            return Ok((!piece.is_empty()).then_some(piece));
        }
        if piece.ends_with(delimiter) {
            piece.truncate(piece.len() - delimiter.len());
            return Ok(Some(piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, delimiter: &str) -> Vec<String> {
        let mut reader = text.as_bytes();
        let mut found = Vec::new();
        while let Some(one) = piece(&mut reader, delimiter.as_bytes()).expect("memory") {
            found.push(String::from_utf8(one).expect("text"));
        }
        found
    }

    #[test]
    fn pieces_end_at_the_delimiter_and_the_last_one_needs_none() {
        assert_eq!(pieces("a\n\nb", "\n"), ["a", "", "b"]);
        assert_eq!(pieces("a\n\nb\n", "\n"), ["a", "", "b"]);
        assert_eq!(pieces("a-b--c", "--"), ["a-b", "c"]);
        assert_eq!(pieces("a\nb", ""), ["a\nb"]);
        assert!(pieces("", "").is_empty());
    }

    #[tokio::test]
    async fn what_is_there_already_comes_together_and_the_end_is_an_empty_handful() {
        let text = "x\n".repeat(TOGETHER_MAX + 1);
        let mut input = Input::pieces(io::Cursor::new(text.into_bytes()), b"\n".to_vec(), || {});
        assert_eq!(input.next().await.expect("memory").len(), TOGETHER_MAX);
        assert_eq!(input.next().await.expect("memory").len(), 1);
        assert!(input.next().await.expect("memory").is_empty());
        assert!(input.next().await.expect("memory").is_empty());
    }
}
