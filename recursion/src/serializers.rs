//! How circuits are written to disk: the gates and witness generators that may occur in one.
//!
//! A new gate, and each generator that it places, needs a line here; the position of a line is
//! its tag on disk, so new ones go last. Files of other versions of this list are never read
//! (the sources are part of a cache's fingerprint).

use plonky2::gadgets::arithmetic::EqualityGenerator;
use plonky2::gadgets::arithmetic_extension::QuotientGeneratorExtension;
use plonky2::gadgets::range_check::LowHighGenerator;
use plonky2::gadgets::split_base::BaseSumGenerator;
use plonky2::gadgets::split_join::{SplitGenerator, WireSplitGenerator};
use plonky2::gates::arithmetic_base::{ArithmeticBaseGenerator, ArithmeticGate};
use plonky2::gates::arithmetic_extension::{ArithmeticExtensionGate, ArithmeticExtensionGenerator};
use plonky2::gates::base_sum::{BaseSplitGenerator, BaseSumGate};
use plonky2::gates::constant::ConstantGate;
use plonky2::gates::coset_interpolation::{CosetInterpolationGate, InterpolationGenerator};
use plonky2::gates::exponentiation::{ExponentiationGate, ExponentiationGenerator};
use plonky2::gates::multiplication_extension::{MulExtensionGate, MulExtensionGenerator};
use plonky2::gates::noop::NoopGate;
use plonky2::gates::public_input::PublicInputGate;
use plonky2::gates::random_access::{RandomAccessGate, RandomAccessGenerator};
use plonky2::gates::reducing::{ReducingGate, ReducingGenerator};
use plonky2::gates::reducing_extension::{
    ReducingExtensionGate, ReducingGenerator as ReducingExtensionGenerator,
};
use plonky2::iop::generator::{
    ConstantGenerator, CopyGenerator, NonzeroTestGenerator, RandomValueGenerator,
};
use plonky2::util::serialization::{
    Buffer, GateSerializer, IoResult, Read as _, WitnessGeneratorSerializer, Write as _,
};
use plonky2::{
    get_gate_tag_impl, get_generator_tag_impl, impl_gate_serializer, impl_generator_serializer,
    read_gate_impl, read_generator_impl,
};

use plonky2::plonk::config::GenericHashOut as _;

use crate::plonk::{Circuit, D, Grinding, PlonkField as F, Trees, circuit_digest};
use crate::stark::{FoldGate, FoldGenerator, Poseidon2Gate, Poseidon2Generator};

/// Every gate of the system.
#[derive(Clone, Copy, Debug)]
pub struct Gates;

impl GateSerializer<F, D> for Gates {
    impl_gate_serializer! {
        Gates,
        ArithmeticGate,
        ArithmeticExtensionGate<D>,
        BaseSumGate<2>,
        ConstantGate,
        CosetInterpolationGate<F, D>,
        ExponentiationGate<F, D>,
        MulExtensionGate<D>,
        NoopGate,
        PublicInputGate,
        RandomAccessGate<F, D>,
        ReducingExtensionGate<D>,
        ReducingGate<D>,
        Poseidon2Gate,
        FoldGate
    }
}

/// Every witness generator of the system.
#[derive(Clone, Copy, Debug)]
pub struct Generators;

impl WitnessGeneratorSerializer<F, D> for Generators {
    impl_generator_serializer! {
        Generators,
        ArithmeticBaseGenerator<F, D>,
        ArithmeticExtensionGenerator<F, D>,
        BaseSplitGenerator<2>,
        BaseSumGenerator<2>,
        ConstantGenerator<F>,
        CopyGenerator,
        EqualityGenerator,
        ExponentiationGenerator<F, D>,
        InterpolationGenerator<F, D>,
        LowHighGenerator,
        MulExtensionGenerator<F, D>,
        NonzeroTestGenerator,
        QuotientGeneratorExtension<D>,
        RandomAccessGenerator<F, D>,
        RandomValueGenerator,
        ReducingGenerator<D>,
        ReducingExtensionGenerator<D>,
        SplitGenerator,
        WireSplitGenerator,
        Poseidon2Generator,
        FoldGenerator
    }
}

/// A circuit that can be kept on disk.
pub trait Cached: Sized {
    /// The circuit and the targets that its witness sets; `None` if a gate or generator is
    /// missing in these lists.
    fn to_bytes(&self) -> Option<Vec<u8>>;
    /// The inverse of [`to_bytes`](Self::to_bytes).
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
    /// The circuit's [`checked_digest`], which is computed anew after loading.
    fn digest(&self) -> Option<[u8; 32]>;
}

/// Returns a circuit's digest, computed anew, with zeros after it; `None` if the circuit states another
/// one or its parts do not belong together.
#[must_use]
pub fn checked_digest<C: Trees>(circuit: &Circuit<C>) -> Option<[u8; 32]> {
    let cap = &circuit.verifier_only.constants_sigmas_cap;
    let digest = circuit_digest::<C>(cap, circuit.common.degree_bits());
    let prover = &circuit.prover_only;
    let consistent = circuit.verifier_only.circuit_digest == digest
        && prover.circuit_digest == digest
        && prover.constants_sigmas_commitment.merkle_tree.cap == *cap;
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip(digest.to_bytes()) {
        *byte = value;
    }
    consistent.then_some(bytes)
}

/// Writes bits of grinding.
///
/// # Errors
/// None.
pub fn write_grinding(grinding: Grinding, bytes: &mut Vec<u8>) -> IoResult<()> {
    let Grinding { point, batch, fold } = grinding;
    let bits = [point, batch, fold];
    bits.into_iter().try_for_each(|bits| bytes.write_u32(bits))
}

/// The inverse of [`write_grinding`].
///
/// # Errors
/// If the bytes end.
pub fn read_grinding(bytes: &mut Buffer<'_>) -> IoResult<Grinding> {
    Ok(Grinding {
        point: bytes.read_u32()?,
        batch: bytes.read_u32()?,
        fold: bytes.read_u32()?,
    })
}
