use p3_field::PrimeCharacteristicRing;
use proptest::prelude::*;

use super::*;
use crate::curve::testing::outside;
use crate::curve::{AffinePoint, F5, GENERATOR, Point, Scalar};
use crate::signature::{Account, challenge};

const CHAIN: F = F::TWO;
const EXIT: Address = Address([0xee; 20]);

fn message(seed: usize) -> Digest {
    core::array::from_fn(|i| F::from_usize(seed) * F::from_usize(i + 1))
}

/// A valid claim; every third is by the same key.
fn valid(i: usize) -> Claim {
    let account = Account::from_index(1, if i.is_multiple_of(3) { 0 } else { i as u64 });
    let message = message(i);
    Claim {
        public_key: account.public_key(),
        exit_address: account.exit_address,
        message,
        signature: account.sign(CHAIN, &message),
    }
}

fn valid_claims(count: usize) -> Vec<Claim> {
    (0..count).map(valid).collect()
}

fn multiple_of_g(factor: Scalar) -> AffinePoint {
    Point::mul_generator(&factor).to_affine().unwrap()
}

/// A claim with P = d G and R = k G, each possibly replaced by a point that the challenge is
/// made for; s = k + e d.
fn signed_for(
    d: Scalar,
    k: Scalar,
    message: Digest,
    of_key: impl Fn(AffinePoint) -> AffinePoint,
    of_r: impl Fn(AffinePoint) -> AffinePoint,
) -> (Claim, u128) {
    let public_key = PublicKey(of_key(multiple_of_g(d)));
    let r = of_r(multiple_of_g(k));
    let owner = public_key.owner(CHAIN, &EXIT);
    let e = challenge_scalar(&challenge(CHAIN, &r, &owner, &message));
    let s = k + Scalar::from(e) * d;
    let signature = Signature { r, s };
    let claim = Claim {
        public_key,
        exit_address: EXIT,
        message,
        signature,
    };
    (claim, e)
}

/// Ways to make a claim invalid.
const FORGERIES: usize = 13;

fn forge(claim: &mut Claim, way: usize) {
    let signature = &mut claim.signature;
    let other = Account::from_index(9, 9);
    match way {
        0 => signature.s = signature.s + Scalar::ONE,
        1 => signature.r = -signature.r,
        2 => claim.message[3] += F::ONE,
        3 => claim.public_key = other.public_key(),
        4 => signature.r = outside(&signature.r),
        5 => claim.public_key = PublicKey(outside(&claim.public_key.0)),
        6 => signature.r.y += F5::ONE,
        7 => claim.public_key.0.x += F5::ONE,
        8 => *signature = other.sign(CHAIN, &claim.message),
        9 => signature.r = claim.public_key.0,
        10 => signature.s = Scalar::ZERO,
        11 => claim.exit_address = other.exit_address,
        _ => signature.r = *GENERATOR,
    }
}

/// Asserts that many are checked as each is; gives how many are valid.
fn check(claims: &[Claim]) -> usize {
    let expected: Vec<Verdict> = claims
        .iter()
        .map(|claim| Verdict {
            owner: claim.public_key.owner(CHAIN, &claim.exit_address),
            is_valid: claim.public_key.verify(
                CHAIN,
                &claim.exit_address,
                &claim.message,
                &claim.signature,
            ),
        })
        .collect();
    assert_eq!(verify_many(CHAIN, claims), expected);
    expected.iter().filter(|verdict| verdict.is_valid).count()
}

#[test]
fn all_valid_and_all_forged() {
    for count in [0, 1, 7, 8, 9, 63, 64, 65, 1000] {
        let mut claims = valid_claims(count);
        assert_eq!(check(&claims), count);
        for (i, claim) in claims.iter_mut().enumerate() {
            forge(claim, i % FORGERIES);
        }
        assert_eq!(check(&claims), 0);
    }
}

