//! Transactions as they are signed, and as they are sent: without blobs those of EIP-1559, with blobs
//! those of EIP-4844, beside which the blobs and the proofs of their cells go (EIP-7594).

use alloy::consensus::{
    SignableTransaction, Signed, Transaction as _, TxEip1559, TxEip4844, TxEip4844Variant,
    TxEnvelope,
};
use alloy::eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy::eips::eip4844::{Blob, Bytes48};
use alloy::eips::eip7594::{BlobTransactionSidecarEip7594, BlobTransactionSidecarVariant};
use alloy::signers::SignerSync as _;
use alloy_primitives::{B256, Bytes, Signature, TxKind, U256};
use shardfold_settlement::data::{DataMode, Publication, PublicationError};

use super::{Order, SettleError, Settler};
use crate::checks::Refusal;
use crate::gas::MAX_BYTES;
use crate::journal::{Attempt, Journal};

/// Blobs, their commitments and the proofs of their cells.
pub(super) type Sidecar = BlobTransactionSidecarEip7594;

/// What a unit of gas may cost, in wei.
#[derive(Clone, Copy)]
pub(super) struct Fees {
    pub max: u128,
    pub priority: u128,
    /// A unit of blob gas, if there are blobs.
    pub blob: Option<u128>,
}

/// What goes beside a transaction; nothing if nothing is published in blobs.
pub(super) fn sidecar(publication: &Publication) -> Result<Option<Sidecar>, PublicationError> {
    if publication.blobs().is_empty() {
        return Ok(None);
    }
    let blobs = publication.blobs().iter();
    let commitments = publication.commitments().iter();
    let proofs = publication.cell_proofs()?;
    Ok(Some(Sidecar::new(
        blobs.map(|blob| Blob::from_slice(blob)).collect(),
        commitments.map(Bytes48::from).collect(),
        proofs.iter().map(Bytes48::from).collect(),
    )))
}

impl Order {
    /// How many blobs it has.
    pub(super) fn blobs(&self) -> usize {
        self.sidecar.as_ref().map_or(0, |all| all.blobs.len())
    }

    /// The hashes of its blobs, if it has some.
    pub(super) fn hashes(&self) -> Option<Vec<B256>> {
        let sidecar = self.sidecar.as_ref()?;
        Some(sidecar.versioned_hashes().collect())
    }

    /// Makes sure that a journal's transactions publish where this does.
    pub(super) fn check_place(&self, journal: &Journal) -> Result<(), SettleError> {
        let name = |has_blobs: bool| match has_blobs {
            true => DataMode::Blobs.name(),
            false => DataMode::Calldata.name(),
        };
        for attempt in &journal.attempts {
            let (found, expected) = (attempt.max_blob_fee.is_some(), self.sidecar.is_some());
            if found != expected {
                return Err(SettleError::OtherData {
                    hash: attempt.hash,
                    found: name(found),
                    expected: name(expected),
                });
            }
        }
        Ok(())
    }

    /// The bytes of an attempt as nodes take them.
    pub(super) fn with_blobs(&self, attempt: &Attempt) -> Result<Bytes, SettleError> {
        let Some(sidecar) = &self.sidecar else {
            return Ok(attempt.raw.clone());
        };
        let envelope = decode(attempt)?;
        let TxEnvelope::Eip4844(signed) = envelope else {
            return Err(SettleError::Sign("it has no blobs".to_owned()));
        };
        let (transaction, signature, hash) = signed.into_parts();
        let sidecar = BlobTransactionSidecarVariant::from(sidecar.clone());
        let transaction = TxEip4844::from(transaction).with_sidecar(sidecar);
        let transaction = TxEip4844Variant::TxEip4844WithSidecar(transaction);
        let whole = TxEnvelope::from(Signed::new_unchecked(transaction, signature, hash));
        Ok(whole.encoded_2718().into())
    }
}

impl Settler<'_> {
    /// Signs the call.
    pub(super) fn sign(
        &self,
        order: &Order,
        input: Bytes,
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<Attempt, SettleError> {
        let plain = TxEip1559 {
            chain_id: self.endpoints.chain_id(),
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.priority,
            to: TxKind::Call(self.contract),
            value: U256::ZERO,
            access_list: Default::default(),
            input,
        };
        let signed = match (order.hashes(), fees.blob) {
            (Some(hashes), Some(fee)) => self.signed(self.blob_transaction(plain, hashes, fee))?,
            _ => self.signed(plain)?,
        };
        let raw = Bytes::from(signed.encoded_2718());
        if raw.len() > MAX_BYTES {
            let (found, most) = (raw.len(), MAX_BYTES);
            return Err(Refusal::Size { found, most }.into());
        }
        Ok(Attempt {
            hash: *signed.tx_hash(),
            raw,
            gas,
            max_fee: fees.max,
            priority_fee: fees.priority,
            max_blob_fee: fees.blob,
        })
    }

    fn blob_transaction(&self, plain: TxEip1559, hashes: Vec<B256>, fee: u128) -> TxEip4844 {
        TxEip4844 {
            chain_id: plain.chain_id,
            nonce: plain.nonce,
            gas_limit: plain.gas_limit,
            max_fee_per_gas: plain.max_fee_per_gas,
            max_priority_fee_per_gas: plain.max_priority_fee_per_gas,
            to: self.contract,
            value: plain.value,
            access_list: plain.access_list,
            blob_versioned_hashes: hashes,
            max_fee_per_blob_gas: fee,
            input: plain.input,
        }
    }

    fn signed<T>(&self, transaction: T) -> Result<TxEnvelope, SettleError>
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<Signed<T>>,
    {
        let signature = self.signer.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|error| SettleError::Sign(error.to_string()))?;
        Ok(transaction.into_signed(signature).into())
    }
}

/// The bytes of the call that an attempt sends.
pub(super) fn call_of(attempt: &Attempt) -> Result<Bytes, SettleError> {
    Ok(decode(attempt)?.input().clone())
}

fn decode(attempt: &Attempt) -> Result<TxEnvelope, SettleError> {
    let decoded = TxEnvelope::decode_2718(&mut attempt.raw.as_ref());
    decoded.map_err(|error| SettleError::Sign(error.to_string()))
}
