//! The gates of the verifier circuit that plonky2 does not have, and the set of all it uses.

mod arithmetic;
mod fold;
mod poseidon2;

use plonky2::gates::arithmetic_base::ArithmeticGate;
use plonky2::gates::arithmetic_extension::ArithmeticExtensionGate;
use plonky2::gates::base_sum::BaseSumGate;
use plonky2::gates::constant::ConstantGate;
use plonky2::gates::gate::GateRef;
use plonky2::gates::multiplication_extension::MulExtensionGate;
use plonky2::gates::noop::NoopGate;
use plonky2::gates::poseidon::PoseidonGate;
use plonky2::gates::public_input::PublicInputGate;
use plonky2::gates::reducing::ReducingGate;
use plonky2::gates::reducing_extension::ReducingExtensionGate;

use super::{Builder, D, Word};

pub use fold::{FoldGate, FoldGenerator};
pub use poseidon2::{Poseidon2Gate, Poseidon2Generator, WIDTH};

/// Adds every gate that a verifier circuit with folding arities up to `2^max_log_arity` may
/// have, used or not.
///
/// Circuits of different shapes then have the same gates; padded to the same number of rows,
/// one plonky2 circuit verifies the proofs of all of them.
pub fn add_verifier_gates(builder: &mut Builder, max_log_arity: usize) {
    let config = builder.config.clone();
    let (wires, routed) = (config.num_wires, config.num_routed_wires);
    let reducing = ReducingGate::<D>::max_coeffs_len(wires, routed);
    let reducing_extension = ReducingExtensionGate::<D>::max_coeffs_len(wires, routed);
    let mut gates = vec![
        GateRef::new(NoopGate),
        GateRef::new(PublicInputGate),
        GateRef::new(PoseidonGate::<Word, D>::new()),
        GateRef::new(ConstantGate::new(config.num_constants)),
        GateRef::new(ArithmeticGate::new_from_config(&config)),
        GateRef::new(ArithmeticExtensionGate::<D>::new_from_config(&config)),
        GateRef::new(MulExtensionGate::<D>::new_from_config(&config)),
        GateRef::new(BaseSumGate::<2>::new_from_config::<Word>(&config)),
        GateRef::new(ReducingGate::<D>::new(reducing)),
        GateRef::new(ReducingExtensionGate::<D>::new(reducing_extension)),
        GateRef::new(Poseidon2Gate),
    ];
    gates.extend((1..=max_log_arity).map(|log_arity| GateRef::new(FoldGate { log_arity })));
    for gate in gates {
        builder.add_gate_to_gate_set(gate);
    }
}
