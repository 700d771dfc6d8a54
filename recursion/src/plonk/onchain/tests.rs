//! The data against the contract's source, and what is refused.

use super::*;
use plonky2::hash::hash_types::BytesHash;
use plonky2::hash::merkle_tree::MerkleCap;

const SOURCE: &str = include_str!("../../../../settlement/evm/contracts/VerifierParameters.sol");

const GRINDING: Grinding = Grinding {
    point: 1,
    batch: 2,
    fold: 3,
};

fn common() -> CommonData {
    outer_common_data(Profile::Proven100)
}

fn key(cap: usize) -> VerifierKey<KeccakConfig> {
    VerifierKey {
        circuit_digest: BytesHash([1; DIGEST_BYTES]),
        constants_sigmas_cap: MerkleCap(vec![BytesHash([2; DIGEST_BYTES]); cap]),
    }
}

#[test]
fn the_parameters_are_those_of_the_contract_in_its_order() {
    let (_, text) = SOURCE.split_once("struct Parameters {").unwrap();
    let (text, _) = text.split_once('}').unwrap();
    let fields = text.lines().filter_map(|line| {
        let field = line.trim().strip_prefix("uint256 ")?;
        field.strip_suffix(';')
    });
    let common = common();
    let sizes = Sizes::new(&common, GRINDING).unwrap();
    let program = Program::new(&common).unwrap();
    let parameters = parameters(&sizes, &Places::default(), &program);
    let names = parameters.iter().map(|&(name, _)| name);
    assert!(fields.eq(names));
}

#[test]
fn the_tables_stand_where_the_parameters_say() {
    let common = common();
    let data = circuit_data(&common, GRINDING, &key(16)).unwrap();
    let sizes = Sizes::new(&common, GRINDING).unwrap();
    let program = Program::new(&common).unwrap();
    let tables = Tables::new(&common, GRINDING, &key(16), &sizes, &program).unwrap();
    let places = tables.places;
    let at = |place: usize, length: usize| &data[place - tables::DATA..][..length];
    assert_eq!(at(places.cap, 16 * DIGEST_BYTES), [2; 16 * DIGEST_BYTES]);
    let digest = places.prefix + places.prefix_length - DIGEST_BYTES;
    assert_eq!(at(digest, DIGEST_BYTES), [1; DIGEST_BYTES]);
    let bytes = program.encode(places.slots / 32).unwrap();
    assert_eq!(at(places.program, places.program_length), bytes);
    // The program is the last of them.
    assert_eq!(
        data.len() + tables::DATA,
        places.program + places.program_length
    );
    assert_eq!(data, circuit_data(&common, GRINDING, &key(16)).unwrap());
}

#[test]
fn a_proofs_length_is_that_of_its_parts() {
    let mut common = common();
    common.fri_params.config.num_query_rounds = 0;
    let length = |common: &CommonData| Sizes::new(common, GRINDING).unwrap().proof_length();
    let without = length(&common);
    // Four rows with paths of 16 digests, and two folds with paths of 12 and of 8.
    let columns: usize = crate::plonk::openings::oracle_sizes(&common).iter().sum();
    let query = 8 * columns + 4 * 16 * 26 + 2 * 16 * 16 + (12 + 8) * 26;
    common.fri_params.config.num_query_rounds = 43;
    assert_eq!(length(&common), without + 43 * query);
    // Statement, five caps, five nonces, openings, final polynomial.
    let openings = columns + 3;
    assert_eq!(without, 8 * 59 + 5 * 16 * 26 + 5 * 8 + 16 * (openings + 32));
}

#[test]
fn what_the_contract_does_not_know_is_refused() {
    let found = circuit_data(&common(), GRINDING, &key(15));
    assert_eq!(
        found,
        Err(OnChainError::Cap {
            found: 15,
            expected: 16
        })
    );
    let no_grinding = Grinding {
        fold: 0,
        ..GRINDING
    };
    let found = circuit_data(&common(), no_grinding, &key(16));
    let site = "a folding challenge";
    assert_eq!(found, Err(OnChainError::Grinding { site, found: 0 }));
    for arities in [vec![], vec![4, 3]] {
        let mut common = common();
        common.fri_params.reduction_arity_bits = arities.clone();
        let found = circuit_data(&common, GRINDING, &key(16));
        assert_eq!(found, Err(OnChainError::Folds { found: arities }));
    }
    let mut deep = common();
    deep.fri_params.config.cap_height = 15;
    let found = circuit_data(&deep, GRINDING, &key(1 << 15));
    let expected = OnChainError::Depth {
        found: 12,
        expected: 15,
    };
    assert_eq!(found, Err(expected));
}

#[test]
fn every_profile_has_a_verifier_that_keeps_its_promise() {
    for profile in Profile::ALL {
        let data = verifier_data(profile, &key(16)).unwrap();
        let common = outer_common_data(profile);
        let grinding = profile.outer().grinding;
        assert_eq!(data, circuit_data(&common, grinding, &key(16)).unwrap());
        // Two contracts hold them.
        assert!(data.len() <= 2 * 24_575, "{}", data.len());
    }
}
