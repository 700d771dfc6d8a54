//! Small shards for the tests of the rule chips: real transactions, signed, with the traces
//! of the five chips that the rules consist of.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::address::Address;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::transaction::{
    Deposit, FeePayment, Signed, Transaction, Transfer, Withdraw,
};
use shardfold_protocol::witness::ShardWitness;

use super::deposit::DepositChip;
use super::fee::FeeChip;
use super::ledger::LedgerChip;
use super::transfer::TransferChip;
use super::withdraw::WithdrawChip;
use super::{Chip, deposit, fee, ledger, transfer, withdraw};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{ChipTrace, report};
use crate::witness_rows::{WitnessRows, witness_rows};
use shardfold_protocol::field::F;

/// The chain of the fixtures.
pub const CHAIN_ID: u64 = 7;
/// Their asset.
pub const ASSET: Asset = 3;
/// Another asset.
pub const OTHER_ASSET: Asset = 4;
/// Vaults of [`ASSET`] that belong to the keys 0, 1 and 2.
pub const ALICE: Index = 10;
/// See [`ALICE`].
pub const BOB: Index = 11;
/// The operator's vault.
pub const OPERATOR: Index = 0xffff_ffff;
/// An empty leaf.
pub const VACANT: Index = 20;
/// A vault of [`OTHER_ASSET`] that belongs to key 1.
pub const FOREIGN: Index = 30;
/// Deposits taken before the fixtures' shards.
pub const DEPOSITS_BEFORE: u64 = 5;
/// Seconds that pass in the fixtures' shards: both limbs are used.
pub const ELAPSED: u64 = 3 * (1 << 16) + 5;
/// The nonce of [`ALICE`]'s vault.
pub const ALICE_NONCE: u64 = 41;

/// One of the fixtures' keys.
pub fn key(number: u64) -> Account {
    Account::from_index(1, number)
}

/// The owner digest of one of the fixtures' keys.
pub fn owner(number: u64) -> Digest {
    key(number).owner(F::from_u64(CHAIN_ID))
}

/// A vault with a million, at some nonce.
fn vault(number: u64, asset: Asset, nonce: u64) -> Record {
    Record::from(Vault {
        owner: owner(number),
        asset,
        balance: 1_000_000,
        nonce,
    })
}

/// Every record that a fixture may touch.
fn records() -> Vec<(Index, Record)> {
    vec![
        (ALICE, vault(0, ASSET, ALICE_NONCE)),
        (BOB, vault(1, ASSET, 6)),
        (VACANT, Record::EMPTY),
        (FOREIGN, vault(1, OTHER_ASSET, 0)),
        (OPERATOR, vault(2, ASSET, 9)),
    ]
}

/// From Alice's vault to Bob's.
pub fn to_bob(amount: u64, fee: u64, nonce: u64) -> Transfer {
    Transfer {
        from: ALICE,
        to: BOB,
        to_owner: owner(1),
        asset: ASSET,
        amount,
        fee: operator(fee),
        nonce,
    }
}

/// A fee to the operator's vault.
pub const fn operator(amount: u64) -> FeePayment {
    FeePayment {
        amount,
        vault: OPERATOR,
    }
}

/// Into Bob's vault.
pub fn deposit(to: Index, amount: u64, fee: u64, nonce: u64) -> Deposit {
    Deposit {
        to,
        owner: owner(1),
        asset: ASSET,
        amount,
        fee: operator(fee),
        nonce,
    }
}

/// Out of Alice's vault.
pub fn withdraw(amount: u64, fee: u64, nonce: u64) -> Withdraw {
    Withdraw {
        from: ALICE,
        asset: ASSET,
        amount,
        fee: operator(fee),
        nonce,
        base_chain: 1,
        address: Address(core::array::from_fn(|i| i as u8 + 1)),
    }
}

/// A transfer signed by a key.
pub fn signed_transfer(body: Transfer, signer: u64) -> Transaction {
    let message = body.digest(F::from_u64(CHAIN_ID));
    Transaction::Transfer(signed(body, signer, &message))
}

/// A withdrawal signed by a key.
pub fn signed_withdraw(body: Withdraw, signer: u64) -> Transaction {
    let payload = body.payload(F::from_u64(CHAIN_ID));
    let message = body.digest_with(&payload, shardfold_protocol::hash::compress_block);
    Transaction::Withdraw(signed(body, signer, &message))
}

fn signed<T>(body: T, signer: u64, message: &Digest) -> Signed<T> {
    let signature = key(signer).sign(F::from_u64(CHAIN_ID), message);
    key(signer).signed(body, signature)
}

/// One of everything, on few vaults: opens a vault, adds to it, touches Alice's vault in
/// every transaction but the second.
pub fn mixed() -> Vec<Transaction> {
    let open = Transfer {
        to: VACANT,
        ..to_bob(100, 0, ALICE_NONCE)
    };
    vec![
        signed_transfer(open, 0),
        Transaction::Deposit(deposit(VACANT, 250, 3, DEPOSITS_BEFORE)),
        signed_withdraw(withdraw(70, 2, ALICE_NONCE + 1), 0),
        signed_transfer(to_bob(30, 1, ALICE_NONCE + 2), 0),
    ]
}

/// A shard with the traces of ledger, rules and fee.
#[derive(Clone, Debug)]
pub struct Shard {
    /// What is proven.
    pub witness: ShardWitness,
    /// What its transactions do.
    pub rows: WitnessRows,
    /// The transactions in order.
    pub ledger: ChipTrace,
    /// The transfers.
    pub transfer: ChipTrace,
    /// The deposits.
    pub deposit: ChipTrace,
    /// The withdrawals.
    pub withdraw: ChipTrace,
    /// The credit of fees.
    pub fee: ChipTrace,
    /// What the five chips ask of others.
    pub events: LookupEvents,
}

