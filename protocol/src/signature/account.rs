//! A key with its exit address: all that it takes to own vaults and to spend from them.

use super::{PublicKey, SecretKey, Signature};
use crate::address::Address;
use crate::curve::Scalar;
use crate::field::F;
use crate::hash::Digest;
use crate::transaction::Authorization;

/// A secret key and the base-chain address for which it owns its vaults.
#[derive(Clone, Debug)]
pub struct Account {
    /// Signs.
    pub key: SecretKey,
    /// Where what is owned may leave to without the operator.
    pub exit_address: Address,
}

impl Account {
    /// Account number `index` of a family: [`SecretKey::from_index`] with an exit address made
    /// of seed and index, for generated workloads.
    #[must_use]
    pub fn from_index(seed: u64, index: u64) -> Self {
        let mut bytes = *b"seed....index...exit";
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&index.to_le_bytes());
        Self {
            key: SecretKey::from_index(seed, index),
            exit_address: Address(bytes),
        }
    }

    /// Returns the public key.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Returns the digest by which records on a chain name this owner.
    pub fn owner(&self, chain_id: F) -> Digest {
        self.public_key().owner(chain_id, &self.exit_address)
    }

    /// Signs a message; see [`SecretKey::sign`].
    #[must_use]
    pub fn sign(&self, chain_id: F, message: &Digest) -> Signature {
        self.key.sign(chain_id, &self.exit_address, message)
    }

    /// Returns an authorization of this account.
    #[must_use]
    pub const fn authorization(&self, signature: Signature) -> Authorization {
        Authorization {
            public_key: self.public_key(),
            exit_address: self.exit_address,
            signature,
        }
    }

    /// Returns a signature that holds for no message.
    #[must_use]
    pub const fn no_signature(&self) -> Signature {
        Signature {
            r: self.public_key().0,
            s: Scalar::ZERO,
        }
    }
}
