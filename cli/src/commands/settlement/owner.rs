//! Addresses and public keys from the command line.

use alloy_primitives::Address;
use anyhow::Result;

use crate::exit::usage;

/// An address from the command line.
pub fn address(text: &str) -> Result<Address> {
    bytes::<20>(text, "an address").map(Address::from)
}

/// A public key from the command line.
pub fn owner_key(text: &str) -> Result<[u64; 5]> {
    let bytes = bytes::<40>(text, "a public key")?;
    let (words, _) = bytes.as_chunks();
    Ok(core::array::from_fn(|i| {
        u64::from_be_bytes(words.get(i).copied().unwrap_or_default())
    }))
}

/// Bytes as hexadecimal digits, with or without 0x.
fn bytes<const N: usize>(text: &str, what: &str) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        let expected = 2 * N;
        usage(format!(
            "found {text:?}: {error}; expected {what} of {expected} hexadecimal digits"
        ))
    })?;
    Ok(bytes)
}
