//! The machine in Rust: what the verifier on the chain does with a program.

use plonky2::field::extension::FieldExtension;
use plonky2::field::types::Field as _;

use super::ProgramError;
use super::encode::{Instruction, Kind, decode};
use crate::plonk::{D, Extension};

/// What a machine has in its slots at the end, and what it compared.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The slots: inputs, constants, results.
    pub slots: Vec<Extension>,
    /// Both sides of each equation.
    pub sides: Vec<[Extension; 2]>,
}

/// Runs encoded instructions on slots that hold the inputs and the constants.
pub(super) fn interpret(
    bytes: &[u8],
    first: usize,
    mut slots: Vec<Extension>,
) -> Result<Outcome, ProgramError> {
    let mut sides = Vec::new();
    for run in decode(bytes, first)? {
        for Instruction([x, y, z]) in run.instructions {
            let slot = |i: usize| slots.get(i).copied().ok_or(ProgramError::Slot);
            let [x, y, z] = [slot(x)?, slot(y)?, slot(z)?];
            match run.kind {
                Kind::Scale if !in_base_field(x) => return Err(ProgramError::Factor),
                Kind::Scale | Kind::Product => slots.push(x * y + z),
                Kind::Quotient => {
                    let inverse = y.try_inverse().ok_or(ProgramError::Division)?;
                    slots.push(x * inverse);
                }
                Kind::Equal => sides.push([x, y]),
            }
        }
    }
    Ok(Outcome { slots, sides })
}

fn in_base_field(x: Extension) -> bool {
    FieldExtension::<D>::is_in_basefield(&x)
}
