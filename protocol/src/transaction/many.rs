//! The hashes of many transactions at once, kind by kind, in the lanes of SIMD registers.

use super::{Deposit, Digests, Transaction, Transfer, Withdraw};
use crate::field::F;
use crate::hash::{Domain, ZERO_DIGEST, hash_many};

/// [`Transaction::digests`] of each transaction.
#[must_use]
pub fn digests_of(transactions: &[Transaction], chain_id: F) -> Vec<Digests> {
    let (mut transfers, mut deposits, mut withdrawals) = (vec![], vec![], vec![]);
    for transaction in transactions {
        match transaction {
            Transaction::Transfer(signed) => transfers.push(&signed.body),
            Transaction::Deposit(deposit) => deposits.push(deposit),
            Transaction::Withdraw(signed) => withdrawals.push(&signed.body),
        }
    }
    let mut transfers = of_transfers(&transfers, chain_id).into_iter();
    let mut deposits = of_deposits(&deposits, chain_id).into_iter();
    let mut withdrawals = of_withdrawals(&withdrawals, chain_id).into_iter();
    let next = |transaction: &Transaction| match transaction {
        Transaction::Transfer(_) => transfers.next(),
        Transaction::Deposit(_) => deposits.next(),
        Transaction::Withdraw(_) => withdrawals.next(),
    };
    transactions.iter().filter_map(next).collect()
}

fn of_transfers(transfers: &[&Transfer], chain_id: F) -> Vec<Digests> {
    let messages: Vec<_> = transfers
        .iter()
        .map(|transfer| transfer.message(chain_id))
        .collect();
    let digests = hash_many(Domain::Transfer, &messages).into_iter();
    digests
        .map(|transaction| Digests {
            transaction,
            payload: ZERO_DIGEST,
        })
        .collect()
}

fn of_deposits(deposits: &[&Deposit], chain_id: F) -> Vec<Digests> {
    let messages: Vec<_> = deposits
        .iter()
        .map(|deposit| deposit.payload_message(chain_id))
        .collect();
    let payloads = hash_many(Domain::DepositPayload, &messages);
    let messages: Vec<_> = deposits
        .iter()
        .zip(&payloads)
        .map(|(deposit, payload)| deposit.message(payload))
        .collect();
    let digests = hash_many(Domain::Deposit, &messages).into_iter();
    digests
        .zip(payloads)
        .map(|(transaction, payload)| Digests {
            transaction,
            payload,
        })
        .collect()
}

fn of_withdrawals(withdrawals: &[&Withdraw], chain_id: F) -> Vec<Digests> {
    let messages: Vec<_> = withdrawals
        .iter()
        .map(|withdraw| withdraw.payload_message(chain_id))
        .collect();
    let payloads = hash_many(Domain::WithdrawPayload, &messages);
    let messages: Vec<_> = withdrawals
        .iter()
        .zip(&payloads)
        .map(|(withdraw, payload)| withdraw.message(payload))
        .collect();
    let digests = hash_many(Domain::Withdraw, &messages).into_iter();
    digests
        .zip(payloads)
        .map(|(transaction, payload)| Digests {
            transaction,
            payload,
        })
        .collect()
}
