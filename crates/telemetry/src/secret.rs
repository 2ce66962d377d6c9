//! Values that must never be shown (`security.md` 7).

use std::fmt;

/// A value without `Display`, whose `Debug` shows nothing, that is overwritten when it is dropped and compared without
/// telling how far it matched.
#[derive(Clone)]
pub struct Secret {
    bytes: Vec<u8>,
}

impl Secret {
    pub fn new(value: impl Into<Vec<u8>>) -> Secret {
        Secret { bytes: value.into() }
    }

    /// The value itself. Keep it out of messages and fields.
    pub fn reveal(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<redacted>")
    }
}

impl PartialEq for Secret {
    /// Takes as long for any two values of one length. The length itself is no secret.
    fn eq(&self, other: &Secret) -> bool {
        if self.bytes.len() != other.bytes.len() {
            return false;
        }
        let differing = self
            .bytes
            .iter()
            .zip(&other.bytes)
            .fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes.fill(0);
        // The compiler must not drop a write that nobody reads.
        std::hint::black_box(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("canary-5e1f");
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "<redacted> Some(<redacted>)"
        );
    }

    #[test]
    fn secrets_are_equal_byte_for_byte() {
        assert_eq!(Secret::new("abc"), Secret::new("abc"));
        assert_ne!(Secret::new("abc"), Secret::new("abd"));
        assert_ne!(Secret::new("abc"), Secret::new("ab"));
        assert_eq!(Secret::new("abc").reveal(), b"abc");
    }
}
