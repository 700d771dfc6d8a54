//! Why a proof would be refused: evaluates constraints on every row of every trace, and
//! names the messages that do not balance (after Stwo's relation tracker).
//!
//! A STARK verifier only says that something is wrong somewhere. This says what and where.

use std::collections::HashMap;
use std::fmt;

use p3_air::{Air, AirBuilder, RowWindow};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;

use shardfold_protocol::field::F;

/// An AIR and the trace that is claimed to satisfy it.
pub struct Table<'a, A> {
    /// What reports call it.
    pub name: &'a str,
    /// The constraints.
    pub air: &'a A,
    /// The rows.
    pub trace: &'a RowMajorMatrix<F>,
    /// The public values that the constraints see.
    pub public_values: &'a [F],
}

/// A constraint that does not vanish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Name of the table.
    pub table: String,
    /// The row.
    pub row: usize,
    /// Which constraint: position in the order of `eval`, from 0.
    pub constraint: usize,
}

/// A message whose multiplicities do not add up to zero over all tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Name of the bus.
    pub bus: String,
    /// The message.
    pub fields: Vec<F>,
    /// Sum of its multiplicities: sent minus received.
    pub net: F,
    /// Who sent or received it.
    pub touches: Vec<Touch>,
}

/// A message sent (or, with a negative multiplicity, received) by one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Name of the table.
    pub table: String,
    /// The row.
    pub row: usize,
    /// How often, signed.
    pub multiplicity: F,
}

/// Everything that is wrong with some traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Constraints that do not vanish, table by table and row by row.
    pub violations: Vec<Violation>,
    /// Messages that do not balance, ordered by bus and message.
    pub leftovers: Vec<Leftover>,
}

impl Report {
    /// Returns whether the traces are in order.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.leftovers.is_empty()
    }
}

/// Violations and leftovers that [`Report`] prints, each, and touches of one leftover.
const PRINTED: usize = 12;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (violations, leftovers) = (&self.violations, &self.leftovers);
        writeln!(f, "{} violated constraints", violations.len())?;
        for v in violations.iter().take(PRINTED) {
            writeln!(f, "  {} row {} constraint {}", v.table, v.row, v.constraint)?;
        }
        writeln!(f, "{} messages that do not balance", leftovers.len())?;
        for leftover in leftovers.iter().take(PRINTED) {
            let (bus, fields) = (&leftover.bus, &leftover.fields);
            writeln!(f, "  {bus} {fields:?}, net {}", signed(leftover.net))?;
            for touch in leftover.touches.iter().take(PRINTED) {
                let times = signed(touch.multiplicity);
                writeln!(f, "    {times} by {} row {}", touch.table, touch.row)?;
            }
        }
        Ok(())
    }
}

/// Prints elements above p/2 as negative numbers.
fn signed(value: F) -> String {
    let negative = -value;
    if negative.as_canonical_u64() < value.as_canonical_u64() {
        format!("-{negative}")
    } else {
        value.to_string()
    }
}

