//! The hashes of many transactions at once, kind by kind, in the lanes of SIMD registers.

use super::{Deposit, Digests, Transaction, Transfer, Withdraw};
use crate::field::F;
use crate::hash::{Digest, Domain, ZERO_DIGEST, hash_many};

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
    with_payloads(
        deposits,
        [Domain::DepositPayload, Domain::Deposit],
        |deposit| deposit.payload_message(chain_id),
        Deposit::message,
    )
}

fn of_withdrawals(withdrawals: &[&Withdraw], chain_id: F) -> Vec<Digests> {
    with_payloads(
        withdrawals,
        [Domain::WithdrawPayload, Domain::Withdraw],
        |withdraw| withdraw.payload_message(chain_id),
        Withdraw::message,
    )
}

/// Transactions whose payload is hashed first, and its digest in their own message.
fn with_payloads<T, const N: usize, const M: usize>(
    transactions: &[&T],
    [payload_domain, domain]: [Domain; 2],
    payload_message: impl Fn(&T) -> [F; N],
    message: impl Fn(&T, &Digest) -> [F; M],
) -> Vec<Digests> {
    let each = transactions.iter();
    let messages: Vec<_> = each.map(|each| payload_message(each)).collect();
    let payloads = hash_many(payload_domain, &messages);
    let each = transactions.iter().zip(&payloads);
    let messages: Vec<_> = each.map(|(each, payload)| message(each, payload)).collect();
    let digests = hash_many(domain, &messages).into_iter().zip(payloads);
    let digests = digests.map(|(transaction, payload)| Digests {
        transaction,
        payload,
    });
    digests.collect()
}
