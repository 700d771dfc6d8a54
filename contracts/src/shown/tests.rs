//! Names of records and totals.

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::record::RECORD_ELEMENTS;

use super::*;
use crate::set::standard;

#[test]
fn every_element_of_every_kind_has_its_place() {
    for kind in KINDS {
        let lengths = kind.parts.iter().map(|part| match part {
            Number(_) | Fixed => 1,
            Hash(_) => 4,
        });
        let elements: usize = lengths.sum();
        assert_eq!(elements + 1, RECORD_ELEMENTS, "{}", kind.name);
        let record = Record(core::array::from_fn(|i| match i {
            0 => F::from_u64(kind.number),
            i => F::from_usize(100 + i),
        }));
        assert_eq!(
            RecordKind::of(&record).map(|kind| kind.name),
            Some(kind.name)
        );
        let numbers = kind.values(&record).into_iter();
        let numbers: Vec<u64> = numbers
            .filter_map(|(_, value)| match value {
                Value::Number(number) => Some(number),
                Value::Digest(_) => None,
            })
            .collect();
        assert!(numbers.is_sorted(), "{}", kind.name);
        assert_eq!(numbers[0], 101);
    }
    assert!(RecordKind::of(&Record::EMPTY).is_none());
}

#[test]
fn a_pool_has_a_price() {
    let pool = Pool {
        asset_a: 0,
        asset_b: 1,
        reserve_a: 3_000,
        reserve_b: 7_000,
        shares: 4_582,
        fee: 3_000,
    };
    let record = Record::from(pool);
    let kind = RecordKind::of(&record).expect("a pool");
    let texts = kind.texts(&record);
    assert_eq!(texts.last(), Some(&("price", "2.33333333".to_owned())));
    assert!(texts.contains(&("fee_millionths", "3000".to_owned())));
}

#[test]
fn ratios_are_cut_after_nine_digits() {
    for (numerator, denominator, expected) in [
        (0, 5, "0"),
        (5, 5, "1"),
        (1, 8, "0.125"),
        (1, 3, "0.333333333"),
        (1, 3_000, "0.000333333333"),
        (20_000, 3, "6666.66666"),
        (u64::MAX, 7, "2635249153387078802"),
        (1, u64::MAX, "0.0000000000000000000542101086"),
        (1_000_000_000_000, 999_999_999_999, "1"),
    ] {
        let found = ratio(numerator, denominator);
        assert_eq!(
            found.as_deref(),
            Some(expected),
            "{numerator}/{denominator}"
        );
    }
    assert_eq!(ratio(1, 0), None);
}

/// A total that names no field of its contract would never be there.
#[test]
fn totals_name_indices_of_the_body() {
    for law in standard().list() {
        for total in law.totals() {
            let (Total::Loss { vault, .. } | Total::Gain { vault, .. }) = total else {
                continue;
            };
            let mut fields = law.fields().iter();
            let is_there = fields.any(|field| is_index(field, vault));
            assert!(is_there, "{}: {total:?}", law.name());
        }
    }
}

#[test]
fn terms_have_their_rates() {
    let rates = Rates {
        slope1: 40_000,
        slope2: (1 << 22) - 1,
        fee: 250_000,
    };
    assert_eq!(Rates::unpacked(rates.packed()), rates);
    let mut record = Record::EMPTY;
    record.0[0] = F::from_u64(KIND_TERMS);
    record.0[6] = rates.packed();
    let kind = RecordKind::of(&record).expect("terms");
    let texts = kind.texts(&record);
    assert!(texts.contains(&("rate_millionths", "40000".to_owned())));
    assert!(texts.contains(&("fee_millionths", "250000".to_owned())));
}