/// Evaluates every constraint on every row and balances every bus.
///
/// # Panics
///
/// If a trace is empty or not as wide as its AIR.
#[must_use]
pub fn check<A>(tables: &[Table<'_, A>]) -> Report
where
    A: for<'b> Air<RowChecker<'b>>,
{
    let mut report = Report::default();
    let mut messages: HashMap<(String, Vec<F>), (F, Vec<Touch>)> = HashMap::new();
    for table in tables {
        for (row, findings) in check_table(table).into_iter().enumerate() {
            let name = || table.name.to_owned();
            let violations = findings.violated.into_iter().map(|constraint| Violation {
                table: name(),
                row,
                constraint,
            });
            report.violations.extend(violations);
            for message in findings.messages {
                let (net, touches) = messages.entry((message.bus, message.fields)).or_default();
                *net += message.multiplicity;
                touches.push(Touch {
                    table: name(),
                    row,
                    multiplicity: message.multiplicity,
                });
            }
        }
    }
    let leftovers = messages.into_iter().filter(|(_, (net, _))| *net != F::ZERO);
    report.leftovers = leftovers
        .map(|((bus, fields), (net, touches))| Leftover {
            bus,
            fields,
            net,
            touches,
        })
        .collect();
    report
        .leftovers
        .sort_by(|a, b| (&a.bus, &a.fields).cmp(&(&b.bus, &b.fields)));
    report
}

/// What one row does.
struct Findings {
    violated: Vec<usize>,
    messages: Vec<Message>,
}

struct Message {
    bus: String,
    fields: Vec<F>,
    multiplicity: F,
}

fn check_table<A>(table: &Table<'_, A>) -> Vec<Findings>
where
    A: for<'b> Air<RowChecker<'b>>,
{
    let (air, trace) = (table.air, table.trace);
    assert_eq!(trace.width(), air.width(), "width of {}", table.name);
    let height = trace.height();
    let preprocessed = air
        .preprocessed_trace()
        .unwrap_or_else(|| RowMajorMatrix::new(vec![], 0));
    let rows = (0..height).into_par_iter();
    let findings = rows.map(|row| {
        let next = (row + 1) % height;
        let mut builder = RowChecker {
            table: table.name,
            main: window(trace, row, next),
            preprocessed: window(&preprocessed, row, next),
            public_values: table.public_values,
            periodic: air.periodic_values(row),
            row,
            height,
            constraints: 0,
            local_buses: 0,
            findings: Findings {
                violated: vec![],
                messages: vec![],
            },
        };
        air.eval(&mut builder);
        builder.findings
    });
    findings.collect()
}

fn window(matrix: &RowMajorMatrix<F>, row: usize, next: usize) -> RowWindow<'_, F> {
    let cells = |row: usize| &matrix.values[row * matrix.width..(row + 1) * matrix.width];
    RowWindow::from_two_rows(cells(row), cells(next))
}

/// A builder that evaluates one row with field elements.
pub struct RowChecker<'a> {
    table: &'a str,
    main: RowWindow<'a, F>,
    preprocessed: RowWindow<'a, F>,
    public_values: &'a [F],
    periodic: Vec<F>,
    row: usize,
    height: usize,
    constraints: usize,
    local_buses: usize,
    findings: Findings,
}

impl RowChecker<'_> {
    fn push(&mut self, bus: &str, fields: Vec<F>, multiplicity: F) {
        if multiplicity != F::ZERO {
            self.findings.messages.push(Message {
                bus: bus.to_owned(),
                fields,
                multiplicity,
            });
        }
    }
}

impl<'a> AirBuilder for RowChecker<'a> {
    type F = F;
    type Expr = F;
    type Var = F;
    type PreprocessedWindow = RowWindow<'a, F>;
    type MainWindow = RowWindow<'a, F>;
    type PublicVar = F;
    type PeriodicVar = F;

    fn main(&self) -> Self::MainWindow {
        self.main
    }

    fn preprocessed(&self) -> &Self::PreprocessedWindow {
        &self.preprocessed
    }

    fn is_first_row(&self) -> F {
        F::from_bool(self.row == 0)
    }

    fn is_last_row(&self) -> F {
        F::from_bool(self.row + 1 == self.height)
    }

    fn is_transition(&self) -> F {
        F::from_bool(self.row + 1 != self.height)
    }

    fn assert_zero<I: Into<F>>(&mut self, x: I) {
        if x.into() != F::ZERO {
            self.findings.violated.push(self.constraints);
        }
        self.constraints += 1;
    }

    fn public_values(&self) -> &[F] {
        self.public_values
    }

    fn periodic_values(&self) -> &[F] {
        &self.periodic
    }
}

