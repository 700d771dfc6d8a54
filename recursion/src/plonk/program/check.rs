//! That a program is the verifier's identity: compared at random rows with plonky2's own gates,
//! and at random openings and challenges with the verifier's own code.

use plonky2::field::types::Sample as _;
use plonky2::hash::hash_types::HashOut;
use plonky2::plonk::vars::EvaluationVars;

use super::gates::constraints;
use super::inputs::Inputs;
use super::row::Row;
use super::{Program, ProgramError};
use crate::plonk::gates::{Selectors, gate_constraints};
use crate::plonk::vanishing::{Values, identities};
use crate::plonk::{CommonData, Extension, PlonkField};

/// Compares the constraints of each gate.
pub(super) fn gates(common: &CommonData, selectors: &Selectors) -> Result<(), ProgramError> {
    for (_, gate, _, _) in selectors.gates(common) {
        let constants = Extension::rand_vec(common.num_constants);
        let wires = Extension::rand_vec(common.config.num_wires);
        let hash = HashOut::rand();
        let row = Row {
            constants: &constants,
            wires: &wires,
            public_inputs_hash: &hash.elements.map(Extension::from),
        };
        let found = constraints(&mut Values, gate, row)?;
        let expected = gate.0.eval_unfiltered(EvaluationVars {
            local_constants: &constants,
            local_wires: &wires,
            public_inputs_hash: &hash,
        });
        if found != expected {
            let gate = gate.0.id();
            return Err(ProgramError::Gate { gate });
        }
    }
    Ok(())
}

/// Compares both sides of the identity.
pub(super) fn program(
    common: &CommonData,
    selectors: &Selectors,
    program: &Program,
) -> Result<(), ProgramError> {
    let inputs = Inputs::random(common);
    let found = program.run(&inputs.slots())?.sides;
    let expected = native(common, selectors, &inputs);
    let same = found.iter().zip(&expected).take_while(|(x, y)| x == y);
    let equation = same.count();
    match equation == expected.len() && found.len() == expected.len() {
        true => Ok(()),
        false => Err(ProgramError::Identity { equation }),
    }
}

/// Both sides by the verifier's code.
pub(super) fn native(
    common: &CommonData,
    selectors: &Selectors,
    inputs: &Inputs<PlonkField, Extension>,
) -> Vec<[Extension; 2]> {
    let openings = inputs.openings(common);
    let vars = EvaluationVars {
        local_constants: openings.constants,
        local_wires: openings.wires,
        public_inputs_hash: &HashOut {
            elements: inputs.public_inputs_hash,
        },
    };
    let gates = gate_constraints(common, selectors, vars);
    identities(&mut Values, common, &openings, &inputs.challenges, &gates)
}