#[test]
fn each_forgery_is_found_wherever_it_is() {
    let claims = valid_claims(150);
    for way in 0..FORGERIES {
        for place in [0, 63, 149] {
            let mut claims = claims.clone();
            forge(&mut claims[place], way);
            assert_eq!(check(&claims), 149, "forgery {way}");
        }
    }
}

/// Signatures that would be valid if N were neutral, singly and in pairs.
#[test]
fn torsion_does_not_cancel() {
    let (d, k) = (Scalar::from(77), Scalar::from(99));
    let same = |point| point;
    let of_pair = |point: AffinePoint| outside(&point);
    let mut claims = valid_claims(100);
    // The weights of both would often be odd, and their errors N would cancel.
    claims[10] = signed_for(d, k, message(1), same, of_pair).0;
    claims[11] = signed_for(d, k, message(2), same, of_pair).0;
    // An even challenge takes N out of the key.
    let with_even_challenge = (0..)
        .map(|i| signed_for(d, k, message(i), of_pair, same))
        .find(|(_, e)| e.is_multiple_of(2));
    claims[12] = with_even_challenge.unwrap().0;
    claims[13] = signed_for(d, k, message(3), of_pair, of_pair).0;
    claims[14] = signed_for(d, k, message(4), same, same).0;
    assert_eq!(check(&claims), 96);
}

#[test]
fn errors_that_cancel_with_equal_weights_are_found() {
    let mut claims = valid_claims(100);
    // Next to each other, so that they are in the same sums.
    claims[20].signature.s = claims[20].signature.s + Scalar::from(5);
    claims[21].signature.s = claims[21].signature.s - Scalar::from(5);
    assert_eq!(check(&claims), 98);
}

#[test]
fn claims_that_share_points_are_as_valid_as_alone() {
    let (d, k) = (Scalar::from(77), Scalar::from(99));
    let same = |point| point;
    let sign = |d, k, i| signed_for(d, k, message(i), same, same).0;
    let mut claims = valid_claims(64);
    // R_i = R_j, under one key and under two; R = P; P = G; R = G; a claim many times.
    claims.extend((0..20).map(|i| sign(d, k, i)));
    claims.extend((0..20).map(|i| sign(k, d, i)));
    claims.extend([
        sign(d, d, 1),
        sign(Scalar::ONE, k, 1),
        sign(d, Scalar::ONE, 1),
    ]);
    claims.extend([
        sign(Scalar::ONE, Scalar::ONE, 1),
        sign(d, -d, 1),
        sign(-d, d, 1),
    ]);
    claims.extend([valid(5); 30]);
    assert_eq!(check(&claims), claims.len());
    let forged: Vec<usize> = (64..claims.len()).step_by(5).collect();
    for i in &forged {
        forge(&mut claims[*i], 0);
    }
    assert_eq!(check(&claims), claims.len() - forged.len());
}

#[test]
fn a_signature_for_another_chain_is_invalid() {
    let claims = valid_claims(80);
    let verdicts = verify_many(F::ONE, &claims);
    for (verdict, claim) in verdicts.iter().zip(&claims) {
        assert!(!verdict.is_valid);
        assert_ne!(
            verdict.owner,
            claim.public_key.owner(CHAIN, &claim.exit_address)
        );
    }
}

/// A point with x = 0 is not in the group and has no encoding of its own.
#[test]
fn a_key_or_commitment_with_x_zero_is_invalid() {
    let mut claims = valid_claims(80);
    claims[3].signature.r.x = F5::ZERO;
    claims[4].public_key.0.x = F5::ZERO;
    assert_eq!(check(&claims), 78);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut claims = valid_claims(700);
    for i in [0, 5, 64, 350, 699] {
        forge(&mut claims[i], i % FORGERIES);
    }
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build()
            .unwrap()
            .install(|| verify_many(CHAIN, &claims))
    };
    let expected = with_threads(1);
    assert_eq!(expected.iter().filter(|v| !v.is_valid).count(), 5);
    assert_eq!(with_threads(2), expected);
    assert_eq!(with_threads(5), expected);
}

