//! Cheats with limbs: every column that is looked up, used or not.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField64};
use shardfold_contracts::layout::{LIMB_BITS, SHORT_BITS, SHORT_SCALE};
use shardfold_protocol::field::F;

use super::*;
use crate::testing::{cheats_of, table_refuses};

fn honest() -> ChipTrace {
    table_of(vec![cooked(ALICE_NONCE)], 1)
}

/// A step's limbs and short limbs, and one row that is that step.
fn used() -> Vec<(ChipTrace, usize, (usize, usize, usize))> {
    let shards = [(everything(), 4), (vec![cooked(ALICE_NONCE)], 1)];
    let rows = shards.into_iter().flat_map(|(plays, log_height)| {
        let chip = table_of(plays, log_height);
        let numbers = 0..height(&chip);
        let rows = numbers.filter_map(|number| {
            let used = step_of(&row(&chip, number))?.used;
            Some((chip.clone(), number, used))
        });
        rows.collect::<Vec<_>>()
    });
    rows.collect()
}

#[test]
fn a_limb_above_16_bits_in_an_unused_column() {
    let limit = F::from_u32(1 << LIMB_BITS);
    for column in layout().limbs_at()..layout().shorts_at() {
        table_refuses("range", &[honest().with_cell(1, column, limit)]);
    }
}

#[test]
fn a_short_limb_above_14_bits_in_an_unused_column() {
    // Four times it is in range, it itself is not; and the other way round.
    let quarter = F::from_u32(SHORT_SCALE).inverse();
    assert!(quarter.as_canonical_u64() > 1 << LIMB_BITS);
    for column in layout().shorts_at()..layout().free_at() {
        table_refuses("range", &[honest().with_cell(1, column, quarter)]);
        let limit = F::from_u32(1 << SHORT_BITS);
        table_refuses("range", &[honest().with_cell(1, column, limit)]);
    }
}

#[test]
fn a_limb_out_of_range_in_a_used_column() {
    let mut seen = std::collections::BTreeSet::new();
    for (chip, number, (limbs, shorts, _)) in used() {
        let cells = row(&chip, number);
        let step = step_of(&cells).expect("it is one");
        if !seen.insert((step.contract, step.number)) {
            continue;
        }
        let limbs = (0..limbs).map(|i| (layout().limbs_at() + i, 1 << LIMB_BITS));
        let shorts = (0..shorts).map(|i| (layout().shorts_at() + i, 1 << SHORT_BITS));
        for (column, limit) in limbs.chain(shorts) {
            let mut cheat = chip.with_cell(number, column, F::from_u32(limit));
            if !mend(&mut cheat, number, &[column]) {
                // The rules refuse it too, whatever the other cells are.
                continue;
            }
            if number + 1 < height(&chip) {
                settle(&mut cheat, number, &[]);
                for later in number + 1..height(&chip) {
                    assert!(mend(&mut cheat, later, &[]), "row {later}");
                }
            }
            table_refuses("range", &[cheat]);
        }
    }
}

#[test]
fn a_top_limb_of_another_width_that_is_too_wide() {
    // Within 16 bits, but above those that it has: only the check of its own width tells.
    for (chip, number, _) in used() {
        let cells = row(&chip, number);
        let step = step_of(&cells).expect("it is one");
        let odd = step
            .messages
            .iter()
            .filter(|message| message.bus == Bus::Range);
        for message in odd {
            let [field] = &message.fields[..] else {
                panic!("a range message has one field");
            };
            let scale = |column: usize| {
                let mut unit = F::zero_vec(layout().width());
                unit[column] = F::ONE;
                value(field, &unit, &chip.public_values).as_canonical_u64()
            };
            let mut columns = layout().limbs_at()..layout().shorts_at();
            let column = columns.find(|&column| scale(column) != 0).expect("a limb");
            let limit = (1 << LIMB_BITS) / scale(column);
            let mut cheat = chip.with_cell(number, column, F::from_u64(limit));
            if !mend(&mut cheat, number, &[column]) {
                // The rules refuse it too, whatever the other cells are.
                continue;
            }
            table_refuses("range", &[cheat]);
        }
    }
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_limb_above_16_bits_in_an_unused_column),
        cheats_of(a_short_limb_above_14_bits_in_an_unused_column),
        cheats_of(a_limb_out_of_range_in_a_used_column),
        cheats_of(a_top_limb_of_another_width_that_is_too_wide),
    ]
    .concat()
}
