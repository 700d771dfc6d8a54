use p3_field::PrimeCharacteristicRing as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use shardfold_protocol::data::{DataError, differences};
use shardfold_protocol::field::MODULUS;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::head::extend_chain;

use super::*;

/// So many blocks of differences, and the data commitment after them.
fn blocks(count: usize, seed: u64) -> (Vec<F>, Digest) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut chain = ZERO_DIGEST;
    let mut elements = vec![];
    for _ in 0..count {
        let block = core::array::from_fn(|_| F::from_u64(rng.random_range(0..MODULUS)));
        chain = extend_chain(&chain, &block);
        elements.extend(block);
    }
    (elements, chain)
}

fn publish(mode: DataMode, count: usize, seed: u64) -> (Publication, Vec<F>, Digest) {
    let (elements, after) = blocks(count, seed);
    let publication = Publication::new(mode, &ZERO_DIGEST, &after, &elements);
    (publication.expect("they fit"), elements, after)
}

#[test]
fn a_mode_has_a_name() {
    for mode in DataMode::ALL {
        assert_eq!(DataMode::named(mode.name()), Some(mode));
    }
    assert_eq!(DataMode::named("direct"), None);
}

/// By the plainest of sums: coefficient j stands at x^(32767 - j).
#[test]
fn the_value_is_that_of_the_polynomial_at_the_point() {
    for (mode, count) in [
        (DataMode::Calldata, 1),
        (DataMode::Calldata, 100),
        (DataMode::Blobs, 5_000),
    ] {
        let (publication, elements, _) = publish(mode, count, 1);
        let coefficients = coefficients(&elements).expect("they fit");
        let Evaluation { point, value } = publication.evaluation();
        assert!(point.iter().all(|word| *word < POINT_LIMIT));
        let x = field_point(point);
        let term = |(j, c): (usize, &Coefficient)| {
            Fr::from(BigInt::new(*c)) * x.pow([(COEFFICIENTS - 1 - j) as u64])
        };
        let sum: Fr = coefficients.iter().enumerate().map(term).sum();
        assert_eq!(words(&sum), value);
    }
}

/// Two libraries agree: the value of each blob at the point, and all of them together.
#[test]
fn the_openings_of_the_blobs_make_the_value() {
    let (publication, _, _) = publish(DataMode::Blobs, 10_000, 2);
    let Evaluation { point, value } = publication.evaluation();
    let x = field_point(point);
    let openings = publication.openings().as_chunks::<OPENING_BYTES>().0;
    assert_eq!(openings.len(), 3);
    let parts = publication.coefficients.chunks(BLOB_COEFFICIENTS);
    let mut sum = Fr::ZERO;
    for (part, opening) in parts.zip(openings) {
        let missing = BLOB_COEFFICIENTS - part.len();
        let y = horner(part, x) * x.pow([missing as u64]);
        assert_eq!(bytes(&y), opening[..32]);
        sum = sum * x.pow([BLOB_COEFFICIENTS as u64]) + y;
    }
    let value_of_all = sum * x.pow([(COEFFICIENTS - 3 * BLOB_COEFFICIENTS) as u64]);
    assert_eq!(words(&value_of_all), value);
}

#[test]
fn what_is_published_leads_back_to_the_differences() {
    for count in [0, 1, 31, 32, 200, 4_000] {
        let (calldata, elements, after) = publish(DataMode::Calldata, count, 3);
        let read = from_calldata(calldata.calldata()).expect("whole coefficients");
        assert_eq!(read, calldata.coefficients());
        assert_eq!(differences(&read, &ZERO_DIGEST, &after), Ok(elements));
        assert!(calldata.blobs().is_empty() && calldata.openings().is_empty());

        let (blobs, elements, after) = publish(DataMode::Blobs, count, 3);
        assert!(blobs.calldata().is_empty());
        let parts = blobs.blobs().iter().map(|blob| from_blob(blob));
        let read = parts.collect::<Option<Vec<_>>>().expect("whole blobs");
        let read = read.concat();
        assert_eq!(read.len(), blobs.blobs().len() * BLOB_COEFFICIENTS);
        assert_eq!(differences(&read, &ZERO_DIGEST, &after), Ok(elements));
    }
}

#[test]
fn another_blob_leads_elsewhere() {
    let (blobs, _, after) = publish(DataMode::Blobs, 10, 4);
    let mut blob = blobs.blobs()[0].to_vec();
    blob[BLOB_BYTES - 1] ^= 1;
    let read = from_blob(&blob).expect("a whole blob");
    let found = differences(&read, &ZERO_DIGEST, &after).expect_err("another blob");
    assert!(matches!(found, DataError::Coefficient { .. }), "{found}");
    assert!(from_blob(&blob[1..]).is_none());
    assert!(from_calldata(&blob[1..]).is_none());
}

#[test]
fn a_coefficient_beyond_the_order_is_reduced() {
    let order = U256::from_limbs(Fr::MODULUS.0);
    let bytes = (order + U256::from(7)).to_be_bytes::<32>();
    assert_eq!(from_calldata(&bytes), Some(vec![[7, 0, 0, 0]]));
}

#[test]
fn the_point_depends_on_all_that_is_published() {
    let [one, two] = [[F::ONE; 4], [F::TWO; 4]];
    let hashes = [B256::repeat_byte(1), B256::repeat_byte(2)];
    let mut turned = hashes;
    turned.reverse();
    let points = [
        point(&one, &two, &[], &[]),
        point(&two, &one, &[], &[]),
        point(&one, &one, &[], &[]),
        point(&one, &two, &[], &[1]),
        point(&one, &two, &[], &hashes.map(|hash| hash.0).concat()),
        point(&one, &two, &hashes, &[]),
        point(&one, &two, &turned, &[]),
        point(&one, &two, &hashes[..1], &[]),
    ];
    for (i, a) in points.iter().enumerate() {
        assert!(points[..i].iter().all(|b| a != b), "{i}");
    }
}

#[test]
fn more_than_a_settlement_publishes_is_refused() {
    let elements = vec![F::ONE; 4 * (shardfold_protocol::data::MOST_BLOCKS + 1)];
    let found = Publication::new(DataMode::Calldata, &ZERO_DIGEST, &ZERO_DIGEST, &elements);
    assert!(matches!(found, Err(PublicationError::TooMuch(_))));
}
