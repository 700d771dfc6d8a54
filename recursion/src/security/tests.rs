//! The figures of the design (`design/precise.md`), computed again.

use super::bchks25::bound;
use super::*;
use crate::config::StarkParameters;
use crate::plonk::{Grinding, PlonkParameters};
use crate::profile::Profile;
use crate::tree::{
    common_data, data_common_data, gate_set, joint_common_data, last_common_data,
    narrow_common_data, outer_common_data,
};

/// Largest heights (log2) of the shapes of 128, 4,096 and 16,384 transactions.
const HEIGHTS: [usize; 3] = [16, 18, 19];
/// A batch of today's chips, and one of the chips of the whole design.
const TODAY: (usize, usize) = (1253, 600);
const DESIGN: (usize, usize) = (1900, 1200);

/// Grinding before the queries, before batching and before each fold.
type StarkGrinding = (usize, usize, usize);

/// The STARK of `2^log_height` rows: blow-up 8 up to 2^16 rows, 2 above.
fn stark(
    log_height: usize,
    log_blowup: usize,
    (openings, constraints): (usize, usize),
    grinding: StarkGrinding,
    queries: usize,
) -> Layer {
    let (query_grinding, batch_grinding, fold_grinding) = grinding;
    let parameters = StarkParameters {
        log_blowup,
        queries,
        max_log_arity: 3,
        log_final_poly_len: 5,
        log_cap: 4,
        query_grinding,
        fold_grinding,
        batch_grinding,
        point_grinding: 12,
        lookup_grinding: 12,
    };
    let size = StarkSize {
        log_height,
        batched_openings: openings,
        constraints,
        constraint_degree: 3,
        messages: 1 << 22,
        message_width: 22,
    };
    stark::layer(&parameters, &size)
}

/// A plonky2 proof with so many bits of grinding before its queries and at the other sites.
fn plonk(
    log_blowup: usize,
    degree_bits: usize,
    (query, other): (u32, u32),
    queries: usize,
) -> Layer {
    let parameters = PlonkParameters {
        log_blowup,
        queries,
        query_grinding: query,
        grinding: Grinding {
            point: other,
            batch: other,
            fold: other,
        },
        ..PlonkParameters::PROVEN_100
    };
    plonk::layer(&parameters, degree_bits)
}

/// The fewest queries for 100 bits by BCHKS25, by BCHKS25 as printed, and by DKT26; 0 if none
/// suffice.
fn queries_for_100(layer: impl Fn(usize) -> Layer) -> [usize; 3] {
    let theorems: [fn(&Layer) -> f64; 3] = [
        |layer| bound(layer, Reading::Corrected).bits,
        |layer| bound(layer, Reading::Printed).bits,
        |layer| layer.bits().johnson_dkt26.bits,
    ];
    theorems.map(|bits| {
        let suffice = |queries| bits(&layer(queries)) >= 100.0;
        let (mut few, mut enough) = (0, 256);
        if !suffice(enough) {
            return 0;
        }
        while enough - few > 1 {
            let middle = few.midpoint(enough);
            if suffice(middle) {
                enough = middle;
            } else {
                few = middle;
            }
        }
        enough
    })
}

/// The figure with one digit, as the tables have it.
fn rounded(bits: f64) -> String {
    format!("{bits:.1}")
}

#[test]
fn the_figures_of_the_former_parameters_are_those_of_the_review() {
    let former = |log_height, log_blowup, queries| {
        stark(log_height, log_blowup, TODAY, (20, 20, 20), queries).bits()
    };
    let bits = [
        former(16, 3, 98),
        former(18, 1, 170),
        former(19, 1, 170),
        plonk(3, 16, (16, 0), 102).bits(),
    ];
    let johnson = bits.each_ref().map(|bits| rounded(bits.johnson.bits));
    assert_eq!(johnson[..3], ["105.8", "97.5", "97.0"]);
    assert_eq!(rounded(bits[0].unique_decoding.bits), "101.3");
    assert_eq!(rounded(bits[2].johnson_as_printed.bits), "94.1");
    assert_eq!(rounded(bits[2].johnson_dkt26.bits), "100.7");
    assert_eq!(rounded(bits[3].proven()), "100.7");
    assert_eq!(bits[3].claim().0, Theorem::UniqueDecoding);
}

