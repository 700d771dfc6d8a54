//! What a chip says on the buses, compiled; the fractions that LogUp sums up.

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_lookup::{Kind, Lookup};
use shardfold_protocol::field::F;
use shardfold_recursion::config::EF;

use super::program::{Compiler, Packed, Program, Value};

/// So many elements of the extension at a time, one in each lane.
pub(super) type PackedExtension = <EF as p3_field::ExtensionField<F>>::ExtensionPacking;

/// The lookups of one table.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookups {
    /// Computes all values that the columns name.
    pub(super) program: Program,
    /// One for each fraction column, in their order.
    pub(super) columns: Vec<Column>,
    /// The values from which the fractions are computed, constants left out.
    pub(super) kept: Vec<Value>,
}

/// Messages that share a fraction column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    messages: Vec<Message>,
    /// Whether at most one of them is said on a row, that whose flag is 1.
    is_exclusive: bool,
}

#[derive(Clone, Debug)]
struct Message {
    fields: Vec<Value>,
    count: Value,
    /// What it is said by, if it is one of exclusive messages.
    flag: Value,
}

impl Lookups {
    /// Compiles the lookups of a table; returns nothing if one depends on a periodic column.
    pub(super) fn new(lookups: &[Lookup<F>]) -> Option<Self> {
        let mut compiler = Compiler::default();
        let columns: Vec<Column> = lookups
            .iter()
            .map(|lookup| Column::new(lookup, &mut compiler))
            .collect::<Option<_>>()?;
        let program = compiler.finish();
        let mut kept: Vec<Value> = columns.iter().flat_map(Column::values).collect();
        kept.retain(|&value| program.constant(value).is_none());
        kept.sort_unstable();
        kept.dedup();
        Some(Self {
            program,
            columns,
            kept,
        })
    }

    /// Returns whether the table says nothing.
    pub(super) const fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns the cells of a row of fraction columns and their sum.
    pub(super) const fn width(&self) -> usize {
        2 * (self.columns.len() + 1)
    }

    /// Returns a place for each value, constants filled in.
    pub(super) fn blank_values(&self) -> Vec<Packed> {
        let value = |value| self.program.constant(value).unwrap_or_default();
        (0..self.program.len()).map(|v| value(v).into()).collect()
    }
}

impl Column {
    fn new<'a>(lookup: &'a Lookup<F>, compiler: &mut Compiler<'a>) -> Option<Self> {
        debug_assert!(matches!(lookup.kind, Kind::Local | Kind::Global(_)));
        let mut messages = Vec::with_capacity(lookup.elements.len());
        for (i, fields) in lookup.elements.iter().enumerate() {
            let fields = fields.iter().map(|field| compiler.add(field));
            let fields = fields.collect::<Option<_>>()?;
            let count = compiler.add(&lookup.multiplicities[i])?;
            let flag = match &lookup.flags {
                Some(flags) => compiler.add(&flags[i])?,
                None => count,
            };
            messages.push(Message {
                fields,
                count,
                flag,
            });
        }
        Some(Self {
            messages,
            is_exclusive: lookup.flags.is_some(),
        })
    }

    fn values(&self) -> impl Iterator<Item = Value> {
        self.messages.iter().flat_map(|message| {
            let own = [message.count, message.flag];
            message.fields.iter().copied().chain(own)
        })
    }

    /// Returns numerator and denominator of the sum of this column's fractions.
    pub(super) fn fraction(
        &self,
        values: &[Packed],
        challenges: &ColumnChallenges,
    ) -> (PackedExtension, PackedExtension) {
        if self.is_exclusive {
            self.exclusive_fraction(values, challenges)
        } else {
            self.sum_of_fractions(values, challenges)
        }
    }

    fn sum_of_fractions(
        &self,
        values: &[Packed],
        challenges: &ColumnChallenges,
    ) -> (PackedExtension, PackedExtension) {
        let mut fractions = self.messages.iter().map(|message| {
            let denominator = challenges.denominator(&message.fields, values);
            (values[message.count], denominator)
        });
        let Some((count, mut denominator)) = fractions.next() else {
            return (PackedExtension::ZERO, PackedExtension::ONE);
        };
        let mut numerator = PackedExtension::from(count);
        for (count, factor) in fractions {
            numerator = numerator * factor + denominator * count;
            denominator *= factor;
        }
        (numerator, denominator)
    }

    fn exclusive_fraction(
        &self,
        values: &[Packed],
        challenges: &ColumnChallenges,
    ) -> (PackedExtension, PackedExtension) {
        let mut numerator = Packed::ZERO;
        let mut denominator = PackedExtension::ONE;
        for message in &self.messages {
            let flag = values[message.flag];
            numerator += flag * values[message.count];
            let own = challenges.denominator(&message.fields, values) - PackedExtension::ONE;
            denominator += own * flag;
        }
        (numerator.into(), denominator)
    }
}

/// The challenges of one column: a message's denominator is `base` less its fields, weighted by
/// descending powers.
#[derive(Clone, Debug)]
pub(super) struct ColumnChallenges {
    base: PackedExtension,
    /// For each number of fields up to the most, the powers by coordinate.
    weights: Vec<[Vec<F>; 2]>,
}

impl ColumnChallenges {
    /// Lays out the pairs of challenges of a table's columns.
    pub(super) fn of(lookups: &Lookups, challenges: &[EF]) -> Vec<Self> {
        let pairs = lookups.columns.iter().zip(challenges.chunks(2));
        pairs
            .map(|(column, pair)| Self::new(column, pair[0], pair[1]))
            .collect()
    }

    fn new(column: &Column, base: EF, factor: EF) -> Self {
        let fields = column.messages.iter().map(|message| message.fields.len());
        let most = fields.max().unwrap_or_default();
        let powers: Vec<EF> = factor.powers().collect_n(most);
        let coordinates = |fields: usize, i: usize| -> Vec<F> {
            let powers = powers[..fields].iter().rev();
            powers
                .map(|power| power.as_basis_coefficients_slice()[i])
                .collect()
        };
        Self {
            base: base.into(),
            weights: (0..=most)
                .map(|fields| [coordinates(fields, 0), coordinates(fields, 1)])
                .collect(),
        }
    }

    fn denominator(&self, fields: &[Value], values: &[Packed]) -> PackedExtension {
        let weights = &self.weights[fields.len()];
        let weighted = |i: usize| {
            let terms = fields.iter().zip(&weights[i]);
            terms.fold(Packed::ZERO, |sum, (&field, &weight)| {
                sum + values[field] * weight
            })
        };
        self.base - PackedExtension::from_basis_coefficients_fn(weighted)
    }
}
