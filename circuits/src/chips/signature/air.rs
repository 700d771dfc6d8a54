//! Constraints of the signatures.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::curve::{A, B};
use shardfold_protocol::hash::Domain;

use super::columns::{Element, SignatureColumns, WIDTH};
use crate::bus::{
    BaseBus, ChipBuilder, FixedBaseBus, SignatureBus, VariableBaseBus, VariableBaseMessage,
};
use crate::gadgets::curve::{PointExpr, one, sum_x};
use crate::gadgets::hash;
use crate::gadgets::quintic::Quintic;
use shardfold_protocol::field::F;

/// One signature per row. Public value: the chain id.
#[derive(Clone, Copy, Debug)]
pub struct SignatureChip;

impl BaseAir<F> for SignatureChip {
    fn width(&self) -> usize {
        WIDTH
    }

    fn num_public_values(&self) -> usize {
        1
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
        // 7. A row has ladders or not, and a real one has.
        let has_ladders: AB::Expr = row.has_ladders.into();
        builder.assert_bool(row.has_ladders);
        let lacks = AB::Expr::ONE - has_ladders.clone();
        builder.when(row.is_real).assert_zero(lacks);

        request_hashes(builder, &row);
        let position: AB::Expr = row.position.into();
        let [low, high, ..] = row.challenge[2];
        BaseBus::request(builder, position.clone(), key.to_message());
        let message = VariableBaseMessage {
            position,
            scalar: [low.into(), high.into()],
            product: product.to_message(),
        };
        VariableBaseBus::request(builder, message, has_ladders.clone());
        FixedBaseBus::request(builder, sum.to_message(), has_ladders);
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

/// The owner is the hash of key and exit address, the challenge that of commitment, owner and
/// message; both of the chain.
fn request_hashes<AB: ChipBuilder>(builder: &mut AB, row: &SignatureColumns<AB::Var>) {
    let is_real: AB::Expr = row.is_real.into();
    let chain_id: AB::Expr = builder.public_values()[0].into();
    let expressions = |cells: &[AB::Var]| cells.iter().map(|&cell| cell.into()).collect::<Vec<_>>();

    let message = [
        vec![chain_id.clone()],
        expressions(&row.key.w),
        expressions(&row.exit_address),
    ];
    let blocks = [row.owner_block, row.owner];
    hash::hash(
        builder,
        Domain::Owner,
        &message.concat(),
        &blocks,
        is_real.clone(),
    );

    let message = [
        vec![chain_id],
        expressions(&row.nonce.w),
        expressions(&row.owner),
        expressions(&row.message),
    ];
    hash::hash(
        builder,
        Domain::Challenge,
        &message.concat(),
        &row.challenge,
        is_real,
    );
}
