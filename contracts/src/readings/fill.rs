//! As a row: the cells of a step, and what it asks of other tables.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_protocol::amount::{AMOUNT_BITS, FEE_BITS};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Digest, Domain, compress_block, concat, hash_with};
use shardfold_protocol::record::Index;

use super::Run;
use super::division::Division;
use crate::layout::{Cursor, LIMB_BITS, prefix};
use crate::machine::{
    Machine, Owner, Part, Reason, Rule, Taken, Use, VaultAccess, VaultReasons, VaultUse,
};

/// What the rows of a table ask of other tables, limbs apart: those are looked up in every row.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The input of each compression.
    pub hashes: Vec<[F; 8]>,
    /// The top limbs of other widths than 14 and 16 bits, shifted up to 16.
    pub range: Vec<u16>,
    /// Owner and digest of each signature that is required.
    pub signatures: Vec<(Digest, Digest)>,
    /// The vaults that are used by rows of their own.
    pub vaults: Vec<VaultNote>,
    /// The exact divisions that have a result.
    pub divisions: Vec<Division>,
}

/// One access of a vault that has a row of its own, and the record as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultNote {
    /// The clock of the transaction.
    pub clock: F,
    /// When the vault was last written.
    pub old_clock: u32,
    /// Where it lies.
    pub index: F,
    /// What it must hold.
    pub asset: F,
    /// Whose it must be.
    pub owner: [F; 4],
    /// What it gains.
    pub delta: F,
    /// Whether it is that of whoever signs.
    pub signs: bool,
    /// Whether it may be opened.
    pub may_open: bool,
    /// The record as it was taken.
    pub before: [F; 8],
}

/// A rule as a row.
pub struct Fill<'a, 'r> {
    run: Run<'r>,
    /// The columns before the row are there already, and so is the clock.
    row: &'a mut [F],
    cursor: Cursor,
    /// When a record was last written.
    last_clock: &'a dyn Fn(Index) -> u32,
    notes: &'a mut Notes,
}

impl<'a, 'r> Fill<'a, 'r> {
    /// Starts a row.
    pub fn new(
        run: Run<'r>,
        row: &'a mut [F],
        cursor: Cursor,
        last_clock: &'a dyn Fn(Index) -> u32,
        notes: &'a mut Notes,
    ) -> Self {
        Self {
            run,
            row,
            cursor,
            last_clock,
            notes,
        }
    }

    /// Returns what is left of the transaction for its next row.
    #[must_use]
    pub fn into_run(self) -> Run<'r> {
        self.run
    }

    fn cell(&mut self, value: F) {
        self.row[self.cursor.free()] = value;
    }

    fn limbs(&mut self, value: F, bits: u32) {
        let value = value.as_canonical_u64();
        for limb in self.cursor.integer(bits) {
            // The low 16 bits, or fewer of a last limb: all of them, if the value is in range.
            let part = ((value >> limb.shift) & ((1 << limb.bits) - 1)) as u16;
            self.row[limb.column] = F::from_u16(part);
            if limb.spare != 0 {
                self.notes.range.push(part << limb.spare);
            }
        }
    }

    fn compress(&mut self, input: &[F; 8]) -> Digest {
        self.notes.hashes.push(*input);
        compress_block(input)
    }

    fn extend(&mut self, chain: prefix::ChainAround, entry: &Digest) {
        let before = chain.before().map(|column| self.row[column]);
        let after = self.compress(&concat(&before, entry));
        for (column, value) in chain.after().into_iter().zip(after) {
            self.row[column] = value;
        }
    }

    fn old_clock(&self, index: &F) -> u32 {
        (self.last_clock)(Index::try_from(index.as_canonical_u64()).unwrap_or_default())
    }

    /// The gap of clocks of an access.
    fn gap(&mut self, index: &F) {
        let last = F::from_u32(self.old_clock(index));
        self.limbs(self.row[prefix::CLOCK] - last - F::ONE, LIMB_BITS);
    }
}

/// Which parts of a record are cells.
fn is_cell(record: &[Part<F>; 8]) -> [bool; 8] {
    core::array::from_fn(|i| matches!(record[i], Part::Any))
}

impl Machine for Fill<'_, '_> {
    type E = F;

    fn word(&mut self) -> F {
        let value = self.run.word();
        self.cell(value);
        value
    }

    fn integer(&mut self, bits: u32, otherwise: &'static Reason) -> Rule<F> {
        let value = self.run.integer(bits, otherwise)?;
        self.limbs(value, bits);
        Ok(value)
    }

    fn range(&mut self, value: &F, bits: u32, otherwise: &'static Reason) -> Rule<()> {
        self.run.range(value, bits, otherwise)?;
        self.limbs(*value, bits);
        Ok(())
    }

    fn equal(&mut self, found: F, expected: F, otherwise: &'static Reason) -> Rule<()> {
        self.run.equal(found, expected, otherwise)
    }

    fn nonzero(&mut self, value: F, otherwise: &'static Reason) -> Rule<()> {
        self.run.nonzero(value, otherwise)?;
        self.cell(value.try_inverse().unwrap_or(F::ZERO));
        Ok(())
    }

