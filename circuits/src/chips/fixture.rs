//! Small shards for the tests of the transaction table: real transactions of the standard
//! contracts and of those that only tests have, with the traces of the table and the fee chip.

use std::sync::LazyLock;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_matrix::dense::RowMajorMatrix;
use shardfold_contracts::deposit::Deposit;
use shardfold_contracts::exit::Exit;
use shardfold_contracts::layout::prefix;
use shardfold_contracts::readings::Authority;
use shardfold_contracts::testing::with_tests;
use shardfold_contracts::transfer::Transfer;
use shardfold_contracts::withdraw::Withdraw;
use shardfold_contracts::{Body as _, Contracts, FeePayment};
use shardfold_protocol::address::Address;
use shardfold_protocol::difference::{changes, encode, extend_data};
use shardfold_protocol::hash::Digest;
use shardfold_protocol::head::{Head, Statement};
use shardfold_protocol::record::{Asset, Index, Record, Vault};
use shardfold_protocol::shape::Shape;
use shardfold_protocol::signature::Account;
use shardfold_protocol::witness::ShardWitness;

pub mod defi;
pub mod lending;

use super::fee::FeeChip;
use super::muldiv::MulDivChip;
use super::record::TouchedRecord;
use super::transaction::{Body, Table};
use super::transaction::{TransactionChip, TransactionRows};
use super::vault::VaultChip;
use super::{Chip, fee, muldiv, transaction, vault};
use crate::error::TraceError;
use crate::lookup_events::LookupEvents;
use crate::testing::{ChipTrace, report};
use shardfold_protocol::field::F;

/// The chain of the fixtures.
pub const CHAIN_ID: u64 = 7;
/// Their asset.
pub const ASSET: Asset = 3;
/// Another asset.
pub const OTHER_ASSET: Asset = 4;
/// An asset that the base chain does not number.
pub const SHARE: u64 = 1 << 32;
/// Vaults of [`ASSET`] that belong to the keys 0, 1 and 2.
pub const ALICE: Index = 10;
/// See [`ALICE`].
pub const BOB: Index = 11;
/// The operator's vault.
pub const OPERATOR: Index = 0xffff_ffff;
/// An empty leaf.
pub const VACANT: Index = 20;
/// Another one.
pub const POT: Index = 21;
/// A vault of [`OTHER_ASSET`] that belongs to key 1.
pub const FOREIGN: Index = 30;
/// A vault of [`SHARE`] that belongs to key 1.
pub const SHARES: Index = 31;
/// Items taken from the queue before the fixtures' shards.
pub const DEPOSITS_BEFORE: u64 = 5;
/// The nonce of [`ALICE`]'s vault.
pub const ALICE_NONCE: u64 = 41;
/// The time before the fixtures' batches.
pub const BEFORE: u64 = 5_000_000_000;
/// Seconds that pass in the fixtures' shards: both limbs are used.
pub const ELAPSED: u64 = 3 * (1 << 16) + 5;
/// The time of the fixtures' batches.
pub const NOW: u64 = BEFORE + ELAPSED;

/// The standard contracts, and those that only tests have.
pub fn contracts() -> &'static Contracts {
    static CONTRACTS: LazyLock<Contracts> = LazyLock::new(with_tests);
    &CONTRACTS
}

/// The number in the list of the contract with a name.
///
/// # Panics
/// If none has it.
pub fn number(name: &str) -> usize {
    let position = contracts().list().position(|law| law.name() == name);
    position.unwrap_or_else(|| panic!("no contract is called {name}"))
}

/// A transaction of a fixture.
#[derive(Clone, Debug)]
pub struct Play {
    /// The number of its contract.
    pub contract: usize,
    /// Its body.
    pub words: Vec<F>,
    /// Which key signs it.
    pub signer: Option<u64>,
}

impl Play {
    /// Who authorises it.
    pub fn authority(&self) -> Authority {
        self.signer.map_or(Authority::NONE, |signer| Authority {
            owner: owner(signer),
            has_signed: true,
        })
    }
}

/// The fixtures' keys and their owners, made once: a case of a random test asks for twenty.
static KEYS: LazyLock<Vec<(Account, Digest)>> = LazyLock::new(|| {
    let keys = (0..8).map(|number| Account::from_index(1, number));
    keys.map(|key| (key.clone(), key.owner(F::from_u64(CHAIN_ID))))
        .collect()
});

