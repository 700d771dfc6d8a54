//! Merkle trees that end in a cap: paths in the circuit against Plonky3's, and matrices that are
//! lower than the cap.

use p3_commit::{BatchOpeningRef, Mmcs};
use p3_field::PrimeCharacteristicRing;
use p3_matrix::Dimensions;
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleCap;
use plonky2::field::types::Field;
use plonky2::gates::random_access::RandomAccessGate;
use plonky2::iop::target::Target;

use super::airs::Toy;
use super::fixture::{CHIPS, Fixture, PARAMETERS, holds};
use crate::config::{F, StarkParameters, ValMmcs};
use crate::plonk::Gate;
use crate::profile::Profile;
use crate::stark::layout::MAX_LOG_CAP;
use crate::stark::{D, Oracle, ProofShape, RecursionError, Word, word};
use crate::tree::gate_set;

fn mmcs(log_cap: usize) -> ValMmcs {
    let parameters = StarkParameters {
        log_cap,
        ..PARAMETERS
    };
    parameters.mmcs()
}

/// The columns of matrix `m`: one row takes a part of a block, another one more than a block.
fn width(m: usize) -> usize {
    [3, 10, 5][m]
}

/// One leaf of a tree over matrices of these heights, with all that authenticates it.
#[derive(Clone)]
struct Leaf {
    log_heights: Vec<usize>,
    log_cap: usize,
    index: usize,
    cap: Vec<[F; 4]>,
    rows: Vec<Vec<F>>,
    siblings: Vec<[F; 4]>,
}

impl Leaf {
    /// Commits to the matrices, the tallest first, and opens a leaf.
    fn new(log_heights: &[usize], log_cap: usize, index: usize) -> Self {
        let matrix = |(m, log_height): (usize, &usize)| {
            let cells = (0..width(m) << log_height).map(|i| F::from_usize(1000 * m + i));
            RowMajorMatrix::new(cells.collect(), width(m))
        };
        let matrices = log_heights.iter().enumerate().map(matrix).collect();
        let (commitment, data) = mmcs(log_cap).commit(matrices);
        let (rows, siblings) = mmcs(log_cap).open_batch(index, &data).unpack();
        Self {
            log_heights: log_heights.to_vec(),
            log_cap,
            index,
            cap: commitment.roots().to_vec(),
            rows,
            siblings,
        }
    }

    fn dimensions(&self) -> Vec<Dimensions> {
        let matrices = self.log_heights.iter().enumerate();
        let dimensions = matrices.map(|(m, log_height)| Dimensions {
            width: width(m),
            height: 1 << log_height,
        });
        dimensions.collect()
    }

    fn accepted_by_plonky3(&self) -> bool {
        let commitment = MerkleCap::new(self.cap.clone());
        let opening = BatchOpeningRef::new(&self.rows, &self.siblings);
        let dimensions = self.dimensions();
        let verified =
            mmcs(self.log_cap).verify_batch(&commitment, &dimensions, self.index, opening);
        verified.is_ok()
    }

    fn accepted_by_the_circuit(&self) -> bool {
        let rows = self.rows.iter().flatten();
        let digests = self.cap.iter().chain(&self.siblings).flatten();
        let mut inputs = vec![Word::from_canonical_usize(self.index)];
        inputs.extend(digests.chain(rows).map(|&x| word(x)));
        holds(&inputs, |circuit, targets| {
            let index = circuit.builder.split_le(targets[0], self.log_heights[0]);
            let digests = 4 * (self.cap.len() + self.siblings.len());
            let (digests, mut cells) = targets[1..].split_at(digests);
            let digests: Vec<[Target; 4]> = digests
                .chunks_exact(4)
                .map(|digest| digest.try_into().unwrap())
                .collect();
            let (cap, siblings) = digests.split_at(self.cap.len());
            let mut rows = Vec::new();
            for (row, &log_height) in self.rows.iter().zip(&self.log_heights) {
                let (row, others) = cells.split_at(row.len());
                rows.push((log_height, row));
                cells = others;
            }
            circuit.verify_rows(cap, &rows, &index, siblings);
        })
    }

    /// Sees both say the same, and returns it.
    fn accepted(&self) -> bool {
        let accepted = self.accepted_by_the_circuit();
        assert_eq!(accepted, self.accepted_by_plonky3());
        accepted
    }

