//! plonky2's sponge on values, with the search for nonces, and on targets.

use core::convert::Infallible;

use p3_field::{PackedValue as _, PrimeCharacteristicRing as _};
use p3_symmetric::Permutation as _;
use plonky2::field::types::{Field as _, PrimeField64 as _};
use plonky2::hash::hash_types::{HashOut, HashOutTarget};
use plonky2::iop::challenger::RecursiveChallenger;
use plonky2::iop::target::Target;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::hash::{PERMUTATION, RATE};
use super::transcript::Sponge;
use super::{Builder, D, PlonkField, Poseidon2Hash};
use crate::config::F;
use crate::convert::{from_plonk, to_plonk};
use crate::stark::WIDTH;

/// Several field elements that are computed on at once.
type Packed = <F as p3_field::Field>::Packing;

/// plonky2's `Challenger` over Poseidon2.
#[derive(Clone, Debug, Default)]
pub struct ValueSponge {
    state: [F; WIDTH],
    /// Observed, not yet absorbed; always fewer than [`RATE`].
    input: Vec<F>,
    /// Squeezed, sampled from the end.
    output: Vec<F>,
}

/// A nonce after which the response's leading bits are not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a nonce should give {bits} zero bits and gives the response {response:#018x}")]
pub struct GrindingError {
    /// The bits that should be zero.
    pub bits: u32,
    /// The element that was sampled.
    pub response: u64,
}

impl ValueSponge {
    /// Overwrites the rate as far as the input goes, permutes, and squeezes a block.
    fn duplex(&mut self) {
        for (place, value) in self.state.iter_mut().zip(self.input.drain(..)) {
            *place = value;
        }
        PERMUTATION.permute_mut(&mut self.state);
        self.output.clear();
        self.output.extend(self.state.iter().take(RATE));
    }
}

/// A sponge that can look for the nonces of grinding.
pub trait Search: Sponge<Word = PlonkField, Error = GrindingError> {
    /// Returns the least nonce whose response begins with `bits` zero bits.
    fn search(&self, bits: u32) -> PlonkField;
}

/// Returns the least nonce that `find` finds: it looks at as many as `width`, from the one given on,
/// and gives the first that answers.
pub(super) fn find_nonce(width: usize, find: impl Fn(u64) -> Option<u64> + Sync) -> PlonkField {
    let width = u64::try_from(width).unwrap_or(u64::MAX);
    let blocks = u64::MAX.checked_div(width).unwrap_or_default();
    let found = (0..blocks)
        .into_par_iter()
        .find_map_first(|block| find(block.saturating_mul(width)));
    PlonkField::from_noncanonical_u64(found.unwrap_or_default())
}

impl Search for ValueSponge {
    fn search(&self, bits: u32) -> PlonkField {
        let mut start = self.state;
        for (place, &value) in start.iter_mut().zip(&self.input) {
            *place = value;
        }
        let place = self.input.len();
        let start: [Packed; WIDTH] = start.map(Packed::from);
        find_nonce(Packed::WIDTH, |first| {
            let number = |lane: usize| u64::try_from(lane).unwrap_or_default();
            let nonces = Packed::from_fn(|lane| F::from_u64(first.saturating_add(number(lane))));
            let mut state = start;
            *state.get_mut(place)? = nonces;
            PERMUTATION.permute_mut(&mut state);
            let responses = state[RATE - 1].as_slice();
            let lane = responses
                .iter()
                .position(|&response| leads_with_zeros(to_plonk(response), bits))?;
            Some(first.saturating_add(number(lane)))
        })
    }
}

/// Whether the canonical element begins with so many zero bits.
pub(super) fn leads_with_zeros(element: PlonkField, bits: u32) -> bool {
    element.to_canonical_u64().leading_zeros() >= bits
}

/// Refuses a response that does not begin with so many zero bits.
pub(super) fn check_response(bits: u32, response: PlonkField) -> Result<(), GrindingError> {
    if leads_with_zeros(response, bits) {
        return Ok(());
    }
    let response = response.to_canonical_u64();
    Err(GrindingError { bits, response })
}

impl Sponge for ValueSponge {
    type Word = PlonkField;
    type Digest = HashOut<PlonkField>;
    type Error = GrindingError;

    fn observe_constant(&mut self, value: PlonkField) {
        self.observe(value);
    }

    fn observe(&mut self, word: PlonkField) {
        self.output.clear();
        self.input.push(from_plonk(word));
        if self.input.len() == RATE {
            self.duplex();
        }
    }

    fn observe_digest(&mut self, digest: &HashOut<PlonkField>) {
        digest.elements.iter().for_each(|&word| self.observe(word));
    }

    fn sample(&mut self) -> PlonkField {
        if !self.input.is_empty() || self.output.is_empty() {
            self.duplex();
        }
        // A duplexing leaves a full block.
        to_plonk(self.output.pop().unwrap_or_default())
    }

    fn check(&mut self, bits: u32, response: PlonkField) -> Result<(), GrindingError> {
        check_response(bits, response)
    }
}

/// plonky2's `RecursiveChallenger` with the circuit under construction that it places rows in.
pub struct TargetSponge<'a> {
    builder: &'a mut Builder,
    challenger: RecursiveChallenger<PlonkField, Poseidon2Hash, D>,
}

impl<'a> TargetSponge<'a> {
    /// Returns an empty sponge.
    #[must_use]
    pub fn new(builder: &'a mut Builder) -> Self {
        let challenger = RecursiveChallenger::new(builder);
        Self {
            builder,
            challenger,
        }
    }
}

impl Sponge for TargetSponge<'_> {
    type Word = Target;
    type Digest = HashOutTarget;
    /// A nonce that does not answer makes the circuit unsatisfiable.
    type Error = Infallible;

    fn observe_constant(&mut self, value: PlonkField) {
        let constant = self.builder.constant(value);
        self.challenger.observe_element(constant);
    }

    fn observe(&mut self, word: Target) {
        self.challenger.observe_element(word);
    }

    fn observe_digest(&mut self, digest: &HashOutTarget) {
        digest.elements.iter().for_each(|&word| self.observe(word));
    }

    fn sample(&mut self) -> Target {
        self.challenger.get_challenge(self.builder)
    }

    /// The response is below `2^(64 - bits)`, which is below the modulus, so it has one form.
    fn check(&mut self, bits: u32, response: Target) -> Result<(), Infallible> {
        let bits = usize::try_from(64_u32.saturating_sub(bits)).unwrap_or_default();
        self.builder.range_check(response, bits);
        Ok(())
    }
}
