//! The traces of the signatures and of the ladders that they need.

use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use rayon::prelude::*;
use shardfold_protocol::address::Address;
use shardfold_protocol::curve::{AffinePoint, F5, Scalar, elements, sqrt};
use shardfold_protocol::hash::{self, Digest, Domain, ZERO_DIGEST};
use shardfold_protocol::signature::{
    Account, PublicKey, Signature, challenge_message, challenge_scalar,
};

use super::columns::{Element, SignatureColumns, WIDTH};
use crate::cells::write;
use crate::chips::variable_table::Product;
use crate::chips::{fixed_base, fixed_table, variable_base, variable_table};
use crate::error::TraceError;
use crate::gadgets::curve::invert;
use crate::lookup_events::LookupEvents;
use shardfold_protocol::field::F;

/// A signature that a shard relies on.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRequest {
    /// Whose it is.
    pub key: PublicKey,
    /// The exit address of the owner.
    pub exit_address: Address,
    /// The signature.
    pub signature: Signature,
    /// What is signed.
    pub message: Digest,
}

/// The traces of the five chips that prove signatures. For n = 2^k transactions:
#[derive(Clone, Debug)]
pub struct SignatureTraces {
    /// n rows.
    pub signature: RowMajorMatrix<F>,
    /// 16 n rows.
    pub variable_table: RowMajorMatrix<F>,
    /// 32 rows for each ladder of each table.
    pub variable_base: Vec<RowMajorMatrix<F>>,
    /// As many.
    pub fixed_base: Vec<RowMajorMatrix<F>>,
    /// 2^16 rows.
    pub fixed_table: RowMajorMatrix<F>,
}

/// The chain of the padding's signature, whatever the shard's.
const PADDING_CHAIN: F = F::ZERO;

/// A valid signature for padding rows, of which nothing is asked.
static PADDING: LazyLock<SignatureRequest> = LazyLock::new(|| {
    let account = Account::from_index(0, 0);
    SignatureRequest {
        key: account.public_key(),
        exit_address: account.exit_address,
        signature: account.sign(PADDING_CHAIN, &ZERO_DIGEST),
        message: ZERO_DIGEST,
    }
});

/// Returns the traces for signatures for a chain, `2^log_transactions` rows of them, the first of
/// which have ladders: so many in each table of ladders. Notes the hashes of the real ones.
///
/// # Errors
///
/// [`TraceError::TooManyRows`] for more signatures, [`TraceError::InvalidSignature`] for one
/// that does not verify, [`TraceError::DegenerateAddition`] for a key made from the ladders'
/// constants.
pub fn generate(
    signatures: &[SignatureRequest],
    chain_id: F,
    log_transactions: usize,
    ladders: &[usize],
    events: &mut LookupEvents,
) -> Result<SignatureTraces, TraceError> {
    let with_ladders = ladders.iter().sum::<usize>().min(1 << log_transactions);
    TraceError::check_capacity("signature", signatures.len(), with_ladders)?;
    let rows: Result<Vec<Row>, TraceError> = signatures
        .par_iter()
        .enumerate()
        .map(|(index, request)| {
            Row::new(request, chain_id).ok_or(TraceError::InvalidSignature { index })
        })
        .collect();
    let mut rows = rows?;
    for row in &rows {
        events.hashes.extend(row.blocks);
    }
    let padding = Row::new(&PADDING, PADDING_CHAIN).ok_or(TraceError::InvalidSignature {
        index: signatures.len(),
    })?;
    rows.resize(1 << log_transactions, padding);

    let products: Vec<Product> = rows.iter().map(Row::product).collect();
    let scalars = rows.iter().map(|row| row.request.signature.s);
    let scalars: Vec<Scalar> = scalars.take(with_ladders).collect();
    let (variable_table, multiples) = variable_table::generate(&products, with_ladders)?;
    let (mut variable_base, mut fixed_base) = (vec![], vec![]);
    let (mut ends, mut sums) = (vec![], vec![]);
    let mut first = 0;
    for count in ladders {
        let of_table = first..(first + count).min(with_ladders);
        let (products, multiples) = (&products[of_table.clone()], &multiples[of_table.clone()]);
        let (trace, mut products) = variable_base::generate(products, multiples, first)?;
        variable_base.push(trace);
        ends.append(&mut products);
        let (trace, mut products) = fixed_base::generate(&scalars[of_table.clone()])?;
        fixed_base.push(trace);
        sums.append(&mut products);
        first = of_table.end;
    }
    Ok(SignatureTraces {
        signature: fill(&rows, signatures.len(), &ends, &sums)?,
        variable_table,
        variable_base,
        fixed_base,
        fixed_table: fixed_table::generate(&scalars),
    })
}