    fn accepted_with(&self, alter: impl FnOnce(&mut Self)) -> bool {
        let mut altered = self.clone();
        alter(&mut altered);
        altered.accepted()
    }
}

#[test]
fn a_path_ends_at_the_root_above_its_leaf() {
    for log_cap in 0..=MAX_LOG_CAP {
        // The last matrix is as high as the largest cap.
        for (index, log_heights) in [
            (0, &[6, 5, 4][..]),
            (45, &[6, 4, 4]),
            (63, &[6]),
            (11, &[4]),
        ] {
            let leaf = Leaf::new(log_heights, log_cap, index);
            assert_eq!(leaf.cap.len(), 1 << log_cap);
            assert_eq!(leaf.siblings.len(), log_heights[0] - log_cap);
            assert!(leaf.accepted());
            for m in 0..log_heights.len() {
                assert!(!leaf.accepted_with(|leaf| leaf.rows[m][width(m) - 1] += F::ONE));
            }
            for i in 0..leaf.siblings.len() {
                assert!(!leaf.accepted_with(|leaf| leaf.siblings[i][3] += F::ONE));
            }
            let above = index >> leaf.siblings.len();
            for root in 0..leaf.cap.len() {
                for element in 0..4 {
                    let altered = leaf.accepted_with(|leaf| leaf.cap[root][element] += F::ONE);
                    assert_eq!(altered, root != above);
                }
            }
        }
    }
}

/// The cheat: a leaf of the tree is passed off as one below another root.
#[test]
fn a_path_that_ends_at_another_root_of_the_cap_is_refused() {
    for log_cap in 1..=MAX_LOG_CAP {
        let index = 26;
        let leaf = Leaf::new(&[6, 5, 4], log_cap, index);
        let above = index >> (6 - log_cap);
        for other in (0..1 << log_cap).filter(|&other| other != above) {
            // The right digest in the wrong place.
            assert!(!leaf.accepted_with(|leaf| leaf.cap.swap(above, other)));
            // The same leaf of another subtree: all but the top bits of the index are right.
            let elsewhere = index ^ ((above ^ other) << (6 - log_cap));
            assert!(!leaf.accepted_with(|leaf| leaf.index = elsewhere));
            // Nothing but the place was wrong.
            assert!(leaf.accepted_with(|leaf| {
                leaf.index = elsewhere;
                leaf.cap[other] = leaf.cap[above];
            }));
        }
    }
}

/// Why [`ProofShape::check_caps`] is there: with 2^4 roots p3-merkle-tree 0.8.0 verifies any row
/// of a matrix of 2^3 rows, by one path and by a pruned one. If this fails after an update,
/// Plonky3 refuses it by itself.
#[test]
fn plonky3_accepts_an_altered_row_of_a_matrix_lower_than_the_cap() {
    for (log_cap, lower) in [(0, false), (3, false), (4, true)] {
        let (index, log_heights) = (13, [5, 3]);
        let mut leaf = Leaf::new(&log_heights, log_cap, index);
        assert!(leaf.accepted_by_plonky3());
        leaf.rows[1][0] += F::ONE;
        assert_eq!(leaf.accepted_by_plonky3(), lower, "2^{log_cap} roots");

        // All queries of a tree at once, as the low-degree test has them verified.
        let mmcs = mmcs(log_cap);
        let matrices = log_heights.map(|log_height| {
            let cells = (0..2 << log_height).map(F::from_usize).collect();
            RowMajorMatrix::new(cells, 2)
        });
        let dimensions = log_heights.map(|log_height| Dimensions {
            width: 2,
            height: 1 << log_height,
        });
        let (commitment, data) = mmcs.commit(matrices.to_vec());
        let indices = [index, 30];
        let (mut rows, proof) = mmcs.open_multi_batch(&indices, &data);
        let accepted = |rows: &[Vec<Vec<F>>]| {
            let verified =
                mmcs.verify_multi_batch(&commitment, &dimensions, &indices, rows, &proof);
            verified.is_ok()
        };
        assert!(accepted(&rows));
        rows[1][1][0] += F::ONE;
        assert_eq!(accepted(&rows), lower, "2^{log_cap} roots");
    }
}

