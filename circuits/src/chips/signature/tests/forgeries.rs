//! Forged signatures of a key whose secret the forger does not know. Each needs one field of
//! one bus to be taken out; all constraints hold.
//!
//! The forger's own key A = a·G stands on a padding row, whose challenge nobody asks for.
//! The row of the victim's key P claims e·A for e·P, so that s = k + e·a fits R = k·G. The
//! padding row takes what is left: with any s', R' = s'·G - e·P fits e·P.

use shardfold_protocol::curve::{LADDER_OFFSET, Point};
use shardfold_protocol::signature::{challenge, challenge_scalar};

use super::*;
use crate::chips::variable_base;
use crate::chips::variable_table::{self, Product};

/// The field that would have to tell the two rows from each other.
#[derive(Clone, Copy, PartialEq)]
enum Confused {
    /// `base.position`: the victim's position has the multiples of A, the padding's those of P.
    Bases,
    /// `variable_table.position`: the victim's ladder looks up multiples of A at its own position.
    Multiples,
    /// `variable_base.position`: the victim's row takes the product of the padding's ladder.
    Products,
}

/// What the victim did not sign.
fn unsigned() -> Digest {
    message(77)
}

fn scalar(seed: u64) -> Scalar {
    Scalar::from_uniform(&core::array::from_fn(|i| {
        F::from_u64(seed).exp_u64(7 + i as u64)
    }))
}

fn affine(point: Point) -> AffinePoint {
    point.to_affine().unwrap()
}

/// One forged row: the key, R and E'.
struct Row {
    position: usize,
    key: AffinePoint,
    nonce: AffinePoint,
    end: AffinePoint,
}

fn write_row(chip: &mut ChipTrace, forged: &Row, challenge: u128) {
    let Row {
        key, nonce, end, ..
    } = forged;
    let mut row = SignatureColumns::of(chip.trace.row_mut(forged.position));
    let root = |point: &AffinePoint| sqrt(&point.x).unwrap();
    fill_element(reborrow(&mut row.key), key, &root(key));
    fill_element(reborrow(&mut row.nonce), nonce, &root(nonce));
    reborrow_array(&mut row.product_x, end.x);
    reborrow_array(&mut row.product_y, end.y);
    reborrow_array(&mut row.inverse, (nonce.x - end.x).inverse());
    if forged.position == PADDING {
        // Nobody asks for the padding's hashes.
        let [_, _, [low, high, ..]] = &mut row.challenge;
        (**low, **high) = (
            F::from_u64(challenge as u64),
            F::from_u64((challenge >> 64) as u64),
        );
    } else {
        write(row.message.each_mut().map(|cell| &mut **cell), unsigned());
    }
    write_sum(row, nonce, end, nonce.add_slope(end).unwrap());
    if forged.position != PADDING {
        rehash(chip, forged.position, &columns().challenge);
    }
}

/// The five chips over these multiples, ladders and rows; the other rows are honest.
fn assemble(
    tables: &[Product],
    ladders: &[Product],
    scalars: &[Scalar],
    rows: &[Row],
    challenge: u128,
) -> Vec<ChipTrace> {
    let (table, _) = variable_table::generate(tables, tables.len()).unwrap();
    let (_, multiples) = variable_table::generate(ladders, ladders.len()).unwrap();
    let (ladder, _) = variable_base::generate(ladders, &multiples, 0).unwrap();
    let (fixed, _) = fixed_base::generate(scalars).unwrap();
    let others = [table, ladder, fixed, fixed_table::generate(scalars)];
    let mut chips = chips(&signatures());
    for (chip, trace) in chips[1..].iter_mut().zip(others) {
        chip.trace = trace;
    }
    for row in rows {
        write_row(&mut chips[0], row, challenge);
    }
    chips
}

/// The scalars of the honest rows.
fn honest_scalars() -> Vec<Scalar> {
    let signatures = all_signatures().into_iter();
    signatures.map(|s| s.signature.s).collect()
}

/// The keys and challenges of the honest rows.
fn honest_products() -> Vec<Product> {
    let product = |(row, s): (usize, &SignatureRequest)| Product {
        base: s.key.0,
        challenge: challenge_of(chain_of(row), &s.signature.r, s, &s.message),
    };
    all_signatures().iter().enumerate().map(product).collect()
}

/// The chain that a row's signature is for.
fn chain_of(row: usize) -> F {
    if row == PADDING { F::ZERO } else { CHAIN }
}

