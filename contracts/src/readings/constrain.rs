//! As constraints: recorded once, as expressions over the cells of a row.

use p3_air::symbolic::{BaseEntry, SymbolicVariable};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::amount::{AMOUNT_BITS, FEE_BITS};
use shardfold_protocol::field::F;
use shardfold_protocol::hash::{Domain, hash_blocks};

use super::said::{AccessCall, Bus, Expr, HashCall, Message};
use crate::layout::{Cursor, prefix, public};
use crate::machine::{
    Machine, Owner, Part, Reason, Rule, Taken, Use, VaultAccess, VaultReasons, VaultUse, reasons,
};

/// A rule as constraints.
#[derive(Clone, Debug)]
pub struct Constrain {
    cursor: Cursor,
    /// Each of these is zero on a row of this step.
    pub(crate) zeros: Vec<Expr>,
    /// What a row of this step says.
    pub(crate) messages: Vec<Message>,
    /// The columns that hold what was read from the body.
    pub(crate) word_columns: Vec<usize>,
    /// How many elements were read from the body.
    pub(crate) words: usize,
    pub(crate) hashes: Vec<HashCall>,
    pub(crate) accesses: Vec<AccessCall>,
    /// Records that were written.
    pub(crate) writes: usize,
    /// The digests that became the transaction's, and whether a signature is required of each.
    pub(crate) commits: Vec<([Expr; 4], bool)>,
    /// The items that were taken from the queue.
    pub(crate) queued: Vec<[Expr; 4]>,
    /// The withdrawals, each perhaps of nothing.
    pub(crate) withdrawn: Vec<[Expr; 4]>,
    /// Vault and amount of each fee.
    pub(crate) fees: Vec<AccessCall>,
    /// What its checks say if they fail.
    pub(crate) reasons: Vec<&'static Reason>,
    /// The bits of an integer that has none, or too many.
    pub(crate) bad_bits: Option<u32>,
}

fn column(column: usize) -> Expr {
    SymbolicVariable::new(BaseEntry::Main { offset: 0 }, column).into()
}

fn public_value(index: usize) -> Expr {
    SymbolicVariable::new(BaseEntry::Public, index).into()
}

impl Constrain {
    /// Starts a row.
    #[must_use]
    pub const fn new(cursor: Cursor) -> Self {
        Self {
            cursor,
            zeros: vec![],
            messages: vec![],
            word_columns: vec![],
            words: 0,
            hashes: vec![],
            accesses: vec![],
            writes: 0,
            commits: vec![],
            queued: vec![],
            withdrawn: vec![],
            fees: vec![],
            reasons: vec![],
            bad_bits: None,
        }
    }

    /// Returns how many limbs, short limbs and free cells were laid.
    #[must_use]
    pub const fn used(&self) -> (usize, usize, usize) {
        self.cursor.used()
    }

    fn cell(&mut self) -> Expr {
        column(self.cursor.free())
    }

    fn zero(&mut self, value: Expr) {
        self.zeros.push(value);
    }

    fn say(&mut self, bus: Bus, count: Expr, fields: impl IntoIterator<Item = Expr>) {
        let fields = fields.into_iter().collect();
        self.messages.push(Message { bus, count, fields });
    }

    /// The integer that new limbs stand for, below `2^bits`.
    fn limbs(&mut self, bits: u32) -> (Expr, Vec<usize>) {
        if !(1..=AMOUNT_BITS).contains(&bits) {
            // Found when the contract is recorded; whatever is laid then is not used.
            self.bad_bits = Some(bits);
        }
        let mut columns = vec![];
        let mut sum = Expr::ZERO;
        for limb in self.cursor.integer(bits) {
            columns.push(limb.column);
            sum += column(limb.column) * F::from_u64(1 << limb.shift);
            if limb.spare != 0 {
                let scaled = column(limb.column) * F::from_u32(1 << limb.spare);
                self.say(Bus::Range, Expr::ONE, [scaled]);
            }
        }
        (sum, columns)
    }

    fn compress(&mut self, count: Expr, input: [Expr; 8], output: [Expr; 4]) {
        let fields = input.into_iter().chain(output);
        self.say(Bus::Hash, count, fields);
    }

    /// The chain is extended by `entry` if `is_extended` (0 or 1) is 1, else kept.
    fn extend(&mut self, chain: prefix::ChainAround, entry: &[Expr; 4], is_extended: &Expr) {
        let (before, after) = (chain.before().map(column), chain.after().map(column));
        let [a, b, c, d] = before.clone();
        let [e, f, g, h] = entry.clone();
        self.compress(is_extended.clone(), [a, b, c, d, e, f, g, h], after.clone());
        if is_one(is_extended) {
            return;
        }
        for (before, after) in before.into_iter().zip(after) {
            self.zero((Expr::ONE - is_extended.clone()) * (after - before));
        }
    }

