use super::*;
use crate::curve::hash_to_curve;
use crate::curve::packed_point::from_row;
use crate::curve::point::Point;

/// The sum by complete formulas.
fn naive(points: &[AffinePoint]) -> AffinePoint {
    let members = points.iter().filter(|point| **point != NEUTRAL);
    let sum = members.fold(Point::NEUTRAL, |sum, point| sum + *point);
    sum.to_affine().unwrap_or(NEUTRAL)
}

fn check(lists: &[Vec<AffinePoint>]) {
    // Every third addend is the opposite of a point's opposite.
    let all: Vec<AffinePoint> = lists.concat();
    let is_negative = |i: usize| i.is_multiple_of(3);
    let point = |i| if is_negative(i) { -all[i] } else { all[i] };
    let rows: Vec<Row> = (0..all.len()).map(|i| to_row(&point(i))).collect();
    let addends: Vec<Addend> = (0..all.len())
        .map(|i| Addend::new(i, is_negative(i)))
        .collect();
    let lengths = lists.iter().map(|list| list.len() as u32).collect();
    let expected: Vec<AffinePoint> = lists.iter().map(|list| naive(list)).collect();
    let sums = sum_lists(&rows, &addends, lengths);
    assert_eq!(sums.iter().map(from_row).collect::<Vec<_>>(), expected);
}

#[test]
fn lists_of_all_lengths_are_summed() {
    let points: Vec<AffinePoint> = (0..40).map(hash_to_curve).collect();
    check(&[]);
    check(&[vec![], vec![], vec![]]);
    check(
        &(0..40)
            .map(|length| points[..length].to_vec())
            .collect::<Vec<_>>(),
    );
    // More additions than share an inversion.
    check(&vec![points[..9].to_vec(); BLOCK / 2]);
}

#[test]
fn special_cases_are_added_right_in_every_lane() {
    let [p, q] = [hash_to_curve(1), hash_to_curve(2)];
    let twice = p.double().unwrap();
    let special = [
        vec![p, p],
        vec![p, -p],
        vec![p, NEUTRAL],
        vec![NEUTRAL, p],
        vec![NEUTRAL, NEUTRAL],
        vec![p, p, p],
        vec![p, -p, q],
        vec![p, -p, q, -q],
        vec![p, -p, q, -q, p],
        vec![p, p, -twice, q],
        vec![p, p, -p, -p, -p],
        vec![p; 64],
        [vec![p; 32], vec![-p; 32]].concat(),
    ];
    for list in &special {
        for shift in 0..LANES {
            let mut lists = vec![vec![p, q]; 2 * LANES];
            lists[shift] = list.clone();
            check(&lists);
        }
    }
    check(&special);
}
