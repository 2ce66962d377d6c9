//! Bytes as Java's deserializers read them and `toString` shows them, by the names of their classes.

/// A deserializer of `org.apache.kafka.common.serialization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deserializer {
    Text,
    Long,
    Integer,
    Short,
    Float,
    Double,
    Boolean,
    Uuid,
    /// `Bytes`: what is not printable as `\xNN`.
    Bytes,
    /// The bytes as they are. (Java prints the array's address, which helps nobody.)
    ByteArray,
    ByteBuffer,
    Void,
}

const PACKAGE: &str = "org.apache.kafka.common.serialization.";
const NAMES: &[(&str, Deserializer)] = &[
    ("StringDeserializer", Deserializer::Text),
    ("LongDeserializer", Deserializer::Long),
    ("IntegerDeserializer", Deserializer::Integer),
    ("ShortDeserializer", Deserializer::Short),
    ("FloatDeserializer", Deserializer::Float),
    ("DoubleDeserializer", Deserializer::Double),
    ("BooleanDeserializer", Deserializer::Boolean),
    ("UUIDDeserializer", Deserializer::Uuid),
    ("BytesDeserializer", Deserializer::Bytes),
    ("ByteArrayDeserializer", Deserializer::ByteArray),
    ("ByteBufferDeserializer", Deserializer::ByteBuffer),
    ("VoidDeserializer", Deserializer::Void),
];

impl Deserializer {
    /// The one of a class's full name.
    pub(super) fn named(class: &str) -> Option<Deserializer> {
        let name = class.strip_prefix(PACKAGE)?;
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, deserializer)| *deserializer)
    }

    /// What is printed for some bytes; an error is the exception's sentence.
    pub(super) fn shown(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let text = match self {
            Deserializer::Text => String::from_utf8_lossy(bytes).into_owned(),
            Deserializer::Long => i64::from_be_bytes(sized(bytes, "LongDeserializer")?).to_string(),
            Deserializer::Integer => i32::from_be_bytes(sized(bytes, "IntegerDeserializer")?).to_string(),
            Deserializer::Short => i16::from_be_bytes(sized(bytes, "ShortDeserializer")?).to_string(),
            Deserializer::Float => {
                let value = f32::from_be_bytes(sized(bytes, "Deserializer")?);
                decimal(f64::from(value), &format!("{value:e}"))
            }
            Deserializer::Double => {
                let value = f64::from_be_bytes(sized(bytes, "Deserializer")?);
                decimal(value, &format!("{value:e}"))
            }
            Deserializer::Boolean => match bytes {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [_] => return Err("Unexpected byte received by BooleanDeserializer".to_owned()),
                _ => return Err("Size of data received by BooleanDeserializer is not 1".to_owned()),
            },
            Deserializer::Uuid => uuid(bytes)?,
            Deserializer::Bytes => bytes.iter().map(|byte| printable(*byte)).collect(),
            Deserializer::ByteArray => return Ok(bytes.to_vec()),
            Deserializer::ByteBuffer => {
                let length = bytes.len();
                format!("java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]")
            }
            Deserializer::Void => return Err("Data should be null for a VoidDeserializer.".to_owned()),
        };
        Ok(text.into_bytes())
    }
}

fn sized<const N: usize>(bytes: &[u8], who: &str) -> Result<[u8; N], String> {
    let wrong = |_| format!("Size of data received by {who} is not {N}");
    bytes.try_into().map_err(wrong)
}

fn printable(byte: u8) -> String {
    match byte {
        b'\\' => format!("\\x{byte:02X}"),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    }
}

fn uuid(bytes: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if lengths == [8, 4, 4, 4, 12] && digits {
        return Ok(text.to_ascii_lowercase());
    }
    Err("Error parsing data into UUID".to_owned())
}

/// As `Double.toString`: plain between a thousandth and ten millions, else with an exponent. `shortest` is the number
/// in scientific form with the fewest digits that give it back, as Rust writes it.
fn decimal(value: f64, shortest: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-Infinity" } else { "Infinity" }.to_owned();
    }
    let (digits, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        let plain = plain(digits, exponent.parse().unwrap_or(0));
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let digits = if digits.contains('.') {
        digits.to_owned()
    } else {
        format!("{digits}.0")
    };
    format!("{digits}E{exponent}")
}

/// `d.ddd` and an exponent of ten as a number without one.
fn plain(digits: &str, exponent: i32) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let bare: String = digits.chars().filter(|c| *c != '.').collect();
    let point = exponent + 1;
    let Ok(point) = usize::try_from(point) else {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{bare}");
    };
    let padded = format!("{bare:0<point$}");
    let (whole, rest) = padded.split_at(point);
    let whole = if whole.is_empty() { "0" } else { whole };
    match rest {
        "" => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, bytes: &[u8]) -> Result<String, String> {
        let deserializer = Deserializer::named(&format!("{PACKAGE}{name}")).expect("known");
        deserializer
            .shown(bytes)
            .map(|shown| String::from_utf8(shown).expect("text"))
    }

    #[test]
    fn numbers_are_big_endian_and_of_their_size() {
        assert_eq!(
            shown("LongDeserializer", &7_i64.to_be_bytes()).as_deref(),
            Ok("7")
        );
        assert_eq!(
            shown("IntegerDeserializer", &(-7_i32).to_be_bytes()).as_deref(),
            Ok("-7")
        );
        assert_eq!(shown("ShortDeserializer", &[1, 0]).as_deref(), Ok("256"));
        assert_eq!(
            shown("LongDeserializer", b"null"),
            Err("Size of data received by LongDeserializer is not 8".to_owned())
        );
        assert_eq!(shown("BooleanDeserializer", &[1]).as_deref(), Ok("true"));
        assert!(shown("BooleanDeserializer", &[2]).is_err());
    }

    #[test]
    fn fractions_are_written_as_java_writes_them() {
        let double = |value: f64| shown("DoubleDeserializer", &value.to_be_bytes()).expect("sized");
        let pairs = [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.001, "0.001"),
            (0.0625, "0.0625"),
            (123456.789, "123456.789"),
            (9999999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.5e-5, "1.5E-5"),
            (-1.25e300, "-1.25E300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, text) in pairs {
            assert_eq!(double(value), text);
        }
        assert_eq!(
            shown("FloatDeserializer", &0.1_f32.to_be_bytes()).as_deref(),
            Ok("0.1")
        );
    }

    #[test]
    fn bytes_and_uuids_are_text() {
        assert_eq!(shown("BytesDeserializer", b"a\\\n").as_deref(), Ok("a\\x5C\\x0A"));
        assert_eq!(shown("StringDeserializer", b"a\xff").as_deref(), Ok("a\u{fffd}"));
        let id = "123E4567-e89b-12d3-a456-426614174000";
        assert_eq!(shown("UUIDDeserializer", id.as_bytes()), Ok(id.to_lowercase()));
        assert!(shown("UUIDDeserializer", b"no").is_err());
        assert_eq!(Deserializer::named("LongDeserializer"), None);
    }
}