#[test]
fn the_figures_of_conjectured_100_are_those_of_the_review() {
    let conjectured = |log_height, log_blowup, queries| {
        stark(log_height, log_blowup, TODAY, (20, 4, 4), queries).bits()
    };
    let bits = [
        conjectured(16, 3, 30),
        conjectured(18, 1, 88),
        conjectured(19, 1, 88),
        plonk(3, 16, (16, 0), 30).bits(),
    ];
    let johnson = bits.map(|bits| rounded(bits.johnson.bits));
    assert_eq!(johnson, ["64.8", "63.7", "63.6", "60.9"]);
}

#[test]
fn queries_of_the_stark_at_22_22_15_are_those_of_the_design() {
    let queries = |log_height, batch| {
        let log_blowup = if log_height == 16 { 3 } else { 1 };
        queries_for_100(|queries| stark(log_height, log_blowup, batch, (22, 22, 15), queries))
    };
    let today = HEIGHTS.map(|log_height| queries(log_height, TODAY));
    assert_eq!(today, [[55, 58, 53], [173, 192, 160], [176, 199, 161]]);
    let design = HEIGHTS.map(|log_height| queries(log_height, DESIGN));
    assert_eq!(design, [[56, 59, 53], [176, 199, 160], [179, 209, 162]]);
    assert_eq!(queries(20, DESIGN), [182, 216, 163]);
    assert_eq!(queries(21, DESIGN), [190, 237, 165]);
}

#[test]
fn queries_of_the_stark_at_other_grinding_are_those_of_the_design() {
    let large = |grinding| queries_for_100(|queries| stark(19, 1, TODAY, grinding, queries))[0];
    assert_eq!(large((20, 20, 13)), 190);
    assert_eq!(large((22, 24, 17)), 171);
    // Grinding before folds may be 7 bits below that before batching.
    assert_eq!(large((22, 22, 22)), large((22, 22, 15)));
    assert!(large((22, 22, 14)) > large((22, 22, 15)));
}

#[test]
fn queries_of_plonky2_are_those_of_the_design() {
    let queries = |other, query| queries_for_100(|queries| plonk(3, 16, (query, other), queries));
    let row = |other| [16, 18, 20, 22, 24].map(|query| queries(other, query)[0]);
    assert_eq!(row(18), [60, 59, 58, 56, 55]);
    assert_eq!(row(20), [60, 58, 57, 55, 54]);
    assert_eq!(row(22), [59, 57, 56, 54, 53]);
    assert_eq!(queries(18, 20), [58, 62, 55]);
    assert_eq!(queries(20, 20), [57, 60, 54]);
    assert_eq!(queries(22, 20), [56, 58, 54]);
    assert_eq!(queries(22, 24), [53, 55, 52]);
    let at_rate = |log_blowup, degree_bits| {
        queries_for_100(|queries| plonk(log_blowup, degree_bits, (20, 18), queries))[0]
    };
    assert_eq!(at_rate(4, 16), 43);
    assert_eq!(at_rate(5, 14), 35);
}

#[test]
fn queries_of_a_last_layer_are_those_of_the_design() {
    // Rows of 37 routed wires: 222 openings.
    let last = |log_blowup, grinding, queries| {
        let mut layer = plonk(log_blowup, 13, grinding, queries);
        layer.shape.num_batched_functions = 222;
        layer
    };
    let queries =
        |log_blowup, grinding| queries_for_100(|queries| last(log_blowup, grinding, queries));
    assert_eq!(queries(6, (24, 22)), [27, 28, 26]);
    assert_eq!(queries(6, (26, 20)), [26, 28, 25]);
    assert_eq!(queries(6, (26, 24)), [26, 26, 25]);
    assert_eq!(queries(7, (24, 22)), [23, 24, 22]);
    assert_eq!(queries(7, (26, 20)), [23, 24, 22]);
    assert_eq!(queries(7, (26, 24)), [22, 23, 22]);
    assert_eq!(queries(8, (24, 22)), [21, 22, 20]);
    assert_eq!(queries(8, (26, 20))[0], 0);
    assert_eq!(queries(8, (26, 24)), [20, 21, 19]);
    assert_eq!(queries(9, (26, 24)), [18, 19, 17]);
    // However many the queries, the batching of the openings caps the bits.
    let cap = |log_blowup, other| {
        let best = bound(&last(log_blowup, (20, other), 256), Reading::Corrected);
        assert_eq!(best.binding, label::BATCHING);
        rounded(best.bits)
    };
    assert_eq!(
        [7, 8, 9].map(|log_blowup| cap(log_blowup, 18)),
        ["99.3", "96.8", "94.3"]
    );
    assert_eq!(
        [8, 7, 6].map(|log_blowup| cap(log_blowup, 0)),
        ["78.8", "81.3", "83.8"]
    );
}

