//! `-s`: bytes as numbers and text, by a string of letters (`<serdes>` of kcat's help).

use super::Stop;

/// What a letter reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Little,
    Big,
    Space,
    /// A number of so many bytes.
    Signed(usize),
    Unsigned(usize),
    Character,
    Rest,
    End,
}

/// A string of letters that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pack {
    field: &'static str,
    letters: String,
}

fn piece(letter: char) -> Option<Piece> {
    Some(match letter {
        '<' => Piece::Little,
        '>' => Piece::Big,
        ' ' => Piece::Space,
        'b' => Piece::Signed(1),
        'B' => Piece::Unsigned(1),
        'h' => Piece::Signed(2),
        'H' => Piece::Unsigned(2),
        'i' => Piece::Signed(4),
        'I' => Piece::Unsigned(4),
        'q' => Piece::Signed(8),
        'Q' => Piece::Unsigned(8),
        'c' => Piece::Character,
        's' => Piece::Rest,
        '$' => Piece::End,
        _ => return None,
    })
}

impl Pack {
    pub(super) fn new(field: &'static str, letters: &str) -> Result<Pack, Stop> {
        if letters == "avro" {
            return Err(Stop::fatal(
                "there is no Avro here: -s avro and -r are not served",
            ));
        }
        if letters.is_empty() {
            return Err(Stop::fatal(format!("{field} pack-format must not be empty")));
        }
        if let Some(wrong) = letters.chars().find(|letter| piece(*letter).is_none()) {
            return Err(Stop::fatal(format!(
                "Invalid token '{wrong}' in {field} pack-format, see -s usage."
            )));
        }
        Ok(Pack {
            field,
            letters: letters.to_owned(),
        })
    }

    /// Writes what the bytes say; an error is said, and what was written before it stays.
    pub(super) fn write(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut rest = bytes;
        // Without a sign in front as on the wire.
        let mut big = true;
        for letter in self.letters.chars() {
            match piece(letter) {
                Some(Piece::Little) => big = false,
                Some(Piece::Big) => big = true,
                Some(Piece::Space) => out.push(b' '),
                Some(Piece::Signed(size)) => {
                    let value = self.number(&mut rest, size, big, letter)?;
                    let shift = 64 - 8 * u32::try_from(size).unwrap_or(8);
                    let value = (value << shift).cast_signed() >> shift;
                    out.extend_from_slice(value.to_string().as_bytes());
                }
                Some(Piece::Unsigned(size)) => {
                    let value = self.number(&mut rest, size, big, letter)?;
                    out.extend_from_slice(value.to_string().as_bytes());
                }
                Some(Piece::Character) => out.extend_from_slice(self.take(&mut rest, 1, letter)?),
                Some(Piece::Rest) => out.extend_from_slice(std::mem::take(&mut rest)),
                Some(Piece::End) if !rest.is_empty() => {
                    return Err(format!(
                        "expected {} end-of-input, but {} bytes remaining",
                        self.field,
                        rest.len()
                    ));
                }
                Some(Piece::End) | None => {}
            }
        }
        Ok(())
    }

    fn take<'a>(&self, rest: &mut &'a [u8], size: usize, letter: char) -> Result<&'a [u8], String> {
        let Some((taken, left)) = rest.split_at_checked(size) else {
            return Err(format!(
                "{} truncated, expected {size} bytes to unpack {letter} but only {} bytes remaining",
                self.field,
                rest.len()
            ));
        };
        *rest = left;
        Ok(taken)
    }

    fn number(&self, rest: &mut &[u8], size: usize, big: bool, letter: char) -> Result<u64, String> {
        let taken = self.take(rest, size, letter)?;
        let join = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Ok(match big {
            true => taken.iter().fold(0, join),
            false => taken.iter().rev().fold(0, join),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(letters: &str, bytes: &[u8]) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let outcome = Pack::new("value", letters).expect("good").write(bytes, &mut out);
        (String::from_utf8(out).expect("text"), outcome)
    }

    #[test]
    fn letters_read_numbers_characters_and_the_rest() {
        let bytes = b"\x01\x02\x03abc";
        assert_eq!(written("BB", bytes), ("12".to_owned(), Ok(())));
        assert_eq!(written("<H B c", bytes), ("513 3 a".to_owned(), Ok(())));
        assert_eq!(written(">HBs$", bytes), ("2583abc".to_owned(), Ok(())));
        assert_eq!(written("b<h", b"\xff\xfe\xff"), ("-1-2".to_owned(), Ok(())));
        assert_eq!(written(">q", &(-7_i64).to_be_bytes()), ("-7".to_owned(), Ok(())));
        assert_eq!(
            written("<Q", &u64::MAX.to_le_bytes()),
            (u64::MAX.to_string(), Ok(()))
        );
    }

    #[test]
    fn what_is_too_short_or_too_long_or_no_letter_is_said() {
        let (shown, outcome) = written("BQ", b"\x01a");
        assert_eq!(shown, "1");
        let said = "value truncated, expected 8 bytes to unpack Q but only 1 bytes remaining";
        assert_eq!(outcome, Err(said.to_owned()));
        let said = "expected value end-of-input, but 1 bytes remaining";
        assert_eq!(written("B$", b"ab").1, Err(said.to_owned()));
        assert!(Pack::new("key", "").is_err() && Pack::new("key", "xx").is_err());
    }
}
