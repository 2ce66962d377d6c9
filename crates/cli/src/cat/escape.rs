//! Delimiters and format strings as they are typed: `\n`, `\t`, `\r`, `\xNN`, `\NNN`.

/// The bytes that a text with escapes stands for. Any other character behind a backslash stands for itself.
pub(super) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [kind, tail @ ..] = rest else {
            bytes.push(b'\\');
            break;
        };
        rest = tail;
        match kind {
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'x' => rest = number(rest, 16, &mut bytes),
            // As C reads numbers: with a nought in front in eights, else in tens.
            b'0' => rest = number(rest, 8, &mut bytes),
            digit @ b'1'..=b'9' => {
                let mut digits = vec![*digit];
                digits.extend_from_slice(rest);
                let left = number(&digits, 10, &mut bytes).len();
                rest = rest.get(rest.len().saturating_sub(left)..).unwrap_or_default();
            }
            other => bytes.push(*other),
        }
    }
    bytes
}

/// Reads digits, writes the byte that they stand for, and gives what follows.
fn number<'a>(text: &'a [u8], base: u32, bytes: &mut Vec<u8>) -> &'a [u8] {
    let digits = text
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    let (digits, rest) = text.split_at(digits);
    let value = digits.iter().fold(0_u32, |value, byte| {
        let digit = char::from(*byte).to_digit(base).unwrap_or(0);
        value.wrapping_mul(base).wrapping_add(digit)
    });
    bytes.push(value.to_le_bytes()[0]);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes_and_the_rest_is_as_it_is() {
        assert_eq!(unescaped("a\\tb\\n\\r"), b"a\tb\n\r");
        assert_eq!(unescaped("\\x54!\\x45\\x53T"), b"T!EST");
        assert_eq!(unescaped("\\0101\\65 \\e\\\\"), b"AA e\\");
        assert_eq!(unescaped("\\x0z"), b"\0z");
        assert_eq!(unescaped(""), b"");
    }
}
