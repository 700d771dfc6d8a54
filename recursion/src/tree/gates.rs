//! The gates of every circuit of a proof tree.
//!
//! The aggregation circuit verifies all proofs against one [`CommonData`], whose gate list fixes the
//! selectors and the constraints that are evaluated. So each circuit of the tree declares the
//! same list, whether it places a gate of each type or not. plonky2 sorts the list by degree
//! and id: its order here has no meaning.
//!
//! [`CommonData`]: crate::plonk::CommonData

use plonky2::gates::arithmetic_base::ArithmeticGate;
use plonky2::gates::arithmetic_extension::ArithmeticExtensionGate;
use plonky2::gates::base_sum::BaseSumGate;
use plonky2::gates::constant::ConstantGate;
use plonky2::gates::coset_interpolation::CosetInterpolationGate;
use plonky2::gates::exponentiation::ExponentiationGate;
use plonky2::gates::multiplication_extension::MulExtensionGate;
use plonky2::gates::noop::NoopGate;
use plonky2::gates::public_input::PublicInputGate;
use plonky2::gates::random_access::RandomAccessGate;
use plonky2::gates::reducing::ReducingGate;
use plonky2::gates::reducing_extension::ReducingExtensionGate;
use plonky2::plonk::circuit_data::CircuitConfig;

use crate::plonk::{D, Gate, PlonkField, PlonkParameters};
use crate::stark::{FoldGate, Poseidon2Gate};

/// Returns every gate of the system under these parameters: those of plonky2's own recursive
/// verifier and those that only a shard circuit places.
#[must_use]
pub fn gate_set(parameters: &PlonkParameters) -> Vec<Gate> {
    let mut gates = verifier_gates(parameters);
    gates.extend(shard_gates());
    gates
}

/// log2 of the largest folding arity of the STARK in any profile.
const MAX_LOG_ARITY: usize = 3;

/// The gates that only shard circuits place. A new one needs its line here and one in
/// [`crate::serializers`].
fn shard_gates() -> Vec<Gate> {
    (1..=MAX_LOG_ARITY)
        .map(|log_arity| Gate::new(FoldGate { log_arity }))
        .collect()
}

/// Returns the gates that a recursive verifier of proofs with these parameters places.
pub(super) fn verifier_gates(parameters: &PlonkParameters) -> Vec<Gate> {
    let config = parameters.circuit_config();
    let (wires, routed) = (config.num_wires, config.num_routed_wires);
    let mut gates = vec![
        Gate::new(NoopGate),
        Gate::new(ConstantGate::new(config.num_constants)),
        Gate::new(PublicInputGate),
        Gate::new(BaseSumGate::<2>::new_from_config::<PlonkField>(&config)),
        Gate::new(ReducingExtensionGate::<D>::new(
            ReducingExtensionGate::<D>::max_coeffs_len(wires, routed),
        )),
        Gate::new(ReducingGate::<D>::new(ReducingGate::<D>::max_coeffs_len(
            wires, routed,
        ))),
        Gate::new(ArithmeticExtensionGate::<D>::new_from_config(&config)),
        Gate::new(ArithmeticGate::new_from_config(&config)),
        Gate::new(MulExtensionGate::<D>::new_from_config(&config)),
        Gate::new(ExponentiationGate::<PlonkField, D>::new_from_config(
            &config,
        )),
        Gate::new(interpolation_gate(parameters.log_arity, &config)),
        Gate::new(Poseidon2Gate),
        random_access_gate(parameters.cap_height, &config),
    ];
    if parameters.log_arity != parameters.cap_height {
        gates.push(random_access_gate(parameters.log_arity, &config));
    }
    gates
}

/// The gate that reads one entry of a list of `2^bits`.
fn random_access_gate(bits: usize, config: &CircuitConfig) -> Gate {
    Gate::new(RandomAccessGate::<PlonkField, D>::new_from_config(
        config, bits,
    ))
}

/// The gate that interpolates one folding coset, at the least degree that needs no more
/// intermediate values than the largest degree would: plonky2's own choice, which it does not
/// export.
fn interpolation_gate(
    log_arity: usize,
    config: &CircuitConfig,
) -> CosetInterpolationGate<PlonkField, D> {
    // An arity of at least 4 and a degree of at least 2: nothing here is cut off at 0.
    let inner = (1_usize << log_arity).saturating_sub(2);
    let largest = config.max_quotient_degree_factor.saturating_sub(1);
    let intermediates = inner.checked_div(largest).unwrap_or_default();
    let pieces = intermediates.saturating_add(1);
    let mut gate = CosetInterpolationGate::new(log_arity);
    gate.degree = inner.div_euclid(pieces).saturating_add(2);
    gate
}