/// What is known of a signature before its ladders.
#[derive(Clone, Copy)]
struct Row {
    request: SignatureRequest,
    /// Square roots of x of key and commitment.
    roots: [F5; 2],
    /// e.
    challenge: u128,
    /// The input of each compression: two for the owner, three for the challenge.
    blocks: [[F; 8]; 5],
    /// The digest of each of them.
    digests: [Digest; 5],
}

impl Row {
    /// `None` when key or commitment are not in the group.
    fn new(request: &SignatureRequest, chain_id: F) -> Option<Self> {
        let (key, nonce) = (request.key.0, request.signature.r);
        if !key.is_in_group() || !nonce.is_in_group() {
            return None;
        }
        let (mut blocks, mut digests) = ([[F::ZERO; 8]; 5], [ZERO_DIGEST; 5]);
        let mut slots = blocks.iter_mut().zip(&mut digests);
        let mut compress = |block: &[F; 8]| {
            let digest = hash::compress_block(block);
            if let Some((input, output)) = slots.next() {
                (*input, *output) = (*block, digest);
            }
            digest
        };
        let message = request.key.owner_message(chain_id, &request.exit_address);
        let owner = hash::hash_with(Domain::Owner, &message, &mut compress);
        let message = challenge_message(chain_id, &nonce, &owner, &request.message);
        let challenge = hash::hash_with(Domain::Challenge, &message, &mut compress);
        Some(Self {
            request: *request,
            roots: [sqrt(&key.x)?, sqrt(&nonce.x)?],
            challenge: challenge_scalar(&challenge),
            blocks,
            digests,
        })
    }

    fn product(&self) -> Product {
        Product {
            base: self.request.key.0,
            challenge: self.challenge,
        }
    }
}

/// The trace of the signature chip, of which the first `real` rows are not padding; `ends`
/// has E' and `sums` S' of each row with ladders. On the others E' is any point: the first row's.
fn fill(
    rows: &[Row],
    real: usize,
    ends: &[AffinePoint],
    sums: &[AffinePoint],
) -> Result<RowMajorMatrix<F>, TraceError> {
    let nonces = rows.iter().map(|row| row.request.signature.r);
    let without = ends.first().into_iter().cycle();
    let differences = nonces.zip(ends.iter().chain(without));
    let differences: Vec<F5> = differences.map(|(r, e)| r.x - e.x).collect();
    let inverses = invert(&differences)?;
    let mut cells = F::zero_vec(rows.len() * WIDTH);
    let fill_row = |(position, (cells, row)): (usize, (&mut [F], &Row))| {
        let has_ladders = position < ends.len();
        let nonce = row.request.signature.r;
        let end = ends[if has_ladders { position } else { 0 }];
        let slope = (nonce.y - end.y) * inverses[position];
        let sum = end.add_with_slope(&nonce, slope);
        if has_ladders && sum != sums[position] {
            return Err(TraceError::InvalidSignature { index: position });
        }
        let to = SignatureColumns::of(cells);
        *to.position = F::from_usize(position);
        *to.is_real = F::from_bool(position < real);
        *to.has_ladders = F::from_bool(has_ladders);
        fill_element(to.key, &row.request.key.0, &row.roots[0]);
        fill_element(to.nonce, &nonce, &row.roots[1]);
        let [owner_block, owner, challenge @ ..] = row.digests;
        write(to.exit_address, row.request.exit_address.elements());
        write(to.owner_block, owner_block);
        write(to.owner, owner);
        write(to.message, row.request.message);
        for (to, digest) in to.challenge.into_iter().zip(&challenge) {
            write(to, *digest);
        }
        write(to.product_x, elements(&end.x));
        write(to.product_y, elements(&end.y));
        write(to.inverse, elements(&inverses[position]));
        write(to.slope, elements(&slope));
        write(to.sum_y, elements(&sum.y));
        Ok(())
    };
    let cells_of_rows = cells.par_chunks_exact_mut(WIDTH);
    cells_of_rows.zip(rows).enumerate().try_for_each(fill_row)?;
    Ok(RowMajorMatrix::new(cells, WIDTH))
}

/// Writes a group element.
pub(super) fn fill_element(to: Element<&mut F>, point: &AffinePoint, root: &F5) {
    write(to.w, elements(&point.encode()));
    write(to.x, elements(&point.x));
    write(to.root, elements(root));
}
