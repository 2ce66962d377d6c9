//! MD5 and SHA-256 as fingerprints of schemas. Names of content, no protection: MD5 must never guard anything.

mod md5;
mod sha256;

pub use md5::md5;
pub use sha256::sha256;

/// Feeds `message`, padded as both digests ask, to `block` in pieces of 64 bytes.
///
/// `length` is the number of bits of the message in the digest's byte order.
fn padded_blocks(message: &[u8], length: [u8; 8], mut block: impl FnMut(&[u8; 64])) {
    let (whole, rest) = message.as_chunks::<64>();
    whole.iter().for_each(&mut block);
    let mut tail = [0u8; 128];
    let used = rest.len();
    let tail_bytes = if used < 56 { 64 } else { 128 };
    for (at, byte) in tail.iter_mut().enumerate() {
        *byte = match at {
            at if at < used => rest.get(at).copied().unwrap_or_default(),
            at if at == used => 0x80,
            at if at >= tail_bytes - 8 => length.get(at + 8 - tail_bytes).copied().unwrap_or_default(),
            _ => 0,
        };
    }
    tail.as_chunks::<64>()
        .0
        .iter()
        .take(tail_bytes / 64)
        .for_each(block);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_rfc_1321_and_fips_180() {
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(hex(&md5(b"message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
        let eighty = b"12345678901234567890123456789012345678901234567890123456789012345678901234567890";
        assert_eq!(hex(&md5(eighty)), "57edf4a22be3c955ac49da2e2107b67a");
        assert_eq!(
            hex(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(&sha256(
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
            )),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    #[test]
    fn padding_is_right_on_both_sides_of_a_block() {
        // 55 bytes fill one block, 56 need a second.
        assert_eq!(hex(&md5(&[b'a'; 55])), "ef1772b6dff9a122358552954ad0df65");
        assert_eq!(hex(&md5(&[b'a'; 56])), "3b0c8ac703f828b04c6c197006d17218");
        assert_eq!(hex(&md5(&[b'a'; 64])), "014842d480b571495a4a0363793f7367");
    }
}