impl InteractionBuilder for RowChecker<'_> {
    fn push_interaction<E: Into<F>>(
        &mut self,
        bus_name: &str,
        fields: impl IntoIterator<Item = E>,
        count: impl Into<Count<F>>,
    ) {
        let fields = fields.into_iter().map(Into::into).collect();
        self.push(bus_name, fields, count.into().into_parts().0);
    }

    /// A lookup within one table balances there: it is a bus of its own.
    fn push_local_interaction(&mut self, tuples: impl IntoIterator<Item = (Vec<F>, Count<F>)>) {
        let bus = format!("{} local {}", self.table, self.local_buses);
        self.local_buses += 1;
        for (fields, count) in tuples {
            self.push(&bus, fields, count.into_parts().0);
        }
    }

    /// What the column of an exclusive slot stands for, whatever the flags are. With s the sum of
    /// the flags its fraction is `sum(flag count) / (sum(flag (alpha - message)) + 1 - s)`: for
    /// s = 1 and one flag that message, and for any other s but 0 some message all the same.
    fn push_exclusive_interaction(
        &mut self,
        bus_name: &str,
        branches: impl IntoIterator<Item = (F, Count<F>, Vec<F>)>,
    ) {
        let (mut flags, mut count, mut fields) = (F::ZERO, F::ZERO, vec![]);
        for (flag, branch_count, branch_fields) in branches {
            flags += flag;
            count += flag * branch_count.into_parts().0;
            fields.resize(branch_fields.len().max(fields.len()), F::ZERO);
            for (sum, field) in fields.iter_mut().zip(branch_fields) {
                *sum += flag * field;
            }
        }
        let Some(scale) = flags.try_inverse() else {
            // Nothing, or a fraction without alpha, which no message has.
            return self.push(&format!("{bus_name} of no message"), fields, count);
        };
        for field in &mut fields {
            *field *= scale;
        }
        // The last field is not multiplied by a challenge, as the 1 - s is not.
        if let Some(last) = fields.last_mut() {
            *last += (flags - F::ONE) * scale;
        }
        self.push(bus_name, fields, count * scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::range::{self, RangeChip};

    /// A report must name the row and the message, or it is of no use to anyone.
    #[test]
    fn a_report_names_what_is_wrong() {
        let mut trace = range::generate(&[5]);
        trace.row_mut(3)[0] = F::ZERO;
        let table = Table {
            name: "range",
            air: &RangeChip,
            trace: &trace,
            public_values: &[],
        };
        let report = check(&[table]);
        // Row 2 to 3, and 3 to 4.
        let violations: Vec<_> = report
            .violations
            .iter()
            .map(|v| (v.row, v.constraint))
            .collect();
        assert_eq!(violations, [(2, 1), (3, 1)]);
        assert_eq!(report.leftovers.len(), 1);
        let leftover = &report.leftovers[0];
        assert_eq!(
            (leftover.bus.as_str(), &leftover.fields),
            ("range", &vec![F::from_u8(5)])
        );
        assert_eq!(leftover.touches[0].row, 5);
        let text = report.to_string();
        assert!(text.contains("range row 2 constraint 1"), "{text}");
        assert!(text.contains("range [5], net -1"), "{text}");
    }

    /// What an exclusive slot says: bus, fields and count, if anything.
    fn said(branches: &[(i64, i64, [i64; 2])]) -> Option<(String, Vec<F>, F)> {
        let mut checker = RowChecker {
            table: "slot",
            main: RowWindow::from_two_rows(&[], &[]),
            preprocessed: RowWindow::from_two_rows(&[], &[]),
            public_values: &[],
            periodic: vec![],
            row: 0,
            height: 1,
            constraints: 0,
            local_buses: 0,
            findings: Findings {
                violated: vec![],
                messages: vec![],
            },
        };
        let branches = branches.iter().map(|&(flag, count, fields)| {
            let fields = fields.map(F::from_i64).to_vec();
            (
                F::from_i64(flag),
                Count::provided(F::from_i64(count)),
                fields,
            )
        });
        checker.push_exclusive_interaction("bus", branches);
        let message = checker.findings.messages.pop()?;
        Some((message.bus, message.fields, message.multiplicity))
    }

    /// The fraction of p3-lookup, and that of the message which the checker takes it for.
    fn fractions(branches: &[(i64, i64, [i64; 2])], alpha: F, beta: F) -> [F; 2] {
        let encoded = |fields: &[F]| alpha - fields[0] * beta - fields[1];
        let (mut above, mut below) = (F::ZERO, F::ONE);
        for &(flag, count, fields) in branches {
            let flag = F::from_i64(flag);
            above += flag * F::from_i64(count);
            below += flag * encoded(&fields.map(F::from_i64)) - flag;
        }
        let message = said(branches).map_or(F::ZERO, |(bus, fields, count)| {
            assert_eq!(bus, "bus");
            count * encoded(&fields).inverse()
        });
        [above * below.inverse(), message]
    }

    #[test]
    fn an_exclusive_slot_says_what_its_column_stands_for() {
        let (alpha, beta) = (F::from_u64(123_456_789_123), F::from_u64(987_654_321_987));
        for branches in [
            vec![(1, 1, [5, 6]), (0, 1, [7, 8])],
            vec![(0, 1, [5, 6]), (1, -1, [7, 8])],
            vec![(0, 1, [5, 6]), (0, 1, [7, 8])],
            vec![(2, 1, [5, 6]), (-1, 1, [5, 6])],
            vec![(2, 1, [5, 6]), (-1, 1, [7, 8])],
            vec![(1, 1, [5, 6]), (1, 1, [7, 8])],
            vec![(1, 1, [5, 6]), (1, 1, [7, 8]), (3, 2, [1, 2])],
        ] {
            let [column, message] = fractions(&branches, alpha, beta);
            assert_eq!(column, message, "{branches:?}");
        }
        // Both flags: neither message, and no other one that a table would have.
        let both = said(&[(1, 1, [5, 6]), (1, 1, [7, 8])]).unwrap();
        assert_ne!(both.1, [F::from_u8(5), F::from_u8(6)]);
        // Flags that cancel: no message of the bus.
        let cancelled = said(&[(1, 1, [5, 6]), (-1, 2, [7, 8])]).unwrap();
        assert_eq!(cancelled.0, "bus of no message");
    }
}