#[test]
fn the_multiplicity_is_the_best_of_all() {
    let layer = plonk(3, 16, (16, 0), 30);
    let best = bound(&layer, Reading::Corrected);
    let chosen = best.multiplicity.unwrap();
    assert!(chosen > 3, "{best:?}");
    for multiplicity in [3, chosen - 1, chosen + 1, 1000] {
        let other = bchks25::bound_at(&layer, Reading::Corrected, multiplicity).unwrap();
        assert!(other.bits < best.bits, "{other:?} {best:?}");
    }
}

#[test]
fn a_list_of_codewords_weighs_on_what_is_drawn_against_it() {
    // With next to no lookup grinding, and very many messages, the lookups bind.
    let parameters = StarkParameters {
        lookup_grinding: 0,
        ..crate::profile::Profile::Proven100.stark(&shardfold_protocol::shape::Shape::LARGE)
    };
    let size = StarkSize {
        log_height: 19,
        batched_openings: TODAY.0,
        constraints: TODAY.1,
        constraint_degree: 3,
        messages: 1 << 34,
        message_width: 22,
    };
    let bits = stark_bits(&parameters, &size);
    assert_eq!(bits.johnson.binding, label::LOOKUPS);
    let multiplicity = bits.johnson.multiplicity.unwrap() as f64;
    let alone = 128.0 - 34.0 - 24_f64.log2();
    let listed = alone - ((multiplicity + 0.5) / 0.5_f64.sqrt()).log2();
    assert!((bits.johnson.bits - listed).abs() < 1e-9, "{bits:?}");
    assert_eq!(bits.conjectured.binding, label::LOOKUPS);
    assert!((bits.conjectured.bits - alone).abs() < 1e-9, "{bits:?}");
}

#[test]
fn unique_decoding_and_conjecture_are_those_of_the_design() {
    let size = (2800, 1000);
    let bits = |queries, grinding| stark(19, 1, size, grinding, queries).bits();
    assert_eq!(bits(84, (16, 0, 0)).unique_decoding.bits as usize, 50);
    assert_eq!(bits(84, (16, 0, 0)).johnson_dkt26.bits as usize, 57);
    assert_eq!(bits(196, (20, 12, 12)).unique_decoding.bits as usize, 101);
    assert_eq!(bits(170, (20, 20, 20)).johnson_dkt26.bits as usize, 100);
    assert_eq!(bits(84, (16, 0, 0)).conjectured.bits as usize, 96);
}

#[test]
fn what_plonky2_ships_is_far_from_its_name() {
    let default = PlonkParameters {
        challenges: 2,
        queries: 28,
        query_grinding: 16,
        grinding: Grinding::default(),
        ..PlonkParameters::PROVEN_100
    };
    let bits = plonk_bits(&default, 16);
    assert!(bits.unique_decoding.bits < 40.0, "{bits:?}");
    assert!(bits.proven() < 60.0, "{bits:?}");
    assert!(bits.conjectured.bits < 85.0, "{bits:?}");
    assert_eq!(bits.conjectured.binding, label::COPIES);
}

#[test]
fn words_too_short_for_a_list_have_no_bound() {
    let bits = stark(1, 1, TODAY, (20, 20, 20), 170).bits();
    assert_eq!(bits.johnson, NO_BOUND);
}

#[test]
fn no_circuit_has_more_than_is_counted() {
    for profile in Profile::ALL {
        let parameters = profile.plonk();
        let tree = common_data(&parameters, profile.degree_bits(), &gate_set(&parameters));
        let circuits = [
            tree.clone(),
            last_common_data(profile),
            data_common_data(profile),
            joint_common_data(profile),
            narrow_common_data(profile),
            outer_common_data(profile),
        ];
        assert!(circuits.iter().all(plonk::is_counted));
        let mut larger = tree;
        larger.num_constants = 9;
        assert!(!plonk::is_counted(&larger));
    }
}
