use super::*;
use crate::curve::hash_to_curve;
use crate::curve::testing::outside;

/// Elements of the group between points that are on the curve only, or nowhere.
fn points(count: u32) -> Vec<AffinePoint> {
    (0..count)
        .map(|i| {
            let point = hash_to_curve(i);
            match i % 7 {
                // P + N: on the curve, x no square.
                1 => outside(&point),
                2 => AffinePoint {
                    y: point.y + F5::ONE,
                    ..point
                },
                // N itself.
                4 => AffinePoint {
                    x: F5::ZERO,
                    y: F5::ZERO,
                },
                5 => AffinePoint {
                    x: F5::ZERO,
                    ..point
                },
                _ => point,
            }
        })
        .collect()
}

#[test]
fn membership_and_encodings_are_those_of_each_point() {
    let most = (2 * REGISTERS * LANES + 1) as u32;
    for count in [0, 1, 7, 8, 9, 31, 32, 33, most] {
        let points = points(count);
        let expected: Vec<Encoding> = points
            .iter()
            .map(|point| Encoding {
                w: point.encode(),
                is_in_group: point.is_in_group(),
            })
            .collect();
        assert_eq!(encode_many(&points), expected, "{count} points");
        let membership: Vec<bool> = expected.iter().map(|e| e.is_in_group).collect();
        assert_eq!(are_in_group(&points), membership);
        assert_eq!(
            membership.iter().all(|is_in_group| *is_in_group),
            count <= 1
        );
    }
}
