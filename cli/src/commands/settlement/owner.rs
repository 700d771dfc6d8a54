//! Addresses and public keys from the command line.

use alloy_primitives::Address;
use anyhow::Result;

use crate::exit::usage;

/// An address from the command line.
pub fn address(text: &str) -> Result<Address> {
    let mut bytes = [0; 20];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        usage(format!(
            "found {text:?}: {error}; expected an address of 40 hexadecimal digits"
        ))
    })?;
    Ok(Address::from(bytes))
}

/// A public key from the command line.
pub fn owner_key(text: &str) -> Result<[u64; 5]> {
    let mut bytes = [0; 40];
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        usage(format!(
            "found {text:?}: {error}; expected a public key of 80 hexadecimal digits"
        ))
    })?;
    let (words, _) = bytes.as_chunks();
    Ok(core::array::from_fn(|i| {
        u64::from_be_bytes(words.get(i).copied().unwrap_or_default())
    }))
}
