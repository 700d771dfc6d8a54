//! A key with its exit address: all that it takes to own vaults and to spend from them.

use super::{PublicKey, SecretKey, Signature};
use crate::address::Address;
use crate::curve::Scalar;
use crate::field::F;
use crate::hash::Digest;
use crate::transaction::{Signed, Transaction};

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

    /// Returns a body with this key, its exit address and a signature.
    #[must_use]
    pub const fn signed<T>(&self, body: T, signature: Signature) -> Signed<T> {
        Signed {
            body,
            public_key: self.public_key(),
            exit_address: self.exit_address,
            signature,
        }
    }

    /// Returns the transaction of a body, signed; `message` says what must be signed of it, whose
    /// signature is of nothing yet.
    pub fn sign_transaction<T: Copy>(
        &self,
        chain_id: F,
        body: T,
        message: impl FnOnce(&Transaction) -> Digest,
    ) -> Transaction
    where
        Transaction: From<Signed<T>>,
    {
        // Holds for no message.
        let idle = Signature {
            r: self.public_key().0,
            s: Scalar::ZERO,
        };
        let message = message(&self.signed(body, idle).into());
        self.signed(body, self.sign(chain_id, &message)).into()
    }
}
