//! Everything after a transaction is in the journal: it is sent, waited for, and sent again.

use std::time::Instant;

use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::{B256, Bytes};

use super::sign::{Fees, call_of};
use super::{Order, Report, SettleError, Settler};
use crate::checks::Refusal;
use crate::endpoints::EndpointError;
use crate::journal::{Attempt, Journal};
use crate::logs;

/// What was seen of a transaction.
#[derive(Default)]
struct Seen {
    /// The block that it is in.
    block: Option<B256>,
    /// When it was sent.
    sent: Option<Instant>,
    /// How often its nonce was found to be used by another one.
    uses: u32,
}

/// What a look at the chain says.
enum Look {
    /// It is settled, deep enough.
    Settled(Report),
    /// Everything has to be looked at anew, for this reason.
    Changed(&'static str),
    /// Not yet.
    Waits,
}

/// So many looks in a row may get no answer.
const SILENCES: u32 = 150;
/// So often the nonce is found to be used without a receipt, until that is believed.
const LOOKS: u32 = 4;

impl Settler<'_> {
    /// Sends the newest transaction of a journal to all nodes.
    ///
    /// # Errors
    /// If none takes it, nor has it already.
    pub async fn send(&self, order: &Order, journal: &Journal) -> Result<(), SettleError> {
        let Some(attempt) = journal.newest() else {
            return Ok(());
        };
        let (hash, bytes) = (attempt.hash, order.with_blobs(attempt)?);
        let send =
            async |provider: &RootProvider| provider.send_raw_transaction(&bytes).await.map(|_| ());
        let Err(error) = self.endpoints.each("leave to send", send).await else {
            return Ok(());
        };
        // One that a node has already it may refuse.
        let know = async |provider: &RootProvider| provider.get_transaction_by_hash(hash).await;
        let known = self.endpoints.each("the transaction", know).await;
        let is_known = known.is_ok_and(|found| found.iter().any(|(_, known)| known.is_some()));
        match error {
            _ if is_known => Ok(()),
            EndpointError::Silent { said, .. } => Err(SettleError::NotSent { hash, said }),
            other => Err(other.into()),
        }
    }