    fn flag(&mut self, value: &F, otherwise: &'static Reason) -> Rule<()> {
        self.run.flag(value, otherwise)
    }

    fn is_zero(&mut self, value: F) -> F {
        let is_zero = self.run.is_zero(value);
        self.cell(is_zero);
        self.cell(value.try_inverse().unwrap_or(F::ZERO));
        is_zero
    }

    fn at_least(&mut self, a: &F, b: &F, bits: u32) -> F {
        let is_at_least = self.run.at_least(a, b, bits);
        self.cell(is_at_least);
        let difference = if is_at_least == F::ONE {
            *a - *b
        } else {
            *b - *a - F::ONE
        };
        self.limbs(difference, bits);
        is_at_least
    }

    fn product(&mut self, a: &F, b: &F) -> F {
        let product = self.run.product(a, b);
        self.cell(product);
        product
    }

    fn mul_div(
        &mut self,
        a: &F,
        b: &F,
        d: &F,
        round_up: bool,
        otherwise: &'static Reason,
    ) -> Rule<F> {
        let quotient = self.run.mul_div(a, b, d, round_up, otherwise)?;
        self.cell(quotient);
        let division = Division::of(a, b, d, round_up);
        // Without a result only after a check that was passed over: then no row answers.
        if division.result().is_some() {
            self.notes.divisions.push(division);
        }
        Ok(quotient)
    }

    fn sqrt(&mut self, a: &F, b: &F, otherwise: &'static Reason) -> Rule<F> {
        let root = self.run.sqrt(a, b, otherwise)?;
        self.limbs(root, AMOUNT_BITS);
        let above = self.mul_div(a, b, &root, false, otherwise)? - root;
        self.cell(above * (above - F::ONE));
        let below = self.mul_div(a, b, &(root + F::ONE), false, otherwise);
        below.map(|_| root)
    }

    fn vault(&mut self, access: VaultAccess<F>, otherwise: &'static VaultReasons) -> Rule<[F; 4]> {
        let (owner, before) = self.run.access_vault(&access, otherwise)?;
        if matches!(access.owner, Owner::Any) {
            owner.into_iter().for_each(|value| self.cell(value));
        }
        self.notes.vaults.push(VaultNote {
            clock: self.row[prefix::CLOCK],
            old_clock: self.old_clock(&access.index),
            index: access.index,
            asset: access.asset,
            owner,
            delta: access.delta,
            signs: matches!(access.how, VaultUse::Signs(_)),
            may_open: matches!(access.owner, Owner::Opens(_)),
            before,
        });
        Ok(owner)
    }

    fn take(&mut self, index: &F, how: Use<F>, record: [Part<F>; 8]) -> Rule<(Taken<F>, [F; 8])> {
        let is_cell = is_cell(&record);
        let (taken, found) = self.run.take(index, how, record)?;
        self.gap(index);
        for (value, _) in found
            .into_iter()
            .zip(is_cell)
            .filter(|(_, is_cell)| *is_cell)
        {
            self.cell(value);
        }
        Ok((taken, found))
    }

    fn write(&mut self, taken: Taken<F>, record: [F; 8]) {
        self.run.write(taken, record);
    }

    fn read(&mut self, index: &F, record: [Part<F>; 8]) -> Rule<[F; 8]> {
        let (taken, found) = self.take(index, Use::Write, record)?;
        self.write(taken, found);
        Ok(found)
    }

    fn hash(&mut self, domain: Domain, message: &[F]) -> [F; 4] {
        let message = [&[self.run.chain_id()], message].concat();
        hash_with(domain, &message, |input| {
            let output = self.compress(input);
            output.into_iter().for_each(|value| self.cell(value));
            output
        })
    }

    fn signed(&mut self, owner: &[F; 4], digest: &[F; 4]) -> Rule<()> {
        self.run.signed(owner, digest)?;
        self.notes.signatures.push((*owner, *digest));
        self.extend(prefix::TRANSACTIONS, digest);
        Ok(())
    }

    fn unsigned(&mut self, digest: &[F; 4]) {
        self.run.unsigned(digest);
        self.extend(prefix::TRANSACTIONS, digest);
    }

    fn queue_position(&mut self) -> F {
        self.run.queue_position()
    }

    fn queued(&mut self, item: &[F; 4]) {
        self.run.queued(item);
        self.extend(prefix::QUEUE, item);
        self.row[prefix::QUEUE_COUNT.after()] += F::ONE;
    }

    fn withdrawn(&mut self, owed: &[F; 4], is_owed: F) {
        self.run.withdrawn(owed, is_owed);
        if is_owed == F::ONE {
            self.extend(prefix::WITHDRAWALS, owed);
            self.row[prefix::WITHDRAWAL_COUNT.after()] += F::ONE;
        }
    }

    fn now(&mut self) -> F {
        self.run.now()
    }

    fn fee(&mut self, asset: &F) -> Rule<(F, F)> {
        let (fee, vault) = self.run.fee(asset)?;
        self.limbs(fee, FEE_BITS);
        self.cell(vault);
        Ok((fee, vault))
    }
}
