use p3_field::{Field, PackedValue, PrimeField64};
use p3_goldilocks::default_goldilocks_poseidon2_12;
use p3_symmetric::Permutation;

use super::{WIDTH, permutation};
use shardfold_protocol::field::F;

type Packed = <F as Field>::Packing;

/// Numbers next to which additions, subtractions and halvings carry, and representatives of p and
/// more among them.
pub fn edges() -> Vec<u64> {
    let p = F::ORDER_U64;
    let centers = [
        0,
        1 << 31,
        1 << 32,
        1 << 33,
        p / 8,
        p / 4,
        p / 2,
        p - (1 << 32),
        p,
    ];
    let near = centers.iter().flat_map(|center: &u64| {
        (0..4).flat_map(move |away| [center.wrapping_add(away), center.wrapping_sub(away)])
    });
    near.collect()
}

/// What the kernel gives is what Plonky3's own gives, in every lane.
#[track_caller]
fn check(state: [Packed; WIDTH]) {
    let found = permutation().permute(state);
    let expected = default_goldilocks_poseidon2_12().permute(state);
    assert_eq!(found, expected, "{state:?}");
    let lane = |state: &[Packed; WIDTH], lane: usize| state.map(|x| x.as_slice()[lane]);
    let last = Packed::WIDTH - 1;
    let scalar = permutation().permute(lane(&state, last));
    assert_eq!(lane(&found, last), scalar, "{state:?}");
}

#[test]
fn packed_states_are_permuted_as_by_plonky3() {
    let mut seed = 1_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let edges = edges();
    for round in 0..20_000 {
        check(core::array::from_fn(|_| {
            Packed::from_fn(|_| {
                let number = random();
                let is_edge = round % 2 == 0;
                let edge = edges[(number % edges.len() as u64) as usize];
                F::new(if is_edge { edge } else { number })
            })
        }));
    }
    for edge in edges {
        check([Packed::from(F::new(edge)); WIDTH]);
    }
}
