//! What verifying a proof of a shard's size takes, counted without building or proving it.

use p3_air::{Air, AirBuilder, BaseAir, WindowAccess};
use p3_batch_stark::ProverData;
use p3_lookup::InteractionBuilder;
use plonky2::plonk::circuit_data::CircuitConfig;

use crate::config::{F, StarkParameters};
use crate::stark::{Builder, Cost, StarkVerifier};

/// A table of some width whose rows look up some messages.
struct Table {
    log_rows: usize,
    width: usize,
    lookups: usize,
}

impl BaseAir<F> for Table {
    fn width(&self) -> usize {
        self.width
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Table {
    fn eval(&self, builder: &mut AB) {
        let main = builder.main();
        let column = |i: usize| -> AB::Expr { main.current(i % self.width).unwrap().into() };
        for i in 0..self.width {
            let next: AB::Expr = main.next(i).unwrap().into();
            let product = column(i) * column(i + 1);
            builder
                .when_transition()
                .assert_eq(next, product.clone() + column(i + 2));
            builder.assert_zero(product.clone() * column(i + 3) - product + column(i + 4));
        }
        for i in 0..self.lookups {
            // Names of their own keep the lookups from sharing columns.
            let bus = format!("{} {i}", self.log_rows * 1000 + self.width);
            builder.push_interaction(&bus, [column(i), column(i + 1), column(i + 2)], 1);
        }
    }
}

/// The mock-up of a shard of 4,096 transfers in the design: rows (log2), columns, lookups.
const MOCK_UP: [(usize, usize, usize); 9] = [
    (19, 60, 4),
    (18, 188, 2),
    (18, 36, 4),
    (17, 36, 3),
    (16, 4, 1),
    (12, 40, 6),
    (12, 40, 6),
    (12, 20, 4),
    (12, 12, 4),
];

/// Thirteen tables with 800 main columns and nine different heights.
const WIDE: [(usize, usize, usize); 13] = [
    (19, 60, 14),
    (18, 188, 22),
    (18, 36, 12),
    (17, 36, 14),
    (17, 62, 18),
    (16, 40, 18),
    (16, 20, 10),
    (14, 80, 24),
    (13, 60, 24),
    (12, 120, 40),
    (12, 64, 30),
    (10, 30, 10),
    (8, 10, 10),
];

/// How much there is of what costs.
struct Counts {
    /// Claimed values.
    openings: usize,
    /// One for each commitment and each round: each query has a path in each.
    trees: usize,
}

/// What a shape costs with trees of `2^log_cap` roots, and what of it is counted.
fn cost(tables: &[(usize, usize, usize)], queries: usize, log_cap: usize) -> (Cost, Counts) {
    let log_rows: Vec<usize> = tables.iter().map(|table| table.0).collect();
    let tables: Vec<Table> = tables
        .iter()
        .map(|&(log_rows, width, lookups)| Table {
            log_rows,
            width,
            lookups,
        })
        .collect();
    let parameters = StarkParameters {
        log_blowup: 1,
        queries,
        max_log_arity: 3,
        log_final_poly_len: 5,
        log_cap,
        query_grinding: 20,
        fold_grinding: 12,
        batch_grinding: 12,
        point_grinding: 12,
        lookup_grinding: 12,
    };
    let config = parameters.config();
    let data = ProverData::from_airs_and_degrees(&config, &tables, &log_rows).unwrap();
    let verifier = StarkVerifier::new(&tables, &log_rows, &data.common, parameters).unwrap();
    let commitments = verifier.shape().commitments.iter();
    let matrices = commitments.flat_map(|commitment| &commitment.matrices);
    let counts = Counts {
        openings: matrices.map(|matrix| matrix.width * matrix.points()).sum(),
        trees: verifier.shape().commitments.len() + verifier.shape().log_arities.len(),
    };

    let mut builder = Builder::new(CircuitConfig::standard_recursion_config());
    let proof = verifier.add_proof(&mut builder);
    let public_values = vec![Vec::new(); tables.len()];
    let cost = verifier.verify(&mut builder, &proof, &public_values);
    (cost.unwrap(), counts)
}

#[test]
fn the_mock_up_fits_two_to_the_fifteen_rows_at_84_queries() {
    let (cost, counts) = cost(&MOCK_UP, 84, 4);
    println!(
        "mock-up, 84 queries, {} openings: {cost:?}",
        counts.openings
    );
    assert!(cost.permutations > 18_000, "{cost:?}");
    assert!(cost.rows <= 1 << 15, "{cost:?}");
}

#[test]
fn the_mock_up_fits_two_to_the_sixteen_rows_at_170_queries() {
    let (cost, counts) = cost(&MOCK_UP, 170, 4);
    println!(
        "mock-up, 170 queries, {} openings: {cost:?}",
        counts.openings
    );
    assert!(cost.rows <= 1 << 16, "{cost:?}");
}

#[test]
fn all_but_permutations_take_few_rows() {
    let (cost, counts) = cost(&WIDE, 84, 0);
    println!("wide, 84 queries, {} openings: {cost:?}", counts.openings);
    assert!(
        4 * (cost.rows - cost.permutations) < cost.permutations,
        "{cost:?}"
    );
}

#[test]
fn a_cap_of_sixteen_roots_saves_four_levels_of_each_path() {
    let queries = 84;
    let (roots, counts) = cost(&WIDE, queries, 0);
    let (caps, _) = cost(&WIDE, queries, 4);
    println!("wide, 84 queries: {roots:?}, with caps {caps:?}");
    let paths = queries * counts.trees;
    // The transcript observes 15 more roots of each tree: 60 elements, eight by a permutation.
    let observed = 8 * counts.trees;
    assert!(roots.permutations - caps.permutations >= 4 * paths - observed);
    // A root is selected by one row, its position by a few operations for each query.
    assert!(roots.rows - caps.rows >= 3 * paths - observed - queries);
}
