//! The verification key: all that a verifier needs to know.

use crate::tree::flatten_key;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::hash::hash_types::HashOut;
use plonky2::hash::merkle_tree::MerkleCap;
use sha2::{Digest as _, Sha256};
use shardfold_protocol::envelope::{Envelope, EnvelopeError, FileKind};
use shardfold_protocol::field::MODULUS;
use shardfold_recursion::plonk::{
    CommonData, Grinding, PlonkConfig, PlonkField, PlonkParameters, VerifierKey, circuit_digest,
};
use shardfold_recursion::profile::Profile;
use shardfold_recursion::tree::last_common_data;

/// How the file is marked. The largest key is that of a cap of 64 hashes.
const ENVELOPE: Envelope = Envelope {
    kind: FileKind::Key,
    version: 3,
    max_bytes: 1 << 16,
};
/// What a key's id hashes before its content: once the header of its file, and constant, so that
/// ids outlast changes of the file's format.
const ID_DOMAIN: [u8; 12] = *b"SFVKEY\n\0\x01\0\0\0";

/// The last circuit's key with the profile that its parameters come from.
///
/// As a file it names the profile; the parameters and the gates are the verifier's own code, so
/// a key cannot ask for fewer queries than its profile has. One profile, `unsound-test`, has next
/// to none: a caller that takes a key from elsewhere looks at [`profile`](Self::profile). To pin
/// a key is to pin its [`id`](Self::id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationKey {
    pub(crate) profile: Profile,
    pub(crate) common: CommonData,
    pub(crate) key: VerifierKey,
}

/// Why bytes are no verification key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No whole file that is marked as a verification key of this version.
    #[error("not a verification key: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The content ends too early or too late.
    #[error("not a verification key: the content is not of the length of its profile")]
    Format,
    /// This build knows no such profile.
    #[error("the key's security profile is unknown to this build")]
    Profile,
    /// The profile's last circuit has another degree.
    #[error("the key is of a circuit of 2^{found} rows, its profile's has 2^{expected}")]
    Degree {
        /// log2 of the rows that the key states.
        found: u8,
        /// log2 of the rows of the profile's last circuit.
        expected: usize,
    },
    /// An integer that is no canonical field element.
    #[error("the integer {value} is not below the field's modulus")]
    NotCanonical {
        /// The integer found, not below the field's modulus.
        value: u64,
    },
    /// The circuit digest is not that of the cap and degree beside it.
    #[error("the key's digest is not that of its content")]
    Digest,
}

impl VerificationKey {
    /// The key of the last circuit of this profile.
    pub(crate) fn new(profile: Profile, key: VerifierKey) -> Self {
        Self {
            profile,
            common: last_common_data(profile),
            key,
        }
    }

    /// Returns the name of the security profile.
    #[must_use]
    pub fn profile(&self) -> &'static str {
        self.profile.name()
    }

    /// Returns how the circuit grinds where plonky2 itself does not.
    pub(crate) fn grinding(&self) -> Grinding {
        self.profile.last().grinding
    }

    /// Returns log2 of the rows of the circuit.
    #[must_use]
    pub fn degree_bits(&self) -> usize {
        self.common.degree_bits()
    }

    /// Returns the SHA-256 of a constant and the key's content, without the header of its file:
    /// what a verifier pins.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        let domain = Sha256::new_with_prefix(ID_DOMAIN);
        domain.chain_update(self.content()).finalize().into()
    }

    /// Returns the key's content after the header of all files.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        ENVELOPE.seal(&self.content())
    }

    /// Length and name of the profile, log2 of the rows, circuit digest and cap.
    fn content(&self) -> Vec<u8> {
        let mut bytes = profile_bytes(self.profile);
        // Degrees are below 64.
        bytes.push(u8::try_from(self.degree_bits()).unwrap_or(u8::MAX));
        for element in flatten_key(&self.key) {
            bytes.extend(element.to_canonical_u64().to_le_bytes());
        }
        bytes
    }

    /// Inverts [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// If the bytes are no key of this format, of a profile that this build knows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let content = ENVELOPE.open(bytes)?;
        let (profile, rest) = split_profile(content).ok_or(KeyError::Format)?;
        let (&degree_bits, rest) = rest.split_first().ok_or(KeyError::Format)?;
        let profile = profile.ok_or(KeyError::Profile)?;
        let expected = profile.last_degree_bits();
        if usize::from(degree_bits) != expected {
            return Err(KeyError::Degree {
                found: degree_bits,
                expected,
            });
        }
        let key = read_key(rest, &profile.last())?;
        if circuit_digest::<PlonkConfig>(&key.constants_sigmas_cap, degree_bits.into())
            != key.circuit_digest
        {
            return Err(KeyError::Digest);
        }
        Ok(Self::new(profile, key))
    }
}

/// The length and the name of a profile, with which the content of every key begins.
pub fn profile_bytes(profile: Profile) -> Vec<u8> {
    let name = profile.name();
    // Profiles are constants with short names.
    let mut bytes = vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
    bytes.extend(name.as_bytes());
    bytes
}

/// Inverts [`profile_bytes`]: the profile, if this build knows it, and what comes after it. `None` if
/// the bytes end before.
pub fn split_profile(content: &[u8]) -> Option<(Option<Profile>, &[u8])> {
    let (&length, rest) = content.split_first()?;
    let (name, rest) = rest.split_at_checked(length.into())?;
    let profile = std::str::from_utf8(name).ok().and_then(Profile::named);
    Some((profile, rest))
}

/// The digest and the cap of these parameters' height, and nothing after them.
fn read_key(bytes: &[u8], parameters: &PlonkParameters) -> Result<VerifierKey, KeyError> {
    let (words, rest) = bytes.as_chunks::<8>();
    let elements = words
        .iter()
        .map(|word| match u64::from_le_bytes(*word) {
            value if value < MODULUS => Ok(PlonkField::from_canonical_u64(value)),
            value => Err(KeyError::NotCanonical { value }),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (hashes, tail) = elements.as_chunks::<4>();
    let (&circuit_digest, cap) = hashes.split_first().ok_or(KeyError::Format)?;
    if !rest.is_empty() || !tail.is_empty() || cap.len() != 1 << parameters.cap_height {
        return Err(KeyError::Format);
    }
    Ok(VerifierKey {
        circuit_digest: HashOut {
            elements: circuit_digest,
        },
        constants_sigmas_cap: MerkleCap(cap.iter().map(|&elements| HashOut { elements }).collect()),
    })
}
