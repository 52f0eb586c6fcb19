//! Bytes as text.

/// Bytes in lower-case hexadecimal digits, two for each, as `sha256sum` prints them.
///
/// ```
/// assert_eq!(fairzarr_digest::hex(&[0x00, 0x9f, 0xff]), "009fff");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
