use super::*;
use crate::difference::extend_data;
use crate::field::MODULUS;

/// Elements of every size, the largest among them.
fn some(blocks: usize) -> Vec<F> {
    let element = |i: usize| match i % 5 {
        0 => MODULUS - 1 - i as u64,
        1 => i as u64,
        2 => 1 << (i % 64),
        3 => u64::from(u32::MAX) << 32,
        _ => (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % MODULUS,
    };
    (0..BLOCK * blocks)
        .map(|i| F::from_u64(element(i)))
        .collect()
}

fn ends(elements: &[F]) -> [Digest; 2] {
    let before = [1, 2, 3, 4].map(F::from_u64);
    [before, extend_data(&before, elements)]
}

fn back(coefficients: &[Coefficient], elements: &[F]) -> Result<Vec<F>, DataError> {
    let [before, after] = ends(elements);
    differences(coefficients, &before, &after)
}

#[test]
fn differences_survive_the_round_trip() {
    for blocks in [0, 1, 2, 30, 31, 32, 61, 62, 63, 100] {
        let elements = some(blocks);
        let coefficients = coefficients(&elements).unwrap();
        assert_eq!(coefficients.len(), blocks.div_ceil(GROUP_BLOCKS) * GROUP);
        assert!(coefficients.iter().all(|words| words[3] >> 62 == 0));
        assert_eq!(back(&coefficients, &elements).as_ref(), Ok(&elements));
        // As in blobs, which are full.
        let mut padded = coefficients.clone();
        padded.resize(coefficients.len() + 4096, [0; 4]);
        assert_eq!(back(&padded, &elements).as_ref(), Ok(&elements));
    }
}

#[test]
fn zeros_at_the_end_count_as_the_chain_says() {
    let mut elements = some(40);
    for more in 0..3 {
        let mut coefficients = coefficients(&elements).unwrap();
        while coefficients.last() == Some(&[0; 4]) {
            coefficients.pop();
        }
        assert_eq!(
            back(&coefficients, &elements).as_ref(),
            Ok(&elements),
            "{more}"
        );
        elements.extend([F::ZERO; BLOCK]);
    }
    let zeros = vec![F::ZERO; BLOCK];
    assert_eq!(back(&[], &zeros), Ok(zeros));
}

#[test]
fn as_many_blocks_fit_as_the_polynomial_has_room_for() {
    let elements = vec![F::ONE; BLOCK * MOST_BLOCKS];
    let all = coefficients(&elements).unwrap();
    assert_eq!(all.len(), COEFFICIENTS);
    assert_eq!(back(&all, &elements), Ok(elements.clone()));
    let more = [&elements[..], &[F::ONE; BLOCK]].concat();
    let found = MOST_BLOCKS + 1;
    assert_eq!(coefficients(&more), Err(TooMuchData { found }));
    let found = COEFFICIENTS + 1;
    let longer = [&all[..], &[[0; 4]]].concat();
    assert_eq!(back(&longer, &elements), Err(DataError::Length { found }));
}

#[test]
fn the_layout_is_as_documented() {
    let top = F::from_u64(3 << 62 | 5);
    let elements = [
        [F::ONE, F::TWO, F::ZERO, top],
        [F::ZERO, F::ZERO, F::ZERO, top],
    ]
    .concat();
    // 3 2^62 + 5 is below p.
    let all = coefficients(&elements).unwrap();
    assert_eq!(all[0], [1, 2, 0, 5]);
    assert_eq!(all[1], [0, 0, 0, 5]);
    assert_eq!(all[2], [0; 4]);
    assert_eq!(all[31], [3 | 3 << 2, 0, 0, 0]);
}

#[test]
fn other_coefficients_are_refused() {
    let elements = some(35);
    let all = coefficients(&elements).unwrap();
    let with = |position: usize, change: fn(&mut Coefficient)| {
        let mut changed = all.clone();
        change(&mut changed[position]);
        back(&changed, &elements).unwrap_err()
    };
    let at = |error| match error {
        DataError::Coefficient { position, .. } => position,
        other => panic!("{other}"),
    };
    // A bit that no coefficient has.
    assert_eq!(at(with(3, |words| words[3] |= 1 << 62)), 3);
    // An element of p or more.
    assert_eq!(at(with(33, |words| words[1] = MODULUS)), 33);
    // Top bits beside those of 31 blocks.
    assert_eq!(at(with(31, |words| words[0] |= 1 << 62)), 31);
    assert_eq!(at(with(31, |words| words[2] = 1)), 31);
    // Other differences, or other top bits.
    assert_eq!(with(3, |words| words[2] ^= 1), DataError::Chain);
    assert_eq!(with(63, |words| words[0] ^= 1 << 20), DataError::Chain);
    assert_eq!(back(&all[..32], &elements), Err(DataError::Chain));
}

#[test]
fn evaluations_survive_the_round_trip() {
    let evaluation = Evaluation {
        point: [POINT_LIMIT - 1, 7],
        value: [1, u64::MAX, 1 << 32, 0x73ed_a753_299d_7d48],
    };
    let elements = evaluation.elements();
    assert_eq!(elements[2..4], [F::ONE, F::ZERO]);
    assert_eq!(elements[4..6], [F::from_u32(u32::MAX); 2]);
    assert_eq!(Evaluation::from_elements(&elements), Some(evaluation));
    for i in 2..EVALUATION_ELEMENTS {
        let mut changed = elements;
        changed[i] = F::from_u64(1 << 32);
        assert_eq!(Evaluation::from_elements(&changed), None, "{i}");
    }
}