    fn count(&mut self, count: prefix::Around, more: Expr) {
        self.zero(column(count.after()) - column(count.before()) - more);
    }

    fn commit(&mut self, digest: &[Expr; 4], is_signed: bool) {
        self.extend(prefix::TRANSACTIONS, digest, &Expr::ONE);
        self.commits.push((digest.clone(), is_signed));
    }
}

/// Whether an expression is the constant 1.
fn is_one(expression: &Expr) -> bool {
    use p3_air::symbolic::{BaseLeaf, SymbolicExpr};
    matches!(expression, SymbolicExpr::Leaf(BaseLeaf::Constant(value)) if *value == F::ONE)
}

impl Machine for Constrain {
    type E = Expr;

    fn word(&mut self) -> Expr {
        let column_number = self.cursor.free();
        self.word_columns.push(column_number);
        self.words += 1;
        column(column_number)
    }

    fn integer(&mut self, bits: u32, otherwise: &'static Reason) -> Rule<Expr> {
        self.reasons.push(otherwise);
        let (value, columns) = self.limbs(bits);
        self.word_columns.extend(columns);
        self.words += 1;
        Ok(value)
    }

    fn range(&mut self, value: &Expr, bits: u32, otherwise: &'static Reason) -> Rule<()> {
        self.reasons.push(otherwise);
        let (limbs, _) = self.limbs(bits);
        self.zero(limbs - value.clone());
        Ok(())
    }

    fn equal(&mut self, found: Expr, expected: Expr, otherwise: &'static Reason) -> Rule<()> {
        self.reasons.push(otherwise);
        self.zero(found - expected);
        Ok(())
    }

    fn nonzero(&mut self, value: Expr, otherwise: &'static Reason) -> Rule<()> {
        self.reasons.push(otherwise);
        let inverse = self.cell();
        self.zero(value * inverse - F::ONE);
        Ok(())
    }

    fn flag(&mut self, value: &Expr, otherwise: &'static Reason) -> Rule<()> {
        self.reasons.push(otherwise);
        self.zero(value.clone() * (value.clone() - F::ONE));
        Ok(())
    }

    fn is_zero(&mut self, value: Expr) -> Expr {
        let (is_zero, inverse) = (self.cell(), self.cell());
        self.zero(value.clone() * inverse.clone() + is_zero.clone() - F::ONE);
        self.zero(value * is_zero.clone());
        // The inverse of nothing is zero, so that no cell is free.
        self.zero(inverse * is_zero.clone());
        is_zero
    }

    fn at_least(&mut self, a: &Expr, b: &Expr, bits: u32) -> Expr {
        let is_at_least = self.cell();
        self.zero(is_at_least.clone() * (is_at_least.clone() - F::ONE));
        let (difference, _) = self.limbs(bits);
        let above = a.clone() - b.clone();
        let below = b.clone() - a.clone() - F::ONE;
        self.zero(is_at_least.clone() * (above - below.clone()) + below - difference);
        is_at_least
    }

    fn product(&mut self, a: &Expr, b: &Expr) -> Expr {
        let product = self.cell();
        self.zero(product.clone() - a.clone() * b.clone());
        product
    }

    fn mul_div(
        &mut self,
        a: &Expr,
        b: &Expr,
        d: &Expr,
        round_up: bool,
        otherwise: &'static Reason,
    ) -> Rule<Expr> {
        self.reasons.push(otherwise);
        let quotient = self.cell();
        let operands = [a.clone(), b.clone(), d.clone()].into_iter();
        let result = [quotient.clone(), Expr::from_bool(round_up)];
        self.say(Bus::MulDiv, Expr::ONE, operands.chain(result));
        Ok(quotient)
    }

    fn sqrt(&mut self, a: &Expr, b: &Expr, otherwise: &'static Reason) -> Rule<Expr> {
        let (root, _) = self.limbs(AMOUNT_BITS);
        // floor(a b / s) is s, s + 1 or s + 2: s^2 <= a b.
        let above = self.mul_div(a, b, &root, false, otherwise)? - root.clone();
        let product = self.product(&above, &(above.clone() - F::ONE));
        self.zero(product * (above - F::TWO));
        // floor(a b / (s + 1)) is s or s - 1: a b < (s + 1)^2.
        let below =
            root.clone() - self.mul_div(a, b, &(root.clone() + F::ONE), false, otherwise)?;
        self.zero(below.clone() * (below - F::ONE));
        Ok(root)
    }

