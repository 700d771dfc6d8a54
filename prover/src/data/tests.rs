use std::sync::LazyLock;

use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::data::MOST_BLOCKS;
use shardfold_recursion::security::stark_bits;
use shardfold_recursion::tree::data_common_data;

use super::*;

#[test]
fn every_profile_keeps_its_promise_for_data() {
    for profile in Profile::ALL {
        let stark = data_stark(profile).unwrap();
        let bits = stark_bits(stark.parameters(), &stark.size());
        println!("{} {:?} {bits:?}", profile.name(), stark.size());
        assert!(profile.is_kept_by(&bits), "{profile:?} {bits:?}");
    }
}

/// plonky2 takes a few hundred rows on top, for constants and public inputs.
#[test]
fn every_data_circuit_fits_the_least_rows() {
    for profile in Profile::ALL {
        let stark = data_stark(profile).unwrap();
        let (rows, cost) = DataCircuit::cost(&stark, &profile.plonk()).unwrap();
        println!("{}: {rows} rows, {cost:?}", profile.name());
        let capacity = 1 << profile.data_degree_bits();
        assert!(rows + 512 <= capacity, "{profile:?}: {rows} of {capacity}");
    }
}
