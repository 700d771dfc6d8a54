//! Everything before a transaction is sent: is it settled, would it be, and at what price.

use alloy::consensus::{SignableTransaction as _, Transaction as _, TxEip1559, TxEnvelope};
use alloy::eips::BlockId;
use alloy::eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy::network::TransactionBuilder as _;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync as _;
use alloy_primitives::{Bytes, TxKind, U256};
use alloy_sol_types::SolCall as _;
use shardfold_settlement::encoding::{head_bytes, head_digest, word};
use shardfold_settlement::queue::is_checkpoint;

use super::{Order, Prepared, Report, SettleError, Settler};
use crate::checks::{QueueEnd, Refusal, check, check_queue};
use crate::contract::{Standing, check_heads, checkpoint, data_hash};
use crate::gas::{self, CAP, MAX_BYTES};
use crate::journal::{Attempt, Journal};
use crate::logs;

/// Places that the contract has for checkpoints.
const CHECKPOINTS: u64 = 8_192;

/// What a unit of gas may cost, in wei.
#[derive(Clone, Copy)]
pub(super) struct Fees {
    pub max: u128,
    pub priority: u128,
}

impl Settler<'_> {
    /// Finds out what there is to do, and writes the transaction to the journal if one is to be sent.
    /// Nothing is sent.
    ///
    /// # Errors
    /// Whatever the contract would refuse; nodes that do not answer or do not agree; a journal that
    /// cannot be kept.
    pub async fn prepare(&self, order: &Order) -> Result<Prepared, SettleError> {
        let subject = self.subject(order);
        let journal = Journal::read(&self.journal, &subject)?;
        if let Some(journal) = &journal {
            match self.receipt(journal).await? {
                Some(receipt) if receipt.status() => return Ok(Prepared::Ready(journal.clone())),
                Some(_) => (self.say)("a transaction of the journal has failed: a new one is made"),
                None => {}
            }
        }
        let standing = match self.settled_or_standing(order).await? {
            Ok(report) => return Ok(Prepared::Settled(report)),
            Err(standing) => standing,
        };
        let call = self.check(order, &standing).await?;
        if let Some(mut journal) = journal.filter(|journal| !journal.attempts.is_empty())
            && self.nonce(false).await? <= journal.nonce
        {
            if journal.newest().map(input).transpose()?.as_ref() == Some(&call) {
                (self.say)("the transaction of the journal is sent again");
            } else {
                (self.say)("the transaction of the journal is replaced: its call is another now");
                self.replace(&mut journal, call).await?;
            }
            return Ok(Prepared::Ready(journal));
        }
        let gas = self.gas(&call, &standing).await?;
        let nonce = self.nonce(true).await?;
        let attempt = self.sign(call, nonce, gas, self.fees().await?)?;
        self.check_balance(&attempt).await?;
        let journal = Journal {
            subject,
            nonce,
            attempts: vec![attempt],
        };
        journal.write(&self.journal)?;
        Ok(Prepared::Ready(journal))
    }

    /// The settlement of the batch, once it is deep enough; or where the contract stands without one.
    async fn settled_or_standing(
        &self,
        order: &Order,
    ) -> Result<Result<Report, Standing>, SettleError> {
        let mut is_told = false;
        loop {
            let standing = Standing::read(self.endpoints, self.contract, 0).await?;
            let Some(report) = self.settled(order, &standing).await? else {
                return Ok(Err(standing));
            };
            if logs::newest(self.endpoints).await?
                >= report.block.saturating_add(self.options.depth)
            {
                return Ok(Ok(report));
            }
            if !is_told {
                (self.say)(&format!(
                    "the batch is settled in block {}: waiting for {} blocks after it",
                    report.block, self.options.depth
                ));
                is_told = true;
            }
            tokio::time::sleep(self.options.poll).await;
        }
    }

    /// The settlement of the batch, if there is one.
    async fn settled(
        &self,
        order: &Order,
        standing: &Standing,
    ) -> Result<Option<Report>, SettleError> {
        if standing.batches == 0 || standing.head == head_digest(&order.statement.before) {
            return Ok(None);
        }
        let head = head_bytes(&order.statement.after);
        let log = logs::settlement_to(self.endpoints, self.contract, &head).await?;
        Ok(log.as_ref().map(Report::of_log))
    }

    /// Checks all that the contract would; returns the call's bytes.
    async fn check(&self, order: &Order, standing: &Standing) -> Result<Bytes, SettleError> {
        check(&order.statement, standing, self.signer.address())?;
        check_heads(self.endpoints, self.contract).await?;
        self.check_verifier(order, standing).await?;
        let mut call = order.call.clone();
        match check_queue(&order.statement, standing)? {
            QueueEnd::Checkpoint => {
                call.place = U256::from(self.checkpoint(order, standing).await?);
            }
            // The contract looks at the place only if an item arrives before the settlement.
            _ if !order.has_place => call.place = U256::from(next_place(standing)),
            _ => {}
        }
        let data = Bytes::from(call.abi_encode());
        self.try_out(&data).await?;
        Ok(data)
    }

    async fn check_verifier(&self, order: &Order, standing: &Standing) -> Result<(), SettleError> {
        let Some(expected) = order.verifier else {
            return Ok(());
        };
        let verifier = standing.verifier;
        let found = match data_hash(self.endpoints, verifier).await {
            Ok(found) if found == expected => return Ok(()),
            Ok(found) => found.to_string(),
            Err(error) => error.to_string(),
        };
        Err(SettleError::Refusal(Refusal::Verifier {
            verifier,
            found,
            expected,
        }))
    }

    /// The place of the checkpoint at which the batch ends.
    async fn checkpoint(&self, order: &Order, standing: &Standing) -> Result<u64, SettleError> {
        let (after, taken) = (&order.statement.after, order.statement.before.queue_count);
        let (found, count) = (after.queue_count, standing.queue.count.to());
        let places = if order.has_place {
            vec![order.call.place.saturating_to()]
        } else {
            let (newest, contract) = (standing.block, self.contract);
            let all = logs::checkpoints(self.endpoints, contract, newest, taken).await?;
            let ours = all.into_iter().filter(|(_, count)| *count == found);
            ours.map(|(place, _)| place).collect()
        };
        for place in places {
            let stored = checkpoint(self.endpoints, self.contract, place).await?;
            if is_checkpoint(stored, found, word(&after.queue_commitment)) {
                return Ok(place);
            }
        }
        Err(Refusal::NoCheckpoint { found, count }.into())
    }

    /// Lets a node run the call without sending it, on the newest block.
    async fn try_out(&self, data: &Bytes) -> Result<(), SettleError> {
        let request = self.request(data).with_gas_limit(CAP);
        let run = async |provider: &RootProvider| {
            provider
                .call(request.clone())
                .block(BlockId::latest())
                .await
        };
        let result = self.endpoints.read("a trial of the settlement", run).await;
        result.map(|_| ()).map_err(SettleError::Simulation)
    }

    fn request(&self, data: &Bytes) -> TransactionRequest {
        TransactionRequest::default()
            .with_from(self.signer.address())
            .with_to(self.contract)
            .with_input(data.clone())
    }

    /// The gas limit. It is estimated behind the transactions that wait: if one of them settles the
    /// batch, whose journal was lost, say, this is refused.
    async fn gas(&self, data: &Bytes, standing: &Standing) -> Result<u64, SettleError> {
        let request = self.request(data);
        let ask = async |provider: &RootProvider| {
            let pending = BlockId::pending();
            provider.estimate_gas(request.clone()).block(pending).await
        };
        let estimate = self.endpoints.read("an estimate of the gas", ask).await;
        let estimate = estimate.map_err(SettleError::Simulation)?;
        Ok(gas::limit(
            estimate,
            gas::floor(data, standing.is_amsterdam),
        )?)
    }

    /// What a unit of gas costs now, with room for it to rise.
    pub(super) async fn fees(&self) -> Result<Fees, SettleError> {
        let ask = async |provider: &RootProvider| provider.estimate_eip1559_fees().await;
        let found = self.endpoints.read("the price of gas", ask).await?;
        let (max, most) = (found.max_fee_per_gas, self.options.max_fee);
        if max > most {
            return Err(Refusal::Fee { found: max, most }.into());
        }
        let priority = found.max_priority_fee_per_gas;
        Ok(Fees { max, priority })
    }

    /// How many transactions of the settler are mined, or also those that wait.
    pub(super) async fn nonce(&self, with_pending: bool) -> Result<u64, SettleError> {
        let who = self.signer.address();
        let ask = async |provider: &RootProvider| {
            let count = provider.get_transaction_count(who);
            if with_pending {
                count.pending().await
            } else {
                count.latest().await
            }
        };
        Ok(self.endpoints.read("the settler's nonce", ask).await?)
    }

    /// Signs the call.
    pub(super) fn sign(
        &self,
        input: Bytes,
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<Attempt, SettleError> {
        let transaction = TxEip1559 {
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
        let signature = self.signer.sign_hash_sync(&transaction.signature_hash());
        let signature = signature.map_err(|error| SettleError::Sign(error.to_string()))?;
        let signed = TxEnvelope::from(transaction.into_signed(signature));
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
        })
    }

    async fn check_balance(&self, attempt: &Attempt) -> Result<(), SettleError> {
        let who = self.signer.address();
        let ask = async |provider: &RootProvider| provider.get_balance(who).await;
        let found = self.endpoints.read("the settler's balance", ask).await?;
        let expected = U256::from(attempt.gas) * U256::from(attempt.max_fee);
        if found < expected {
            return Err(Refusal::Balance {
                who,
                found,
                expected,
            }
            .into());
        }
        Ok(())
    }
}

/// The bytes of the call that an attempt sends.
pub(super) fn input(attempt: &Attempt) -> Result<Bytes, SettleError> {
    let decoded = TxEnvelope::decode_2718(&mut attempt.raw.as_ref());
    let decoded = decoded.map_err(|error| SettleError::Sign(error.to_string()))?;
    Ok(decoded.input().clone())
}

/// Where the contract has the checkpoint of all items, or will have it when the next one arrives.
fn next_place(standing: &Standing) -> u64 {
    let queue = &standing.queue;
    let made: u64 = queue.checkpoints.into();
    let number = match queue.atCheckpoint == queue.count {
        true => made.saturating_sub(1),
        false => made,
    };
    number % CHECKPOINTS
}