#[test]
#[should_panic(expected = "a path passes the height of each matrix")]
fn no_circuit_is_laid_out_for_a_matrix_lower_than_the_cap() {
    Leaf::new(&[5, 3], 4, 13).accepted_by_the_circuit();
}

/// The shape of these chips, whatever their heights are.
fn shape(chips: &[Toy], parameters: StarkParameters) -> Result<ProofShape, RecursionError> {
    let log_rows: Vec<usize> = chips.iter().map(Toy::log_rows).collect();
    let data =
        p3_batch_stark::ProverData::from_airs_and_degrees(&parameters.config(), chips, &log_rows);
    ProofShape::new(chips, &log_rows, &data.unwrap().common, parameters)
}

#[test]
fn a_table_lower_than_the_cap_is_refused() {
    // Two tables of 2^2 rows, 2^4 with the blow-up, and no round.
    let chips = [2, 2].map(|log_rows| Toy::Wide { log_rows });
    let parameters = |log_cap, log_blowup| StarkParameters {
        log_blowup,
        log_final_poly_len: 2,
        log_cap,
        ..PARAMETERS
    };
    assert!(shape(&chips, parameters(4, 2)).is_ok());
    assert!(shape(&chips, parameters(3, 1)).is_ok());
    let error = shape(&chips, parameters(4, 1)).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::TableBelowCap {
            table: 0,
            oracle: Oracle::Main,
            found: 3,
            least: 4,
        }
    ));
    assert_eq!(
        error.to_string(),
        "table 0, Main columns: found 2^3 rows, expected at least 16, one for each root of the tree"
    );
}

#[test]
fn a_round_lower_than_the_cap_is_refused() {
    let lower = StarkParameters {
        log_cap: 3,
        ..PARAMETERS
    };
    let error = shape(&CHIPS, lower).unwrap_err();
    assert!(matches!(
        error,
        RecursionError::RoundBelowCap {
            round: 2,
            found: 2,
            least: 3,
        }
    ));
    assert_eq!(
        error.to_string(),
        "folding round 2: found 2^2 rows, expected at least 8, one for each root of the tree"
    );
}

#[test]
fn each_matrix_of_each_commitment_is_held_against_the_cap() {
    let fixture = Fixture::new(&CHIPS, PARAMETERS);
    let verifier = fixture.verifier();
    let honest = verifier.shape();
    honest.check_caps().unwrap();
    let oracles: Vec<Oracle> = honest.commitments.iter().map(|c| c.oracle).collect();
    let all = [
        Oracle::Main,
        Oracle::Quotient,
        Oracle::Preprocessed,
        Oracle::Permutation,
    ];
    assert_eq!(oracles, all);
    for (c, commitment) in honest.commitments.iter().enumerate() {
        for (m, matrix) in commitment.matrices.iter().enumerate() {
            let mut lower = honest.clone();
            lower.commitments[c].matrices[m].log_height = 1;
            let refused = lower.check_caps();
            assert!(matches!(
                refused,
                Err(RecursionError::TableBelowCap { table, oracle, found: 1, least: 2 })
                    if table == matrix.table && oracle == commitment.oracle
            ));
        }
    }
}

#[test]
fn caps_larger_than_the_gate_reads_are_refused() {
    let larger = StarkParameters {
        log_final_poly_len: 3,
        log_cap: MAX_LOG_CAP + 1,
        ..PARAMETERS
    };
    let refused = shape(&CHIPS, larger);
    assert!(matches!(
        refused,
        Err(RecursionError::Unsupported {
            found: 5,
            maximum: 4,
            ..
        })
    ));
}

#[test]
fn the_gate_that_selects_a_root_is_in_every_profiles_circuits() {
    for profile in Profile::ALL {
        for shape in profile.shapes() {
            let log_cap = profile.stark(shape).log_cap;
            assert!((1..=MAX_LOG_CAP).contains(&log_cap), "{profile:?}");
        }
        let parameters = profile.plonk();
        let config = parameters.circuit_config();
        let gate = RandomAccessGate::<Word, D>::new_from_config(&config, MAX_LOG_CAP);
        assert_eq!(gate.num_copies, 4, "a digest is selected by one row");
        assert!(
            gate_set(&parameters).contains(&Gate::new(gate)),
            "{profile:?}"
        );
    }
}
