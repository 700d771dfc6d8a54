//! Bytes as hexadecimal digits, in one form only.

/// Returns the bytes of exactly `2 N` lowercase hexadecimal digits.
pub fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    // Uppercase would be a second form of the same bytes.
    let lowercase = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    lowercase.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn bytes_have_one_text_only() {
        assert_eq!(parse("00ff1a"), Some([0, 0xff, 0x1a]));
        for other in [
            "00FF1a", "00ff1", "00ff1a00", " 00ff1a", "0x00ff", "00ffgg", "",
        ] {
            assert_eq!(parse::<3>(other), None, "{other}");
        }
    }
}
