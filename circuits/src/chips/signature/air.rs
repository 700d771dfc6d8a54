//! Constraints of the signatures.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{A, B};
use shardfold_protocol::hash::{Domain, tag};
use shardfold_protocol::signature::CHALLENGE_ELEMENTS;

use super::columns::{Element, SignatureColumns, WIDTH};
use crate::bus::{
    BaseBus, ChipBuilder, FixedBaseBus, HashBus, SignatureBus, VariableBaseBus, VariableBaseMessage,
};
use crate::gadgets::curve::{PointExpr, one, sum_x};
use crate::gadgets::quintic::Quintic;
use shardfold_protocol::field::F;

/// One signature per row.
#[derive(Clone, Copy, Debug)]
pub struct SignatureChip;

impl BaseAir<F> for SignatureChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        vec![SignatureColumns::of(0..WIDTH).position]
    }
}

impl<AB: ChipBuilder> Air<AB> for SignatureChip {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let row = SignatureColumns::of(main.current_slice().iter().copied());
        let next = SignatureColumns::of(main.next_slice().iter().copied());

        // 1. A row is real or padding.
        builder.assert_bool(row.is_real);
        // 2. Rows are numbered by their position.
        builder.when_first_row().assert_zero(row.position);
        builder
            .when_transition()
            .assert_eq(next.position, row.position + AB::Expr::ONE);

        // 3. Key and commitment are elements of the group.
        let key = constrain_element(builder, &row.key);
        let nonce = constrain_element(builder, &row.nonce);
        let product = PointExpr::of(row.product_x, row.product_y);
        let sum = constrain_sum(builder, &row, &nonce, &product);

        request_hashes(builder, &row);
        let position: AB::Expr = row.position.into();
        let [low, high, ..] = row.challenge[2];
        BaseBus::request(builder, position.clone(), key.to_message());
        let message = VariableBaseMessage {
            position,
            scalar: [low.into(), high.into()],
            product: product.to_message(),
        };
        VariableBaseBus::request(builder, message);
        FixedBaseBus::request(builder, sum.to_message());
        let (owner, message) = (row.owner.map(Into::into), row.message.map(Into::into));
        SignatureBus::confirm(builder, owner, message, row.is_real.into());
    }
}

/// w is the encoding of (x, -w x): x is a root of x^2 + (a - w^2) x + b, and the square of
/// `root`.
fn constrain_element<AB: ChipBuilder>(
    builder: &mut AB,
    element: &Element<AB::Var>,
) -> PointExpr<AB::Expr> {
    let w = Quintic::<AB::Expr>::of(element.w);
    let x = Quintic::<AB::Expr>::of(element.x);
    let linear = x.clone() + Quintic::constant(A) - w.clone().square();
    builder.assert_zeros((linear * x.clone() + Quintic::constant(B)).0);
    builder.assert_zeros((x.clone() - Quintic::of(element.root).square()).0);
    let y = -(w * x.clone());
    PointExpr { x, y }
}

/// S' = R + E'.
fn constrain_sum<AB: ChipBuilder>(
    builder: &mut AB,
    row: &SignatureColumns<AB::Var>,
    nonce: &PointExpr<AB::Expr>,
    product: &PointExpr<AB::Expr>,
) -> PointExpr<AB::Expr> {
    let slope = Quintic::<AB::Expr>::of(row.slope);
    let difference = nonce.x.clone() - product.x.clone();

    // 4. R and E' have different x.
    builder.assert_zeros((difference.clone() * Quintic::of(row.inverse) - one()).0);
    // 5. The slope is that of the line through R and E'.
    let rise = nonce.y.clone() - product.y.clone();
    builder.assert_zeros((slope.clone() * difference - rise).0);
    // 6. y of S' lies on the line, negated.
    let x = sum_x(slope.clone(), nonce.x.clone(), product.x.clone());
    let y = Quintic::of(row.sum_y);
    builder.assert_zeros((product.sum_y(slope, x.clone()) - y.clone()).0);
    PointExpr { x, y }
}

/// The owner is the hash of the key, the challenge that of commitment, owner and message.
fn request_hashes<AB: ChipBuilder>(builder: &mut AB, row: &SignatureColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let zero = AB::Expr::ZERO;
    let tag = |domain, length| AB::Expr::from(tag(domain, length));

    let [w0, w1, w2, w3, w4] = row.key.w.map(Into::into);
    let block = [
        tag(Domain::Owner, 5),
        w0,
        w1,
        w2,
        w3,
        w4,
        zero.clone(),
        zero.clone(),
    ];
    HashBus::request(builder, block, row.owner.map(Into::into), is_real.clone());

    let [w0, w1, w2, w3, w4] = row.nonce.w.map(Into::into);
    let [o0, o1, o2, o3] = row.owner.map(Into::into);
    let [m0, m1, m2, m3] = row.message.map(Into::into);
    let digests = row.challenge.map(|digest| digest.map(Into::into));
    let [[a0, a1, a2, a3], [b0, b1, b2, b3], _] = digests.clone();
    let first = [
        tag(Domain::Challenge, CHALLENGE_ELEMENTS),
        w0,
        w1,
        w2,
        w3,
        w4,
        o0,
        o1,
    ];
    let second = [a0, a1, a2, a3, o2, o3, m0, m1];
    let third = [b0, b1, b2, b3, m2, m3, zero.clone(), zero];
    for (block, digest) in [first, second, third].into_iter().zip(digests) {
        HashBus::request(builder, block, digest, is_real.clone());
    }
}
