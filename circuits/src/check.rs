//! Why a proof would be refused: evaluates constraints on every row of every trace, and
//! names the messages that do not balance (after Stwo's relation tracker).
//!
//! A STARK verifier only says that something is wrong somewhere. This says what and where.

use std::collections::HashMap;
use std::fmt;

use p3_air::{Air, AirBuilder, RowWindow};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
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

    fn push_exclusive_interaction(
        &mut self,
        bus_name: &str,
        branches: impl IntoIterator<Item = (F, Count<F>, Vec<F>)>,
    ) {
        for (flag, count, fields) in branches {
            self.push(bus_name, fields, flag * count.into_parts().0);
        }
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
}