/// A witness of at most four transactions over the fixtures' records.
pub fn witness(transactions: Vec<Transaction>) -> ShardWitness {
    let before = Head {
        state_root: core::array::from_fn(|i| F::from_usize(100 + i)),
        tx_count: 1_000,
        time: 5_000_000_000,
        queue_count: DEPOSITS_BEFORE,
        queue_commitment: core::array::from_fn(|i| F::from_usize(300 + i)),
        withdrawal_count: 13,
        withdrawal_commitment: core::array::from_fn(|i| F::from_usize(350 + i)),
        data_commitment: core::array::from_fn(|i| F::from_usize(370 + i)),
        tx_commitment: core::array::from_fn(|i| F::from_usize(200 + i)),
    };
    let mut after = Head {
        state_root: core::array::from_fn(|i| F::from_usize(400 + i)),
        time: before.time + ELAPSED,
        ..before
    };
    for transaction in &transactions {
        let digests = transaction.digests(F::from_u64(CHAIN_ID));
        after.extend(after.time, transaction.kind(), &digests);
    }
    ShardWitness {
        shape: Shape::TINY,
        statement: Statement {
            chain_id: CHAIN_ID,
            before,
            after,
        },
        transactions,
        records: records(),
        siblings: vec![],
    }
}

impl Shard {
    /// The shard of these transactions, over tables of four rows.
    pub fn of(transactions: Vec<Transaction>) -> Self {
        Self::with_log_height(transactions, 2).expect("the fixture can be generated")
    }

    /// The shard of these transactions, over tables of `2^log_height` rows.
    pub fn with_log_height(
        transactions: Vec<Transaction>,
        log_height: usize,
    ) -> Result<Self, TraceError> {
        Self::play(witness(transactions), log_height)
    }

    /// The traces of a witness, over tables of `2^log_height` rows.
    pub fn play(witness: ShardWitness, log_height: usize) -> Result<Self, TraceError> {
        let rows = witness_rows(&witness)?;
        let id = F::from_u64(witness.statement.chain_id);
        let asks = &mut LookupEvents::default();
        let Statement { before, after, .. } = &witness.statement;
        let ledger = ledger::generate(&rows.ledger, before, after.time, log_height, asks)?;
        let transfer = transfer::generate(&rows.transfers, id, log_height, asks)?;
        let deposit = deposit::generate(&rows.deposits, id, log_height, asks)?;
        let withdraw = withdraw::generate(&rows.withdraws, id, log_height, asks)?;
        let fee = fee::generate(&rows.fees, log_height, asks)?;
        let rule = |chip, trace| ChipTrace::with_public_values(chip, trace, vec![id]);
        Ok(Self {
            ledger: ChipTrace::with_public_values(
                Chip::Ledger(LedgerChip),
                ledger,
                witness.statement.elements().to_vec(),
            ),
            transfer: rule(Chip::Transfer(TransferChip), transfer),
            deposit: rule(Chip::Deposit(DepositChip), deposit),
            withdraw: rule(Chip::Withdraw(WithdrawChip), withdraw),
            fee: ChipTrace::new(Chip::Fee(FeeChip), fee),
            events: core::mem::take(asks),
            witness,
            rows,
        })
    }

    /// All five chips.
    pub fn chips(&self) -> [ChipTrace; 5] {
        [
            self.ledger.clone(),
            self.transfer.clone(),
            self.deposit.clone(),
            self.withdraw.clone(),
            self.fee.clone(),
        ]
    }
}

/// Changing any one cell of a row breaks a constraint or changes a message.
pub fn no_cell_is_free(chip: &ChipTrace, row: usize) {
    let honest = report(std::slice::from_ref(chip));
    for column in 0..chip.trace.width {
        let mut mutated = chip.clone();
        *mutated.cell_mut(row, column) += F::ONE;
        assert_ne!(report(&[mutated]), honest, "column {column} is free");
    }
}

/// Overwrites some cells of the first row.
pub fn set_cells(chip: &mut ChipTrace, columns: &[usize], values: &[F]) {
    for (&column, &value) in columns.iter().zip(values) {
        *chip.cell_mut(0, column) = value;
    }
}

/// What limbs of 16 bits stand for.
pub fn value_of(limbs: &[F]) -> F {
    let limbs = limbs.iter().rev();
    limbs.fold(F::ZERO, |sum, &limb| sum * F::from_u32(1 << 16) + limb)
}

/// The limbs of which one alone holds `value`.
pub fn in_limb(value: F, position: usize) -> [F; 4] {
    let unit = F::from_u32(1 << 16).exp_u64(position as u64);
    core::array::from_fn(|i| match i == position {
        true => value * unit.inverse(),
        false => F::ZERO,
    })
}

/// Limbs of a fee of -5, each of which one range check alone refuses.
pub fn negative_fees() -> [[F; 4]; 3] {
    [0, 1, 2].map(|position| in_limb(-F::from_u8(5), position))
}

/// Limbs of what is no amount, each of which one range check alone refuses: -5 in each of
/// the lower limbs, a top limb that is not in range itself but four times it is, and one of
/// which it is the other way round.
pub fn no_amounts() -> [[F; 4]; 5] {
    let quarter = F::from_u64(F::ORDER_U64 / 4 + 1);
    assert!((quarter * F::from_u8(4)).as_canonical_u64() < 1 << 16);
    let [first, second, third] = negative_fees();
    let top = |limb| [F::ZERO, F::ZERO, F::ZERO, limb];
    [
        first,
        second,
        third,
        top(quarter),
        top(F::from_u32(1 << 14)),
    ]
}