    fn vault(
        &mut self,
        access: VaultAccess<Expr>,
        otherwise: &'static VaultReasons,
    ) -> Rule<[Expr; 4]> {
        let VaultAccess {
            index,
            asset,
            owner,
            delta,
            how,
        } = access;
        self.reasons.extend([otherwise.kind, otherwise.asset]);
        let may_open = matches!(owner, Owner::Opens(_));
        let owner = match owner {
            Owner::Any => core::array::from_fn(|_| self.cell()),
            Owner::Is(owner) | Owner::Opens(owner) => {
                self.reasons.push(otherwise.owner);
                owner
            }
        };
        let (gain, nonce) = match how {
            VaultUse::Signs(nonce) => (None, Some(nonce)),
            VaultUse::Changes => (None, None),
            VaultUse::Gains => (Some(delta.clone()), None),
        };
        if nonce.is_some() {
            self.reasons.push(otherwise.nonce);
        }
        self.reasons.push(otherwise.balance);
        let place = [column(prefix::CLOCK), index.clone(), asset];
        let signs = Expr::from_bool(nonce.is_some());
        let rest = [
            delta,
            signs,
            nonce.unwrap_or(Expr::ZERO),
            Expr::from_bool(may_open),
        ];
        let fields = place.into_iter().chain(owner.clone()).chain(rest);
        self.say(Bus::Vault, Expr::ONE, fields);
        self.accesses.push(AccessCall { index, gain });
        self.writes += 1;
        Ok(owner)
    }

    fn take(
        &mut self,
        index: &Expr,
        how: Use<Expr>,
        record: [Part<Expr>; 8],
    ) -> Rule<(Taken<Expr>, [Expr; 8])> {
        // Later than the access before: clock - old clock - 1 has 16 bits.
        let (gap, _) = self.limbs(self.cursor.limb_bits());
        let old_clock = column(prefix::CLOCK) - gap - F::ONE;
        let record = record.map(|part| match part {
            Part::Any => self.cell(),
            Part::Is(expected, reason) => {
                self.reasons.push(reason);
                expected
            }
        });
        let fields = [index.clone(), old_clock].into_iter();
        self.say(Bus::State, Expr::NEG_ONE, fields.chain(record.clone()));
        self.accesses.push(AccessCall {
            index: index.clone(),
            gain: match how {
                Use::Gain(amount) => Some(amount),
                Use::Write | Use::Whole => None,
            },
        });
        let taken = Taken {
            index: index.clone(),
        };
        Ok((taken, record))
    }

    fn write(&mut self, taken: Taken<Expr>, record: [Expr; 8]) {
        let fields = [taken.index, column(prefix::CLOCK)].into_iter();
        self.say(Bus::State, Expr::ONE, fields.chain(record));
        self.writes += 1;
    }

    fn read(&mut self, index: &Expr, record: [Part<Expr>; 8]) -> Rule<[Expr; 8]> {
        let (taken, found) = self.take(index, Use::Write, record)?;
        self.write(taken, found.clone());
        Ok(found)
    }

    fn hash(&mut self, domain: Domain, message: &[Expr]) -> [Expr; 4] {
        let whole: Vec<_> = core::iter::once(public_value(public::CHAIN_ID))
            .chain(message.iter().cloned())
            .collect();
        let digest = hash_blocks(domain, &whole, |input| {
            let output: [Expr; 4] = core::array::from_fn(|_| self.cell());
            self.compress(Expr::ONE, input, output.clone());
            output
        });
        self.hashes.push(HashCall {
            message: message.to_vec(),
            digest: digest.clone(),
        });
        digest
    }

    fn signed(&mut self, owner: &[Expr; 4], digest: &[Expr; 4]) -> Rule<()> {
        self.reasons.extend([&reasons::OWNER, &reasons::SIGNATURE]);
        let fields = owner.iter().chain(digest).cloned();
        self.say(Bus::Signature, Expr::ONE, fields);
        self.commit(digest, true);
        Ok(())
    }

    fn unsigned(&mut self, digest: &[Expr; 4]) {
        self.commit(digest, false);
    }

    fn queue_position(&mut self) -> Expr {
        column(prefix::QUEUE_COUNT.before())
    }

    fn queued(&mut self, item: &[Expr; 4]) {
        self.extend(prefix::QUEUE, item, &Expr::ONE);
        self.count(prefix::QUEUE_COUNT, Expr::ONE);
        self.queued.push(item.clone());
    }

    fn withdrawn(&mut self, owed: &[Expr; 4], is_owed: Expr) {
        self.extend(prefix::WITHDRAWALS, owed, &is_owed);
        self.count(prefix::WITHDRAWAL_COUNT, is_owed);
        self.withdrawn.push(owed.clone());
    }

    fn now(&mut self) -> Expr {
        public_value(public::NOW)
    }

    fn fee(&mut self, asset: &Expr) -> Rule<(Expr, Expr)> {
        self.reasons.push(&reasons::FEE);
        let (fee, columns) = self.limbs(FEE_BITS);
        self.word_columns.extend(columns);
        let vault_column = self.cursor.free();
        self.word_columns.push(vault_column);
        self.words += 2;
        let vault = column(vault_column);
        self.say(Bus::Fee, fee.clone(), [vault.clone(), asset.clone()]);
        self.fees.push(AccessCall {
            index: vault.clone(),
            gain: Some(fee.clone()),
        });
        Ok((fee, vault))
    }
}