/// The challenge of a message under the key of a request.
fn challenge_of(
    chain_id: F,
    nonce: &AffinePoint,
    signer: &SignatureRequest,
    message: &Digest,
) -> u128 {
    let owner = signer.key.owner(chain_id, &signer.exit_address);
    challenge_scalar(&challenge(chain_id, nonce, &owner, message))
}

/// The victim's key times e is taken from the forger's ladder, or the other way round.
fn confused(field: Confused) -> Vec<ChipTrace> {
    let victim = signatures()[ROW];
    let (a, k, s_padding) = (scalar(3), scalar(5), scalar(11));
    let forger = affine(Point::mul_generator(&a));
    let nonce = affine(Point::mul_generator(&k));
    let e = challenge_of(CHAIN, &nonce, &victim, &unsigned());

    let mut right = honest_products();
    for (row, base) in [(ROW, victim.key.0), (PADDING, forger)] {
        right[row] = Product { base, challenge: e };
    }
    let mut wrong = right.clone();
    wrong.swap(ROW, PADDING);
    let (tables, ladders) = match field {
        Confused::Bases => (&wrong, &wrong),
        Confused::Multiples => (&right, &wrong),
        Confused::Products => (&right, &right),
    };
    let mut scalars = honest_scalars();
    (scalars[ROW], scalars[PADDING]) = (k + Scalar::from(e) * a, s_padding);
    let times_e = |key| Point::from(key).mul_u128(e);
    let victims = Row {
        position: ROW,
        key: victim.key.0,
        nonce,
        end: affine(times_e(forger) + *LADDER_OFFSET),
    };
    let paddings = Row {
        position: PADDING,
        key: forger,
        nonce: affine(Point::mul_generator(&s_padding) + -times_e(victim.key.0)),
        end: affine(times_e(victim.key.0) + *LADDER_OFFSET),
    };
    assemble(tables, ladders, &scalars, &[victims, paddings], e)
}

/// E' = s·G + K - R for any s and R.
fn with_a_free_product() -> Vec<ChipTrace> {
    let victim = signatures()[ROW];
    let s = scalar(13);
    let r = Point::mul_generator(&scalar(5));
    let nonce = affine(r);
    let e = challenge_of(CHAIN, &nonce, &victim, &unsigned());
    let mut products = honest_products();
    products[ROW].challenge = e;
    let mut scalars = honest_scalars();
    scalars[ROW] = s;
    let row = Row {
        position: ROW,
        key: victim.key.0,
        nonce,
        end: affine(Point::mul_generator(&s) + *LADDER_OFFSET + -r),
    };
    assemble(&products, &products, &scalars, &[row], e)
}

/// Among the five chips nothing but these messages of one bus stands against the forgery.
fn only_this_bus_refuses(bus: &'static str, forged: &[ChipTrace]) {
    let found = report(forged);
    let others = found.leftovers.iter().map(|left| left.bus.as_str());
    let mut others: Vec<_> = others
        .filter(|b| !["hash", "signature"].contains(b))
        .collect();
    others.dedup();
    assert_eq!(others, [bus], "{found}");
    let claim = [owner(&signatures()[ROW]), unsigned()].concat();
    let claimed = found.leftovers.iter();
    let mut claimed = claimed.filter(|left| left.bus == "signature");
    assert!(claimed.any(|left| left.fields == claim), "{found}");
    bus_refuses(bus, &chips(&signatures()), forged);
}

#[test]
fn a_forged_signature_with_the_multiples_of_the_forgers_key() {
    only_this_bus_refuses("base", &confused(Confused::Bases));
}

#[test]
fn a_forged_signature_with_digits_of_the_forgers_key() {
    only_this_bus_refuses("variable_table", &confused(Confused::Multiples));
}

#[test]
fn a_forged_signature_with_the_product_of_the_forgers_ladder() {
    only_this_bus_refuses("variable_base", &confused(Confused::Products));
}

#[test]
fn a_forged_signature_with_a_product_that_no_ladder_made() {
    only_this_bus_refuses("variable_base", &with_a_free_product());
}

/// What these tests refuse.
pub fn cheats() -> Vec<Cheat> {
    [
        cheats_of(a_forged_signature_with_the_multiples_of_the_forgers_key),
        cheats_of(a_forged_signature_with_digits_of_the_forgers_key),
        cheats_of(a_forged_signature_with_the_product_of_the_forgers_ladder),
        cheats_of(a_forged_signature_with_a_product_that_no_ladder_made),
    ]
    .concat()
}