/// One of the fixtures' keys.
pub fn key(number: u64) -> Account {
    KEYS[number as usize].0.clone()
}

/// The owner digest of one of the fixtures' keys.
pub fn owner(number: u64) -> Digest {
    KEYS[number as usize].1
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

/// A vault of shares.
fn shares(number: u64) -> Record {
    let mut record = vault(number, ASSET, 0);
    record.0[1] = F::from_u64(SHARE);
    record
}

/// Every record that a fixture may touch.
pub fn records() -> Vec<(Index, Record)> {
    let mut records = vec![
        (ALICE, vault(0, ASSET, ALICE_NONCE)),
        (BOB, vault(1, ASSET, 6)),
        (VACANT, Record::EMPTY),
        (POT, Record::EMPTY),
        (FOREIGN, vault(1, OTHER_ASSET, 0)),
        (SHARES, shares(1)),
        (OPERATOR, vault(2, ASSET, 9)),
    ];
    records.extend(defi::defi_records());
    records.extend(lending::lending_records());
    records.sort_by_key(|(index, _)| *index);
    records
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
pub fn deposit(to: Index, amount: u64, fee: u64, position: u64) -> Deposit {
    Deposit {
        base_chain: 1,
        to,
        owner: owner(1),
        asset: ASSET,
        amount,
        fee: operator(fee),
        position,
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
pub fn signed_transfer(body: Transfer, signer: u64) -> Play {
    play(number("transfer"), body.words(), Some(signer))
}

/// A withdrawal signed by a key.
pub fn signed_withdraw(body: Withdraw, signer: u64) -> Play {
    play(number("withdraw"), body.words(), Some(signer))
}

/// A deposit, which nobody signs.
pub fn deposited(body: Deposit) -> Play {
    play(number("deposit"), body.words(), None)
}

fn play(contract: usize, words: Vec<F>, signer: Option<u64>) -> Play {
    Play {
        contract,
        words,
        signer,
    }
}

/// An exit from a vault, for which one of the keys asks.
pub fn exit(index: Index, asking: u64, position: u64) -> Play {
    let exit = Exit {
        base_chain: 1,
        position,
        index,
        owner: owner(asking),
        address: key(asking).exit_address,
    };
    play(number("exit"), exit.words(), None)
}

/// From Alice's vault to Bob's by a contract over the tables of vaults and divisions.
pub fn by_tables(contract: usize, amount: u64, nonce: u64) -> Play {
    play(contract, to_bob(amount, 1, nonce).words(), Some(0))
}

/// A payment out of Alice's vault to receivers: index, number of the key and amount.
pub fn relay(payments: &[(Index, u64, u64)], fee: u64, nonce: u64) -> Play {
    let mut words = vec![];
    for (i, &(to, key, amount)) in payments.iter().enumerate() {
        words.push(F::from_u32(to));
        if i == 0 {
            words.push(F::from_u64(ASSET));
        }
        words.extend(owner(key));
        words.push(F::from_u64(amount));
    }
    let last = [ALICE.into(), nonce, fee, OPERATOR.into()];
    words.extend(last.map(F::from_u64));
    Play {
        contract: number("relay"),
        words,
        signer: Some(0),
    }
}

/// A relay of four steps.
pub fn long_relay(nonce: u64) -> Play {
    let payments = [(BOB, 1, 100), (VACANT, 2, 70_000), (OPERATOR, 2, 5)];
    relay(&payments, 4, nonce)
}

/// What a signed transaction of the kitchen says, besides where things lie.
#[derive(Clone, Copy, Debug)]
pub struct Cook {
    /// Two numbers of 40 bits; the first leaves the vault.
    pub numbers: [u64; 2],
    /// A factor.
    pub factor: u64,
    /// Whether the base chain owes the first number.
    pub is_owed: bool,
    /// The operator's fee.
    pub fee: u64,
    /// The nonce of Alice's vault.
    pub nonce: u64,
}

/// A signed transaction of the kitchen out of Alice's vault.
pub fn cook(cook: Cook) -> Play {
    let Cook {
        numbers: [a, b],
        factor,
        is_owed,
        fee,
        nonce,
    } = cook;
    let until = NOW + 77;
    let (asset, is_owed) = (ASSET, is_owed.into());
    let places = [ALICE, POT, BOB].map(u64::from);
    let body = [asset, nonce, a, b, factor, is_owed, until];
    let words = [&places[..], &body, &[fee, OPERATOR.into(), 8, 9]].concat();
    Play {
        contract: number("kitchen"),
        words: words.into_iter().map(F::from_u64).collect(),
        signer: Some(0),
    }
}

/// A transaction of the kitchen that withdraws.
pub fn cooked(nonce: u64) -> Play {
    cook(Cook {
        numbers: [70_000, 1_234],
        factor: 3,
        is_owed: true,
        fee: 6,
        nonce,
    })
}

/// An item of the queue for a vault of key 1, credited in a step of its own.
pub fn order(to: Index, amount: u64, position: u64) -> Play {
    let start = [to.into(), ASSET].map(F::from_u64);
    let end = [amount, position].map(F::from_u64);
    Play {
        contract: number("kitchen"),
        words: [&start[..], &owner(1), &end].concat(),
        signer: None,
    }
}

/// One of every standard contract, on few vaults: opens a vault, adds to it, touches Alice's
/// vault in every transaction but the second.
pub fn mixed() -> Vec<Play> {
    let open = Transfer {
        to: VACANT,
        ..to_bob(100, 0, ALICE_NONCE)
    };
    vec![
        signed_transfer(open, 0),
        deposited(deposit(VACANT, 250, 3, DEPOSITS_BEFORE)),
        signed_withdraw(withdraw(70, 2, ALICE_NONCE + 1), 0),
        signed_transfer(to_bob(30, 1, ALICE_NONCE + 2), 0),
    ]
}

/// One of every path through every contract but the kitchen's signed one: fourteen rows.
pub fn everything() -> Vec<Play> {
    vec![
        signed_transfer(to_bob(30, 1, ALICE_NONCE), 0),
        deposited(deposit(BOB, 250, 3, DEPOSITS_BEFORE)),
        signed_withdraw(withdraw(70, 2, ALICE_NONCE + 1), 0),
        long_relay(ALICE_NONCE + 2),
        order(BOB, 12_345, DEPOSITS_BEFORE + 1),
        exit(BOB, 1, DEPOSITS_BEFORE + 2),
        exit(ALICE, 1, DEPOSITS_BEFORE + 3),
        by_tables(number("table_transfer"), 30, ALICE_NONCE + 3),
        by_tables(number("toy_swap"), 40_000, ALICE_NONCE + 4),
    ]
}

/// A shard with the traces of the transaction table and the fee chip.
#[derive(Clone, Debug)]
pub struct Shard {
    /// What is proven.
    pub statement: Statement,
    /// Its transactions.
    pub plays: Vec<Play>,
    /// What its transactions do.
    pub rows: TransactionRows,
    /// The transactions in order.
    pub transaction: ChipTrace,
    /// The credit of fees.
    pub fee: ChipTrace,
    /// The accesses of vaults with rows of their own.
    pub vault: ChipTrace,
    /// The divisions.
    pub muldiv: ChipTrace,
    /// What these chips ask of others.
    pub events: LookupEvents,
}

/// A witness without transactions, over the fixtures' records.
pub fn witness() -> ShardWitness {
    let before = Head {
        state_root: core::array::from_fn(|i| F::from_usize(100 + i)),
        tx_count: 1_000,
        time: BEFORE,
        queue_count: DEPOSITS_BEFORE,
        queue_commitment: core::array::from_fn(|i| F::from_usize(300 + i)),
        withdrawal_count: 13,
        withdrawal_commitment: core::array::from_fn(|i| F::from_usize(350 + i)),
        data_commitment: core::array::from_fn(|i| F::from_usize(370 + i)),
        tx_commitment: core::array::from_fn(|i| F::from_usize(200 + i)),
    };
    let after = Head {
        state_root: core::array::from_fn(|i| F::from_usize(400 + i)),
        time: NOW,
        ..before
    };
    ShardWitness {
        shape: Shape::TINY,
        statement: Statement {
            chain_id: CHAIN_ID,
            before,
            after,
        },
        transactions: vec![],
        records: records(),
        siblings: vec![],
    }
}

/// The chain of differences after a shard that touches these records.
pub fn data_after(before: &Digest, records: &[TouchedRecord]) -> Digest {
    let records = records.iter();
    let changed = changes(records.map(|record| (record.index, record.first, record.last)));
    extend_data(before, &encode(&changed.expect("vaults stay vaults")))
}

/// The head after the last row of a table, which knows nothing of differences.
pub fn head_after(before: &Head, state_root: Digest, trace: &RowMajorMatrix<F>) -> Head {
    let last = &trace.values[trace.values.len() - trace.width..];
    let chain = |chain: prefix::ChainAround| chain.after().map(|column| last[column]);
    let count = |count: prefix::Around| last[count.after()].as_canonical_u64();
    Head {
        state_root,
        tx_count: before.tx_count + last[prefix::CLOCK].as_canonical_u64(),
        time: NOW,
        queue_count: count(prefix::QUEUE_COUNT),
        queue_commitment: chain(prefix::QUEUE),
        withdrawal_count: count(prefix::WITHDRAWAL_COUNT),
        withdrawal_commitment: chain(prefix::WITHDRAWALS),
        data_commitment: before.data_commitment,
        tx_commitment: chain(prefix::TRANSACTIONS),
    }
}

impl Shard {
    /// The shard of these transactions, over a table of four rows.
    pub fn of(plays: Vec<Play>) -> Self {
        Self::with_log_height(plays, 2).expect("the fixture can be generated")
    }

    /// The shard of these transactions, over a table of `2^log_height` rows.
    pub fn with_log_height(plays: Vec<Play>, log_height: usize) -> Result<Self, TraceError> {
        Self::by(contracts(), plays, log_height)
    }

    /// The shard of these transactions by this list of contracts.
    pub fn by(
        contracts: &'static Contracts,
        plays: Vec<Play>,
        log_height: usize,
    ) -> Result<Self, TraceError> {
        let mut witness = witness();
        let mut table = Table::new(contracts, &witness, log_height)?;
        for play in &plays {
            table.play_body(&Body {
                contract: play.contract,
                words: &play.words,
                authority: play.authority(),
            })?;
        }
        let rows = table.finish()?;
        let Statement { before, after, .. } = witness.statement;
        witness.statement.after = Head {
            data_commitment: data_after(&before.data_commitment, &rows.records),
            ..head_after(&before, after.state_root, &rows.trace)
        };
        Self::traced(contracts, &witness.statement, plays, rows, log_height)
    }

    /// The traces of the executor's witness, by the standard contracts alone.
    pub fn play(
        contracts: &'static Contracts,
        witness: &ShardWitness,
        log_height: usize,
    ) -> Result<Self, TraceError> {
        let rows = transaction::generate(contracts, witness, log_height)?;
        Self::traced(contracts, &witness.statement, vec![], rows, log_height)
    }

    fn traced(
        contracts: &'static Contracts,
        statement: &Statement,
        plays: Vec<Play>,
        rows: TransactionRows,
        log_height: usize,
    ) -> Result<Self, TraceError> {
        let mut events = rows.events.clone();
        let fee = fee::generate(&rows.fees, log_height, &mut events)?;
        let log_of = |count: usize| count.next_power_of_two().ilog2().max(2) as usize;
        let vault = vault::generate(&rows.vaults, log_of(rows.vaults.len()), &mut events)?;
        let log_divisions = log_of(rows.divisions.len());
        let muldiv = muldiv::generate(&rows.divisions, log_divisions, &mut events)?;
        let chip = Chip::Transaction(TransactionChip { contracts });
        let values = statement.elements().to_vec();
        Ok(Self {
            vault: ChipTrace::new(Chip::Vault(VaultChip), vault),
            muldiv: ChipTrace::new(Chip::MulDiv(MulDivChip), muldiv),
            statement: *statement,
            plays,
            transaction: ChipTrace::with_public_values(chip, rows.trace.clone(), values),
            fee: ChipTrace::new(Chip::Fee(FeeChip), fee),
            rows,
            events,
        })
    }

    /// All of them.
    pub fn chips(&self) -> [ChipTrace; 4] {
        let Self {
            transaction,
            fee,
            vault,
            muldiv,
            ..
        } = self;
        [transaction, fee, vault, muldiv].map(Clone::clone)
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
