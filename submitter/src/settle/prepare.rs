//! Everything before a transaction is sent: is it settled, would it be, and at what price.

use alloy::eips::BlockId;
use alloy::network::TransactionBuilder as _;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall as _;
use shardfold_settlement::encoding::{head_bytes, head_digest, word};
use shardfold_settlement::queue::is_checkpoint;

use super::sign::{Fees, call_of};
use super::{Order, Prepared, Report, SettleError, Settler};
use crate::checks::{QueueEnd, Refusal, check, check_queue};
use crate::contract::{Standing, check_heads, checkpoint, data_hash};
use crate::gas::{self, BLOB, CAP, MAX_BLOBS};
use crate::journal::{Attempt, Journal};
use crate::logs;

/// Places that the contract has for checkpoints.
const CHECKPOINTS: u64 = 8_192;
/// So many times what blob gas costs now is paid for it at most: it rises by an eighth a block or so.
const ROOM: u128 = 2;

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
            order.check_place(&journal)?;
            if journal.newest().map(call_of).transpose()?.as_ref() == Some(&call) {
                (self.say)("the transaction of the journal is sent again");
            } else {
                (self.say)("the transaction of the journal is replaced: its call is another now");
                self.replace(order, &mut journal, call).await?;
            }
            return Ok(Prepared::Ready(journal));
        }
        let gas = self.gas(order, &call, &standing).await?;
        let nonce = self.nonce(true).await?;
        let attempt = self.sign(order, call, nonce, gas, self.fees(order).await?)?;
        self.check_balance(order, &attempt).await?;
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
        let (found, most) = (order.blobs(), MAX_BLOBS);
        if found > most {
            return Err(Refusal::Blobs { found, most }.into());
        }
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
        self.try_out(order, &data).await?;
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
    async fn try_out(&self, order: &Order, data: &Bytes) -> Result<(), SettleError> {
        let request = self.request(order, data).with_gas_limit(CAP);
        let run = async |provider: &RootProvider| {
            provider
                .call(request.clone())
                .block(BlockId::latest())
                .await
        };
        let result = self.endpoints.read("a trial of the settlement", run).await;
        result.map(|_| ()).map_err(SettleError::Simulation)
    }

    /// The call as a node runs it: of blobs the hashes are enough.
    fn request(&self, order: &Order, data: &Bytes) -> TransactionRequest {
        let request = TransactionRequest::default()
            .with_from(self.signer.address())
            .with_to(self.contract)
            .with_input(data.clone());
        TransactionRequest {
            blob_versioned_hashes: order.hashes(),
            ..request
        }
    }

    /// The gas limit. It is estimated behind the transactions that wait: if one of them settles the
    /// batch, whose journal was lost, say, this is refused.
    async fn gas(
        &self,
        order: &Order,
        data: &Bytes,
        standing: &Standing,
    ) -> Result<u64, SettleError> {
        let request = self.request(order, data);
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

    /// What a unit of gas costs now, and one of blob gas, with room for both to rise.
    pub(super) async fn fees(&self, order: &Order) -> Result<Fees, SettleError> {
        let ask = async |provider: &RootProvider| provider.estimate_eip1559_fees().await;
        let found = self.endpoints.read("the price of gas", ask).await?;
        let (max, most) = (found.max_fee_per_gas, self.options.max_fee);
        if max > most {
            return Err(Refusal::Fee { found: max, most }.into());
        }
        let priority = found.max_priority_fee_per_gas;
        let blob = match order.blobs() {
            0 => None,
            _ => Some(self.blob_fee().await?),
        };
        Ok(Fees {
            max,
            priority,
            blob,
        })
    }

    async fn blob_fee(&self) -> Result<u128, SettleError> {
        let ask = async |provider: &RootProvider| provider.get_blob_base_fee().await;
        let now = self.endpoints.read("the price of blob gas", ask).await?;
        let (found, most) = (now.max(1).saturating_mul(ROOM), self.options.max_blob_fee);
        if found > most {
            return Err(Refusal::BlobFee { found, most }.into());
        }
        Ok(found)
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

    async fn check_balance(&self, order: &Order, attempt: &Attempt) -> Result<(), SettleError> {
        let who = self.signer.address();
        let ask = async |provider: &RootProvider| provider.get_balance(who).await;
        let found = self.endpoints.read("the settler's balance", ask).await?;
        let blob_fee = U256::from(attempt.max_blob_fee.unwrap_or_default());
        let of_blobs = U256::from(order.blobs()) * U256::from(BLOB) * blob_fee;
        let expected = U256::from(attempt.gas) * U256::from(attempt.max_fee) + of_blobs;
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
