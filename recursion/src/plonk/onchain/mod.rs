//! What makes the fixed verifier on a chain the verifier of one circuit: sizes, tables, key, and
//! the [`Program`] of the constraints, in one string of bytes.
//!
//! The contract `settlement/evm/contracts/Verifier.sol` copies it to its memory as it is. It begins
//! with the parameters, a word of 32 bytes each, in the order of the struct `Parameters` in
//! `VerifierParameters.sol`, which says what each means; then come the tables, to whose places in
//! memory the parameters point. All numbers are big-endian, an element has 8 bytes and a digest 26.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "data are made once for each circuit, no verifier runs through here, and a panic \
              gives no data"
)]

mod sizes;
mod tables;
mod trace;

#[cfg(test)]
mod tests;

use self::sizes::Sizes;
use self::tables::{Places, Tables};
pub use self::trace::{Coordinates, Trace, TraceError, trace};
use super::program::{Program, ProgramError};
use super::{CommonData, DIGEST_BYTES, Grinding, KeccakConfig, VerifierKey};
use crate::profile::Profile;
use crate::security::plonk::is_counted;
use crate::security::plonk_bits;
use crate::tree::{data_common_data, joint_common_data, narrow_common_data, outer_common_data};

/// A circuit for whose proofs the contract cannot be the verifier.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OnChainError {
    /// The layer has fewer bits than its profile promises.
    #[error(
        "found {proven:.1} proven and {conjectured:.1} conjectured bits, expected those of {profile}"
    )]
    Security {
        /// The profile.
        profile: &'static str,
        /// Proven bits of the layer.
        proven: f64,
        /// Conjectured bits of the layer.
        conjectured: f64,
    },
    /// The circuit has no program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The cap of the key is of another circuit.
    #[error("found {found} digests in the key's cap, expected {expected}")]
    Cap {
        /// Digests found.
        found: usize,
        /// Digests that the common data give.
        expected: usize,
    },
    /// The contract plays a grinding step before each challenge that may have one.
    #[error("found {found} bits of grinding before {site}, expected 1 to 32")]
    Grinding {
        /// The challenge.
        site: &'static str,
        /// The bits found.
        found: u32,
    },
    /// The contract folds at least once, and always by the same arity.
    #[error("found folds by 2^k for k in {found:?}, expected at least one, and all the same")]
    Folds {
        /// log2 of the arities found.
        found: Vec<usize>,
    },
    /// A codeword that is shorter than a cap.
    #[error("found a codeword of 2^{found} groups, expected at least the 2^{expected} of a cap")]
    Depth {
        /// log2 of the groups found.
        found: usize,
        /// log2 of the digests of a cap.
        expected: usize,
    },
}

/// Returns the data of the verifier of settlement proofs under this key.
///
/// # Errors
/// If the profile's parameters do not give the bits that its name promises, and for all that
/// [`circuit_data`] refuses.
pub fn verifier_data(
    profile: Profile,
    key: &VerifierKey<KeccakConfig>,
) -> Result<Vec<u8>, OnChainError> {
    let common = outer_common_data(profile);
    // What the outer circuit verifies counts too: nothing else on the way to a chain looks at it.
    let layers = [
        (profile.plonk(), data_common_data(profile)),
        (profile.joint(), joint_common_data(profile)),
        (profile.narrow(), narrow_common_data(profile)),
        (profile.outer(), common.clone()),
    ];
    for (parameters, common) in layers {
        let bits = plonk_bits(&parameters, common.degree_bits());
        if !profile.is_kept_by(&bits) || !is_counted(&common) {
            let (proven, conjectured) = (bits.proven(), bits.conjectured.bits);
            return Err(OnChainError::Security {
                profile: profile.name(),
                proven,
                conjectured,
            });
        }
    }
    circuit_data(&common, profile.outer().grinding, key)
}

/// Returns the data of the verifier of one circuit, whatever its security.
///
/// # Errors
/// If the circuit has no program, or is not of the shape that the contract knows.
pub fn circuit_data(
    common: &CommonData,
    grinding: Grinding,
    key: &VerifierKey<KeccakConfig>,
) -> Result<Vec<u8>, OnChainError> {
    let sizes = Sizes::new(common, grinding)?;
    let found = key.constants_sigmas_cap.len();
    if found != sizes.cap {
        let expected = sizes.cap;
        return Err(OnChainError::Cap { found, expected });
    }
    let program = Program::new(common)?;
    let tables = Tables::new(common, grinding, key, &sizes, &program)?;
    let parameters = parameters(&sizes, &tables.places, &program);
    let words = parameters.iter().flat_map(|(_, value)| {
        let number = value.to_be_bytes();
        [0; tables::WORD - 8].into_iter().chain(number)
    });
    Ok(words.chain(tables.bytes).collect())
}

/// How many parameters there are.
const PARAMETERS: usize = 35;

/// All parameters by the names that they have in the contract, in its order.
fn parameters(
    sizes: &Sizes,
    places: &Places,
    program: &Program,
) -> [(&'static str, u64); PARAMETERS] {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    let [preprocessed, wires, products, quotient] = sizes.oracles;
    let [shift, shift_inverse] = sizes.shift;
    [
        ("proofLength", number(sizes.proof_length())),
        ("statement", number(sizes.statement)),
        ("challenges", number(sizes.challenges)),
        ("capBytes", number(sizes.cap * DIGEST_BYTES)),
        ("preprocessed", number(preprocessed)),
        ("wires", number(wires)),
        ("products", number(products)),
        ("quotient", number(quotient)),
        ("logSize", number(sizes.log_size)),
        ("depth", number(sizes.depth)),
        ("folds", number(sizes.folds)),
        ("logArity", number(sizes.log_arity)),
        ("finalLength", number(sizes.final_length)),
        ("queries", number(sizes.queries)),
        ("pointBits", u64::from(sizes.grinding.point)),
        ("batchBits", u64::from(sizes.grinding.batch)),
        ("foldBits", u64::from(sizes.grinding.fold)),
        ("queryBits", u64::from(sizes.query_grinding)),
        ("nextRow", sizes.next_row),
        ("shift", shift),
        ("shiftInverse", shift_inverse),
        ("arityInverse", sizes.arity_inverse),
        ("prefixAt", number(places.prefix)),
        ("prefixLength", number(places.prefix_length)),
        ("capAt", number(places.cap)),
        ("rootsAt", number(places.roots)),
        ("positionsAt", number(places.positions)),
        ("twiddlesAt", number(places.twiddles)),
        ("poseidonAt", number(places.poseidon)),
        ("constantsAt", number(places.constants)),
        ("constants", number(program.constants().len())),
        ("programAt", number(places.program)),
        ("programLength", number(places.program_length)),
        ("slotsAt", number(places.slots)),
        ("freeAt", number(places.free)),
    ]
}