/// A search through `count` equations, of which those in these places do not hold; how many
/// equations its sums had.
fn summed(count: usize, is_wrong: impl Fn(usize) -> bool) -> usize {
    let right = equations(CHAIN, &[valid(1)])[0].1.unwrap();
    let wrong = Equation {
        challenge: right.challenge ^ 1,
        ..right
    };
    let all: Vec<Equation> = (0..count)
        .map(|i| if is_wrong(i) { wrong } else { right })
        .collect();
    let mut search = Search::new(StdRng::seed_from_u64(1), count);
    search.run(&all);
    let expected: Vec<bool> = (0..count).map(|i| !is_wrong(i)).collect();
    assert_eq!(search.found, expected);
    search.summed
}

/// However wrong claims are placed, their sums have at most 3.2 times as many equations as
/// there are.
#[test]
fn sums_are_given_up_where_wrong_claims_abound() {
    let count = MOST_PER_SUM;
    assert_eq!(summed(count, |_| false), count);
    let one = summed(count, |i| i == count - 1);
    assert!(one > 2 * count && 5 * one <= 16 * count, "{one}");
    let all = summed(count, |_| true);
    assert!(all < 2 * count, "{all}");
    let sparse = summed(count, |i| i % 128 == 127);
    assert!(5 * sparse <= 16 * count, "{sparse}");
    // Each as soon as those before it no longer keep a sum of the smallest size from its place.
    let (mut placed, mut wrong) = (0, vec![false; count]);
    for (i, is_wrong) in wrong.iter_mut().enumerate() {
        *is_wrong = i >= 2 * WORTH_A_SUM * placed;
        placed += usize::from(*is_wrong);
    }
    let greedy = summed(count, |i| wrong[i]);
    assert!(5 * greedy <= 16 * count, "{greedy}");
}

/// More claims than one sum has, the invalid ones on both sides of where the sums meet.
#[test]
fn claims_of_several_sums_keep_their_places() {
    let few = valid_claims(97);
    let mut claims: Vec<Claim> = few
        .iter()
        .copied()
        .cycle()
        .take(MOST_PER_SUM + 200)
        .collect();
    let size = claims_per_sum(claims.len(), rayon::current_num_threads());
    assert!(size < claims.len());
    let places = [0, size - 1, size, claims.len() - 1];
    for place in places {
        forge(&mut claims[place], 0);
    }
    let verdicts = verify_many(CHAIN, &claims);
    let owners: Vec<Digest> = few
        .iter()
        .map(|claim| claim.public_key.owner(CHAIN, &claim.exit_address))
        .collect();
    for (i, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict.owner, owners[i % few.len()]);
        assert_eq!(verdict.is_valid, !places.contains(&i), "claim {i}");
    }
    assert_eq!(verdicts.len(), claims.len());
}

#[test]
fn more_threads_do_not_make_sums_small() {
    assert_eq!(claims_per_sum(0, 2), LEAST_PER_SUM);
    assert_eq!(claims_per_sum(1 << 17, 1), MOST_PER_SUM);
    assert_eq!(claims_per_sum(1 << 17, 2), MOST_PER_SUM);
    assert_eq!(claims_per_sum(1 << 14, 2), MOST_PER_SUM / 2);
    assert_eq!(claims_per_sum(1 << 14, 128), LEAST_PER_SUM);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_mix_is_checked_as_each_claim(
        count in 1..400_usize,
        forgeries in proptest::collection::vec((any::<proptest::sample::Index>(), 0..FORGERIES), 0..40),
    ) {
        let mut claims = valid_claims(count);
        for (place, way) in forgeries {
            forge(&mut claims[place.index(count)], way);
        }
        check(&claims);
    }
}
