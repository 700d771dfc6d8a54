//! How a verifier of settlement proofs comes onto a chain.
//!
//! The verifier's code is the same for every circuit. What makes it one circuit's verifier is data
//! (`SettlementKey::verifier_data` of the aggregator), which are too long for one contract. So three
//! contracts are created: two that hold the data as their code, then the verifier, which gets their
//! addresses. Anybody can compare what is deployed with what this module makes.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::{SolValue as _, sol};

use crate::artefact::{Artefact, ArtefactError};

sol! {
    /// The verifier's functions and errors, as Solidity has them.
    #[derive(Debug, PartialEq, Eq)]
    #[allow(missing_docs)]
    interface IVerifier {
        error NoData(address found);
        error OtherData(bytes32 found, bytes32 expected);
        error ProofLength(uint256 found, uint256 expected);
        error NotCanonical(uint8 part);
        error Grinding(uint8 site, uint256 response, uint256 bits);
        error PointInBaseField();
        error Constraints();
        error Program(uint256 kind);
        error Path(uint256 query, uint256 tree);
        error FoldedValue(uint256 query, uint256 fold);
        error FinalValue(uint256 query);

        function verify(bytes calldata proof) external view returns (bool);
        function first() external view returns (address);
        function second() external view returns (address);
        function dataHash() external view returns (bytes32);
    }
}

/// The most bytes of data in a contract: its code has at most 24,576 (EIP-170), and begins with one
/// that stops, so that nobody can run it.
pub const MAX_DATA: usize = 24_575;

/// The code of a contract whose code is what follows: `PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE,
/// CODECOPY, RETURNDATASIZE, RETURN`, where the size of the data returned so far is zero.
const CREATION: [u8; 10] = [0x61, 0, 0, 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x3d, 0xf3];

/// Data that no verifier can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {found} bytes of a verifier's data, expected from 2 to {most}")]
pub struct DataError {
    /// Bytes found.
    found: usize,
    /// The most that two contracts hold.
    most: usize,
}

/// Returns the verifier as it was compiled.
///
/// # Errors
/// If what is checked in is no artefact.
pub fn artefact() -> Result<Artefact, ArtefactError> {
    Artefact::parse(include_str!("../evm/artefacts/Verifier.json"))
}

/// Returns the codes that create the two contracts that hold the data, halved between them.
///
/// # Errors
/// If two contracts cannot hold so many.
pub fn data_creations(data: &[u8]) -> Result<[Bytes; 2], DataError> {
    let found = data.len();
    let most = 2 * MAX_DATA;
    if !(2..=most).contains(&found) {
        return Err(DataError { found, most });
    }
    let (first, second) = halves(data);
    let error = DataError { found, most };
    Ok([
        creation(first).ok_or(error)?,
        creation(second).ok_or(error)?,
    ])
}

/// Returns the codes of the two contracts once they are created: a byte that stops, and their half.
#[must_use]
pub fn data_codes(data: &[u8]) -> [Bytes; 2] {
    let (first, second) = halves(data);
    [first, second].map(|part| [&[0], part].concat().into())
}

fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    data.split_at(data.len().div_ceil(2))
}

/// The code that creates a contract with one part of the data.
fn creation(part: &[u8]) -> Option<Bytes> {
    let [high, low] = u16::try_from(part.len() + 1).ok()?.to_be_bytes();
    let mut code = CREATION;
    code[1] = high;
    code[2] = low;
    Some([code.as_slice(), &[0], part].concat().into())
}

/// Returns the arguments of the verifier's constructor, which follow its creation code.
#[must_use]
pub fn arguments(first: Address, second: Address) -> Vec<u8> {
    (first, second).abi_encode_params()
}

/// Returns what the deployed verifier says of its data: `dataHash()`.
#[must_use]
pub fn data_hash(data: &[u8]) -> B256 {
    keccak256(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_contracts_share_the_data_and_cannot_be_run() {
        let data: Vec<u8> = (0..=250).collect();
        let [first, second] = data_creations(&data).expect("they fit");
        // What is deployed begins with the byte that stops.
        assert_eq!(first[..3], [0x61, 0, 127]);
        assert_eq!(first[CREATION.len()..CREATION.len() + 3], [0, 0, 1]);
        let held = [&first[CREATION.len() + 1..], &second[CREATION.len() + 1..]];
        assert_eq!(held.concat(), data);
    }

    #[test]
    fn data_that_two_contracts_cannot_hold_are_refused() {
        let most = 2 * MAX_DATA;
        assert!(data_creations(&vec![1; most]).is_ok());
        for found in [0, 1, most + 1] {
            let error = DataError { found, most };
            assert_eq!(data_creations(&vec![1; found]), Err(error));
        }
    }

    #[test]
    fn the_verifier_is_small_enough_for_a_chain() {
        let verifier = artefact().expect("it is one");
        assert!(verifier.deployed.len() <= 24_576);
    }
}
