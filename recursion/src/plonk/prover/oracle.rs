//! Commitments: polynomials, their values on a larger coset, and the Merkle tree over these.

use p3_commit::{BatchOpening, Mmcs};
use p3_dft::{Layout, Radix2DitParallel, TwoAdicSubgroupDft as _};
use p3_field::PrimeCharacteristicRing as _;
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix as _;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::row_index_mapped::RowIndexMappedView;
use p3_util::log2_strict_usize;
use plonky2::hash::merkle_proofs::MerkleProof;
use plonky2::hash::merkle_tree::MerkleCap;

use super::domain::{LeafOrder, shift};
use crate::config::F;
use crate::convert::to_plonk;
use crate::plonk::{PlonkField, Trees};

/// What transforms and commits.
pub struct Kernels<C: Trees> {
    /// The DFT, with its tables.
    pub dft: Radix2DitParallel<F>,
    /// The Merkle trees, which end in a cap.
    pub mmcs: C::Mmcs,
    /// log2 of the inverse rate.
    pub log_blowup: usize,
}

impl<C: Trees> Kernels<C> {
    /// Returns kernels for codes of this rate and trees of this cap.
    pub fn new(log_blowup: usize, cap_height: usize) -> Self {
        Self {
            dft: Radix2DitParallel::default(),
            mmcs: C::mmcs(cap_height),
            log_blowup,
        }
    }

    /// Commits to the polynomials, one a column, that have these values on Plonky3's subgroup.
    pub fn commit(&self, values: RowMajorMatrix<F>) -> Oracle<C> {
        let mut coefficients = RowMajorMatrix::new(vec![], values.width);
        let codewords = self.dft.coset_lde_batch_with_transform(
            values,
            self.log_blowup,
            shift(),
            |matrix, layout| {
                debug_assert_eq!(layout, Layout::BitReversed);
                coefficients.values = matrix.values.to_vec();
            },
        );
        let matrix = codewords.bit_reverse_rows().to_row_major_matrix();
        let log_height = log2_strict_usize(matrix.height());
        let leaves = Leaves {
            index_map: LeafOrder { log_height },
            inner: matrix,
        };
        Oracle {
            coefficients,
            tree: self.tree(leaves),
        }
    }

    /// Returns the values of one polynomial's codeword on the coset of this shift, in Plonky3's
    /// bit-reversed order. `coefficients` holds the coordinates of extension elements as rows.
    pub fn codeword(&self, mut coefficients: RowMajorMatrix<F>, shift: F) -> RowMajorMatrix<F> {
        let length = coefficients.values.len() << self.log_blowup;
        coefficients.values.resize(length, F::ZERO);
        let codeword = self.dft.coset_dft_batch(coefficients, shift);
        codeword.bit_reverse_rows().to_row_major_matrix()
    }

    /// Returns the tree over these leaves.
    pub fn tree<M: Matrix<F>>(&self, leaves: M) -> Tree<C, M> {
        let (cap, nodes) = self.mmcs.commit_matrix(leaves);
        Tree {
            cap: MerkleCap(C::roots(&cap)),
            nodes,
            mmcs: self.mmcs.clone(),
        }
    }
}

/// The rows of a matrix as the leaves of a plonky2 tree.
pub type Leaves = RowIndexMappedView<LeafOrder, RowMajorMatrix<F>>;

/// Polynomials to which the prover has committed.
pub struct Oracle<C: Trees> {
    /// The coefficients, a column for each polynomial; rows in bit-reversed order.
    pub coefficients: RowMajorMatrix<F>,
    /// The tree over the codewords.
    pub tree: Tree<C, Leaves>,
}

/// A Merkle tree.
pub struct Tree<C: Trees, M> {
    /// The nodes that stand for it.
    pub cap: MerkleCap<PlonkField, C::Hasher>,
    nodes: <C::Mmcs as Mmcs<F>>::ProverData<M>,
    mmcs: C::Mmcs,
}

impl<C: Trees, M: Matrix<F>> Tree<C, M> {
    /// Returns the leaves.
    pub fn leaves(&self) -> &M {
        self.mmcs.get_matrices(&self.nodes)[0]
    }

    /// Returns a leaf and its path to the cap.
    pub fn open(&self, leaf: usize) -> (Vec<PlonkField>, MerkleProof<PlonkField, C::Hasher>) {
        let BatchOpening {
            opened_values,
            opening_proof,
        } = self.mmcs.open_batch(leaf, &self.nodes);
        let values = opened_values.concat().into_iter().map(to_plonk).collect();
        let siblings = C::path(&opening_proof);
        (values, MerkleProof { siblings })
    }
}
