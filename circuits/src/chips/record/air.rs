//! Constraints of a touched record.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;

use super::columns::{RecordColumns, WIDTH};
use crate::bus::{ChipBuilder, HashBus, NodeBus, NodeMessage, StateBus, StateMessage};
use shardfold_protocol::field::F;

/// The touched records.
#[derive(Clone, Copy, Debug)]
pub struct RecordChip;

impl BaseAir<F> for RecordChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // More than is needed, so that two messages of a bus share one column.
        Some(3)
    }
}

impl<AB: ChipBuilder> Air<AB> for RecordChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = RecordColumns::of(main.current_slice().iter().copied());

        // A row is real or padding.
        builder.assert_bool(row.is_real);

        interact(builder, &row);
    }
}

fn interact<AB: ChipBuilder>(builder: &mut AB, row: &RecordColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let (first, last) = (row.first.map(Into::into), row.last.map(Into::into));
    let (old, new) = (row.old.map(Into::into), row.new.map(Into::into));

    HashBus::request(builder, row.first.map(Into::into), old, is_real.clone());
    HashBus::request(builder, row.last.map(Into::into), new, is_real.clone());

    let enters = StateMessage {
        index: row.index.into(),
        clock: AB::Expr::ZERO,
        record: first,
    };
    StateBus::send(builder, enters, is_real.clone());
    let leaves = StateMessage {
        index: row.index.into(),
        clock: row.last_clock.into(),
        record: last,
    };
    StateBus::receive(builder, leaves, is_real.clone());

    let leaf = NodeMessage {
        level: AB::Expr::ZERO,
        index: row.index.into(),
        old: row.old.map(Into::into),
        new: row.new.map(Into::into),
    };
    NodeBus::send(builder, leaf, is_real);
}
