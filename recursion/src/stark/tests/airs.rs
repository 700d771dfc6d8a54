//! Toy chips that use everything the verifier knows: heights, next rows, public values,
//! preprocessed and periodic columns, and lookups of every kind.

use std::borrow::Cow;

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;

use crate::config::F;

/// The toy chips. Their heights are `2^log_rows`.
#[derive(Clone, Copy, Debug)]
pub enum Toy {
    /// Counts from its first public value to its second, and looks up each number's cube and,
    /// twice on one bus, that it is small.
    Counter { log_rows: usize },
    /// The small numbers, preprocessed; reads no next row.
    Small { log_rows: usize },
    /// Cubes of a preprocessed counter; reads the next preprocessed row and a periodic column,
    /// and permutes a column within itself.
    Cubes { log_rows: usize },
    /// Many columns, no lookups and no next row.
    Wide { log_rows: usize },
}

/// The columns of [`Toy::Wide`]: more than two rows of a reducing gate.
const WIDE: usize = 90;

impl Toy {
    /// log2 of the rows.
    pub fn log_rows(&self) -> usize {
        match *self {
            Self::Counter { log_rows }
            | Self::Small { log_rows }
            | Self::Cubes { log_rows }
            | Self::Wide { log_rows } => log_rows,
        }
    }

    /// The trace of the chip beside a counter that starts at `first` and has `count` rows.
    pub fn trace(&self, first: usize, count: usize) -> RowMajorMatrix<F> {
        let rows = 1 << self.log_rows();
        let number = F::from_usize;
        let values: Vec<F> = match self {
            Self::Counter { .. } => (0..rows)
                .flat_map(|i| [number(first + i), number(first + i).cube()])
                .collect(),
            Self::Small { .. } => (0..rows)
                .map(|i| {
                    let as_value = usize::from((first..first + count).contains(&i));
                    let as_double =
                        usize::from(i % 2 == 0 && (first..first + count).contains(&(i / 2)));
                    number(as_value + as_double)
                })
                .collect(),
            Self::Cubes { .. } => (0..rows)
                .flat_map(|i| {
                    let asked = (first..first + count).contains(&i);
                    [
                        number(i).cube(),
                        number(usize::from(asked)),
                        number(i) * number(1 + i % 4),
                        number(rows - 1 - i),
                        number(i) * number(i + 1),
                    ]
                })
                .collect(),
            Self::Wide { .. } => (0..rows)
                .flat_map(|i| {
                    (0..WIDE).map(move |j| number(i * i + 3 * (j / 3)).exp_u64(1 + j as u64 % 3))
                })
                .collect(),
        };
        RowMajorMatrix::new(values, BaseAir::<F>::width(self))
    }
}

impl BaseAir<F> for Toy {
    fn width(&self) -> usize {
        match self {
            Self::Counter { .. } => 2,
            Self::Small { .. } => 1,
            Self::Cubes { .. } => 5,
            Self::Wide { .. } => WIDE,
        }
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        match self {
            Self::Small { log_rows } | Self::Cubes { log_rows } => {
                let numbers = (0..1 << log_rows).map(F::from_usize).collect();
                Some(RowMajorMatrix::new(numbers, 1))
            }
            _ => None,
        }
    }

    fn preprocessed_width(&self) -> usize {
        usize::from(matches!(self, Self::Small { .. } | Self::Cubes { .. }))
    }

    fn num_periodic_columns(&self) -> usize {
        usize::from(matches!(self, Self::Cubes { .. }))
    }

    fn periodic_columns(&self) -> Cow<'_, [Vec<F>]> {
        match self {
            Self::Cubes { .. } => Cow::Owned(vec![(1..=4).map(F::from_usize).collect()]),
            _ => Cow::Borrowed(&[]),
        }
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        match self {
            Self::Counter { .. } => vec![0],
            _ => vec![],
        }
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        match self {
            Self::Cubes { .. } => vec![0],
            _ => vec![],
        }
    }

    fn num_public_values(&self) -> usize {
        match self {
            Self::Counter { .. } => 2,
            _ => 0,
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Toy {
    fn eval(&self, builder: &mut AB) {
        match self {
            Self::Counter { .. } => eval_counter(builder),
            Self::Small { .. } => {
                let count = builder.main().current(0).unwrap().into();
                let number: AB::Expr = builder.preprocessed().current(0).unwrap().into();
                builder.push_interaction("small", [number], Count::provided(-count));
            }
            Self::Cubes { .. } => eval_cubes(builder),
            Self::Wide { .. } => {
                let main = builder.main();
                for triple in main.current_slice().chunks(3) {
                    let [a, b, c]: [AB::Expr; 3] = core::array::from_fn(|i| triple[i].into());
                    builder.assert_eq(a.clone() * a.clone(), b.clone());
                    builder.assert_eq(a * b, c);
                }
            }
        }
    }
}

fn eval_counter<AB: InteractionBuilder<F = F>>(builder: &mut AB) {
    let main = builder.main();
    let number: AB::Expr = main.current(0).unwrap().into();
    let cube: AB::Expr = main.current(1).unwrap().into();
    let next: AB::Expr = main.next(0).unwrap().into();
    let first: AB::Expr = builder.public_values()[0].into();
    let last: AB::Expr = builder.public_values()[1].into();
    builder.when_first_row().assert_eq(number.clone(), first);
    builder.when_last_row().assert_eq(number.clone(), last);
    builder
        .when_transition()
        .assert_eq(next, number.clone() + AB::Expr::ONE);
    builder.assert_eq(number.clone().cube(), cube.clone());
    builder.push_interaction("cube", [number.clone(), cube], 1);
    builder.push_interaction("small", [number.clone()], 1);
    builder.push_interaction("small", [number.double()], 1);
}

fn eval_cubes<AB: InteractionBuilder<F = F>>(builder: &mut AB) {
    let main = builder.main();
    let column = |i: usize| -> AB::Expr { main.current(i).unwrap().into() };
    let number: AB::Expr = builder.preprocessed().current(0).unwrap().into();
    let next: AB::Expr = builder.preprocessed().next(0).unwrap().into();
    let period: AB::Expr = builder.periodic_values()[0].into();
    builder.assert_eq(number.clone().cube(), column(0));
    builder.assert_eq(number.clone() * period, column(2));
    builder
        .when_transition()
        .assert_eq(number.clone() * next, column(4));
    builder.push_interaction(
        "cube",
        [number.clone(), column(0)],
        Count::provided(-column(1)),
    );
    builder.push_local_interaction([
        (vec![number], Count::bounded(AB::Expr::ONE, 1)),
        (vec![column(3)], Count::bounded(-AB::Expr::ONE, 1)),
    ]);
}
