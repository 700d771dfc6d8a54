//! The STARK of the `poseidon2` chip alone: what is set against plonky2 alone.

use p3_air::BaseAir as _;
use p3_batch_stark::{ProverData, StarkInstance, prove_batch, verify_batch};
use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use shardfold_circuits::chips::Chip;
use shardfold_circuits::chips::poseidon2::{self, Poseidon2Chip, Poseidon2Columns};
use shardfold_recursion::config::{Config, F, StarkParameters, StarkProof};
use shardfold_recursion::stark::ProofShape;

/// `2^log_rows` Poseidon2 permutations in one table.
///
/// The chip is that of a shard, with its bus columns. No other chip asks for the
/// compressions, so each is given out zero times: the bus balances, and every row is
/// constrained and committed to as in a shard.
///
/// Set against [`Reference`](crate::Reference), two things differ. The permutations are of
/// width 8 here and 12 there; both compress two digests of four elements. And here they are
/// independent, there a chain: neither prover makes use of that but for the witness, which
/// both measure.
pub struct PermutationStark {
    config: Config,
    chip: [Chip; 1],
    data: ProverData<Config>,
    inputs: Vec<[F; 8]>,
}

impl PermutationStark {
    /// The STARK of `2^log_rows` permutations with these parameters.
    ///
    /// # Errors
    /// If its prover data cannot be made, or a matrix is lower than the caps: the native verifier
    /// has no check of it.
    pub fn new(log_rows: u32, parameters: &StarkParameters) -> anyhow::Result<Self> {
        let config = parameters.config();
        let chip = [Chip::Poseidon2(Poseidon2Chip)];
        let data = ProverData::from_airs_and_degrees(&config, &chip, &[log_rows as usize])
            .map_err(|error| anyhow::anyhow!("no prover data: {error}"))?;
        ProofShape::new(&chip, &[log_rows as usize], &data.common, *parameters)?;
        let inputs = (0..1 << log_rows)
            .map(|row: u64| core::array::from_fn(|i| F::from_u64(8 * row + i as u64)))
            .collect();
        Ok(Self {
            config,
            chip,
            data,
            inputs,
        })
    }

    /// How many permutations it proves.
    #[must_use]
    pub fn permutations(&self) -> usize {
        self.inputs.len()
    }

    /// Lays out the rows and proves them.
    ///
    /// # Errors
    /// If the prover gives up.
    pub fn prove(&self) -> anyhow::Result<StarkProof> {
        let trace = self.trace()?;
        let instance = StarkInstance {
            air: &self.chip[0],
            trace: &trace,
            public_values: Vec::new(),
        };
        prove_batch(&self.config, &[instance], &self.data)
            .map_err(|error| anyhow::anyhow!("cannot be proven: {error}"))
    }

    /// Verifies a proof.
    ///
    /// # Errors
    /// If it does not verify.
    pub fn verify(&self, proof: &StarkProof) -> anyhow::Result<()> {
        let public_values = [Vec::new()];
        let common = &self.data.common;
        verify_batch(&self.config, &self.chip, proof, &public_values, common)
            .map_err(|error| anyhow::anyhow!("does not verify: {error}"))
    }

    fn trace(&self) -> anyhow::Result<RowMajorMatrix<F>> {
        let log_rows = self.inputs.len().ilog2() as usize;
        let mut trace = poseidon2::generate(&self.inputs, log_rows)?;
        let width = self.chip[0].width();
        let multiplicity = Poseidon2Columns::of(0..width).multiplicity;
        for cell in trace.values.iter_mut().skip(multiplicity).step_by(width) {
            *cell = F::ZERO;
        }
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shardfold_protocol::shape::Shape;
    use shardfold_recursion::profile::Profile;

    #[test]
    fn the_rows_are_proven_though_nobody_asks_for_them() {
        let parameters = Profile::UnsoundTest.stark(&Shape::TINY);
        let stark = PermutationStark::new(6, &parameters).unwrap();
        assert_eq!(stark.permutations(), 64);
        stark.verify(&stark.prove().unwrap()).unwrap();
    }
}
