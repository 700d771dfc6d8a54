//! Poseidon2 as plonky2's hash: the permutation under the STARK's commitments and transcript is
//! also that of the recursion, so that one gate serves both.
//!
//! As plonky2 uses it, rows and nodes of Merkle trees hash to the same digests as by the STARK's
//! [`RowHash`](crate::config::RowHash) and [`NodeHash`](crate::config::NodeHash).
//! The transcript is plonky2's own: it does not add the length of a block to the capacity.

use std::sync::LazyLock;

use p3_symmetric::Permutation as _;
use plonky2::field::extension::Extendable;
use plonky2::field::extension::quadratic::QuadraticExtension;
use plonky2::hash::hash_types::{HashOut, RichField};
use plonky2::hash::hashing::{PlonkyPermutation, compress, hash_n_to_hash_no_pad};
use plonky2::iop::target::{BoolTarget, Target};
use plonky2::plonk::circuit_builder::CircuitBuilder;
use plonky2::plonk::config::{AlgebraicHasher, GenericConfig, Hasher};

use super::PlonkField;
use crate::config::{F, Permutation12, permutation};
use crate::convert::{from_plonk, to_plonk};
use crate::stark::{Poseidon2Gate, WIDTH};

/// Elements that a block overwrites; the others are the capacity.
pub const RATE: usize = 8;

/// The permutation, made once.
pub(super) static PERMUTATION: LazyLock<Permutation12> = LazyLock::new(permutation);

/// Field, hash and extension of every plonky2 proof of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Poseidon2Config;

impl GenericConfig<2> for Poseidon2Config {
    type F = PlonkField;
    type FE = QuadraticExtension<PlonkField>;
    type Hasher = Poseidon2Hash;
    type InnerHasher = Poseidon2Hash;
}

/// Poseidon2 of width 12 over the Goldilocks field, with Plonky3's constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poseidon2Hash;

impl Hasher<PlonkField> for Poseidon2Hash {
    const HASH_SIZE: usize = 32;
    type Hash = HashOut<PlonkField>;
    type Permutation = State<PlonkField>;

    fn hash_no_pad(input: &[PlonkField]) -> Self::Hash {
        hash_n_to_hash_no_pad::<PlonkField, Self::Permutation>(input)
    }

    fn two_to_one(left: Self::Hash, right: Self::Hash) -> Self::Hash {
        compress::<PlonkField, Self::Permutation>(left, right)
    }
}

impl AlgebraicHasher<PlonkField> for Poseidon2Hash {
    type AlgebraicPermutation = State<Target>;

    fn permute_swapped<const D: usize>(
        inputs: State<Target>,
        swap: BoolTarget,
        builder: &mut CircuitBuilder<PlonkField, D>,
    ) -> State<Target>
    where
        PlonkField: RichField + Extendable<D>,
    {
        let row = builder.add_gate(Poseidon2Gate, vec![]);
        builder.connect(swap.target, Target::wire(row, Poseidon2Gate::SWAP));
        for (i, input) in inputs.0.into_iter().enumerate() {
            builder.connect(input, Target::wire(row, Poseidon2Gate::input(i)));
        }
        State(core::array::from_fn(|i| {
            Target::wire(row, Poseidon2Gate::output(i))
        }))
    }
}

/// The sponge's state, of values or of targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State<T>([T; WIDTH]);

impl<T> AsRef<[T]> for State<T> {
    fn as_ref(&self) -> &[T] {
        &self.0
    }
}

/// What a state can be made of.
pub trait Element: Copy + Default + core::fmt::Debug + Eq + Send + Sync {
    /// Permutes a state of such elements.
    fn permute(state: &mut [Self; WIDTH]);
}

impl Element for PlonkField {
    fn permute(state: &mut [Self; WIDTH]) {
        let mut values: [F; WIDTH] = state.map(from_plonk);
        PERMUTATION.permute_mut(&mut values);
        *state = values.map(to_plonk);
    }
}

impl Element for Target {
    /// plonky2 permutes targets by [`AlgebraicHasher::permute_swapped`], which has the circuit.
    fn permute(_state: &mut [Self; WIDTH]) {
        unreachable!("targets are permuted by permute_swapped")
    }
}

impl<T: Element> PlonkyPermutation<T> for State<T> {
    const RATE: usize = RATE;
    const WIDTH: usize = WIDTH;

    fn new<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut state = Self::default();
        state.set_from_iter(elements, 0);
        state
    }

    fn set_elt(&mut self, element: T, index: usize) {
        if let Some(place) = self.0.get_mut(index) {
            *place = element;
        }
    }

    fn set_from_iter<I: IntoIterator<Item = T>>(&mut self, elements: I, start: usize) {
        for (place, element) in self.0.iter_mut().skip(start).zip(elements) {
            *place = element;
        }
    }

    fn set_from_slice(&mut self, elements: &[T], start: usize) {
        self.set_from_iter(elements.iter().copied(), start);
    }

    fn permute(&mut self) {
        T::permute(&mut self.0);
    }

    fn squeeze(&self) -> &[T] {
        self.0.split_at(RATE).0
    }
}