    /// Waits until a transaction of the journal is deep enough; `None` if the chain has changed so that
    /// everything has to be looked at anew. Nodes that do not answer are waited for.
    pub(super) async fn watch(
        &self,
        order: &Order,
        journal: &mut Journal,
    ) -> Result<Option<Report>, SettleError> {
        let (mut seen, mut silences) = (Seen::default(), 0);
        loop {
            match self.look(order, journal, &mut seen).await {
                Ok(Look::Settled(report)) => return Ok(Some(report)),
                Ok(Look::Changed(why)) => {
                    (self.say)(&format!("{why}: all is checked anew"));
                    return Ok(None);
                }
                Ok(Look::Waits) => silences = 0,
                Err(SettleError::Endpoint(error)) if silences < SILENCES => {
                    if silences == 0 {
                        (self.say)(&format!("waiting for nodes: {error}"));
                    }
                    silences += 1;
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.options.poll).await;
        }
    }

    async fn look(
        &self,
        order: &Order,
        journal: &mut Journal,
        seen: &mut Seen,
    ) -> Result<Look, SettleError> {
        let Some(receipt) = self.receipt(journal).await? else {
            return self.urge(order, journal, seen).await;
        };
        if seen.block != receipt.block_hash {
            seen.block = receipt.block_hash;
            self.say_mined(&receipt);
        }
        if !self.is_deep(&receipt).await? {
            return Ok(Look::Waits);
        }
        done(&receipt).map(Look::Settled)
    }

    /// Sends what is not mined, once, and with a higher fee when that takes too long; finds out if it never
    /// will be mined.
    async fn urge(
        &self,
        order: &Order,
        journal: &mut Journal,
        seen: &mut Seen,
    ) -> Result<Look, SettleError> {
        if seen.block.is_some() {
            let why = "the block of the settlement has left the chain";
            return Ok(Look::Changed(why));
        }
        if self.nonce(false).await? > journal.nonce {
            // A node may count a transaction a moment before it gives the receipt.
            seen.uses += 1;
            let why = "another transaction has used the nonce";
            return Ok(match seen.uses {
                LOOKS => Look::Changed(why),
                _ => Look::Waits,
            });
        }
        match seen.sent {
            Some(at) if at.elapsed() < self.options.patience => return Ok(Look::Waits),
            Some(_) => self.raise(order, journal).await?,
            None => {}
        }
        match self.send(order, journal).await {
            Ok(()) => self.say_sent(journal),
            // One of a lower fee may have been mined meanwhile.
            Err(error) if self.receipt(journal).await?.is_none() => return Err(error),
            Err(_) => {}
        }
        seen.sent = Some(Instant::now());
        Ok(Look::Waits)
    }

    /// The receipt of whichever transaction of the journal was mined, from whichever node has it.
    pub(super) async fn receipt(
        &self,
        journal: &Journal,
    ) -> Result<Option<TransactionReceipt>, SettleError> {
        for Attempt { hash, .. } in journal.attempts.iter().rev() {
            let ask = async |provider: &RootProvider| provider.get_transaction_receipt(*hash).await;
            let found = self.endpoints.each("a receipt", ask).await?;
            let found = found.into_iter().find_map(|(_, receipt)| receipt);
            if let Some(receipt) = found.filter(|receipt| receipt.block_number.is_some()) {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// Whether enough blocks follow that of a receipt, and the chain has that block.
    async fn is_deep(&self, receipt: &TransactionReceipt) -> Result<bool, SettleError> {
        let block = receipt.block_number.unwrap_or_default();
        if logs::newest(self.endpoints).await? < block.saturating_add(self.options.depth) {
            return Ok(false);
        }
        let ask = async |provider: &RootProvider| provider.get_block_by_number(block.into()).await;
        let found = self.endpoints.read("a block", ask).await?;
        Ok(found.is_some_and(|found| Some(found.header.hash) == receipt.block_hash))
    }

    /// Signs the same with a higher fee. Where that is more than is allowed the same bytes are sent
    /// again.
    async fn raise(&self, order: &Order, journal: &mut Journal) -> Result<(), SettleError> {
        let Some(last) = journal.newest() else {
            return Ok(());
        };
        let call = call_of(last)?;
        self.replace(order, journal, call).await
    }

    /// Signs a call with the journal's nonce and higher fees; where one is more than is allowed, what is
    /// in the journal stays.
    pub(super) async fn replace(
        &self,
        order: &Order,
        journal: &mut Journal,
        call: Bytes,
    ) -> Result<(), SettleError> {
        let Some(last) = journal.newest() else {
            return Ok(());
        };
        let now = match self.fees(order).await {
            Ok(fees) => fees,
            Err(SettleError::Refusal(Refusal::Fee { .. } | Refusal::BlobFee { .. })) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let fees = higher(last, now);
        let blob_fee = fees.blob.unwrap_or_default();
        if fees.max > self.options.max_fee || blob_fee > self.options.max_blob_fee {
            (self.say)("a higher fee than allowed would be needed: the same is sent again");
            return Ok(());
        }
        let attempt = self.sign(order, call, journal.nonce, last.gas, fees)?;
        journal.attempts.push(attempt);
        journal.write(&self.journal)?;
        Ok(())
    }

    fn say_sent(&self, journal: &Journal) {
        if let Some(attempt) = journal.newest() {
            let of_blobs = attempt.max_blob_fee;
            let of_blobs = of_blobs.map(|fee| format!(", blob gas at {fee} wei"));
            (self.say)(&format!(
                "sent {}: nonce {}, at most {} gas at {} wei{}",
                attempt.hash,
                journal.nonce,
                attempt.gas,
                attempt.max_fee,
                of_blobs.unwrap_or_default()
            ));
        }
    }

    fn say_mined(&self, receipt: &TransactionReceipt) {
        (self.say)(&format!(
            "{} is in block {}, {} gas; waiting for {} blocks after it",
            receipt.transaction_hash,
            receipt.block_number.unwrap_or_default(),
            receipt.gas_used,
            self.options.depth
        ));
    }
}

/// The fees with which nodes let a transaction take another's place: a tenth more of each, or twice as
/// much if it has blobs; or what they are now, if that is more.
fn higher(last: &Attempt, now: Fees) -> Fees {
    let more = |fee: u128| match last.max_blob_fee {
        Some(_) => fee.saturating_mul(2).saturating_add(1),
        None => fee + fee / 8 + 1,
    };
    Fees {
        max: more(last.max_fee).max(now.max),
        priority: more(last.priority_fee).max(now.priority),
        blob: last.max_blob_fee.map(more).max(now.blob),
    }
}

fn done(receipt: &TransactionReceipt) -> Result<Report, SettleError> {
    if receipt.status() {
        return Ok(Report::own(receipt));
    }
    Err(SettleError::Failed {
        hash: receipt.transaction_hash,
        block: receipt.block_number.unwrap_or_default(),
        gas: receipt.gas_used,
    })
}
