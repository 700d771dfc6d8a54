//! Constraints of a touched inner node.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;

use super::columns::{Child, NodeColumns, WIDTH};
use crate::bus::{ChipBuilder, HashBus, NodeBus, NodeMessage};
use shardfold_protocol::field::F;

/// The touched inner nodes of the state tree.
#[derive(Clone, Copy, Debug)]
pub struct NodeChip;

impl BaseAir<F> for NodeChip {
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

impl<AB: ChipBuilder> Air<AB> for NodeChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = NodeColumns::of(main.current_slice().iter().copied());

        for child in [&row.left, &row.right] {
            // A child is touched or not.
            builder.assert_bool(child.is_touched);
            // An untouched child keeps its digest.
            builder
                .when(AB::Expr::ONE - child.is_touched)
                .assert_zeros::<4, AB::Expr>(core::array::from_fn(|i| child.old[i] - child.new[i]));
        }

        interact(builder, &row);
    }
}

fn interact<AB: ChipBuilder>(builder: &mut AB, row: &NodeColumns<AB::Var>) {
    // One of the children is touched, so that no real row stands on nothing.
    let (left, right) = (row.left.is_touched, row.right.is_touched);
    let is_real: AB::Expr = left + right - left * right;

    let before = children::<AB>(row.left.old, row.right.old);
    let after = children::<AB>(row.left.new, row.right.new);
    HashBus::request(builder, before, row.old.map(Into::into), is_real.clone());
    HashBus::request(builder, after, row.new.map(Into::into), is_real.clone());

    let node = NodeMessage {
        level: row.level.into(),
        index: row.index.into(),
        old: row.old.map(Into::into),
        new: row.new.map(Into::into),
    };
    NodeBus::send(builder, node, is_real);
    take_child(builder, row, &row.left, AB::Expr::ZERO);
    take_child(builder, row, &row.right, AB::Expr::ONE);
}

fn take_child<AB: ChipBuilder>(
    builder: &mut AB,
    row: &NodeColumns<AB::Var>,
    child: &Child<AB::Var>,
    side: AB::Expr,
) {
    let message = NodeMessage {
        level: row.level - AB::Expr::ONE,
        index: row.index * AB::Expr::TWO + side,
        old: child.old.map(Into::into),
        new: child.new.map(Into::into),
    };
    NodeBus::receive(builder, message, child.is_touched.into());
}

fn children<AB: ChipBuilder>(left: [AB::Var; 4], right: [AB::Var; 4]) -> [AB::Expr; 8] {
    core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] }.into())
}
