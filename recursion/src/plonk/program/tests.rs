//! Programs of the circuits that there are, and of none.

use plonky2::field::types::{Field as _, Sample as _};

use super::encode::{Kind, decode, encode};
use super::inputs::Inputs;
use super::{Program, ProgramError, check};
use crate::plonk::gates::Selectors;
use crate::plonk::{CommonData, Extension};
use crate::profile::Profile;
use crate::tree::{common_data, gate_set, last_common_data, outer_common_data};

/// The common data of the settlement proof.
fn outer() -> CommonData {
    outer_common_data(Profile::Proven100)
}

#[test]
fn the_last_circuits_have_programs_that_compute_what_the_verifier_computes() {
    let last = Profile::ALL.map(last_common_data);
    let outer = Profile::ALL.map(outer_common_data);
    for common in last.iter().chain(&outer) {
        // It is compared when it is made; here once more, on inputs of our own.
        let program = Program::new(common).unwrap();
        let selectors = Selectors::new(common).unwrap();
        let inputs = Inputs::random(common);
        let outcome = program.run(&inputs.slots()).unwrap();
        assert_eq!(outcome.sides, check::native(common, &selectors, &inputs));
        assert_eq!(outcome.sides.len(), common.config.num_challenges);
        assert_eq!(outcome.slots.len(), program.slots());
        // No random openings are those of a proof.
        assert!(outcome.sides.iter().all(|[left, right]| left != right));
    }
}

#[test]
fn a_program_is_small_enough_for_the_chain() {
    let program = Program::new(&outer()).unwrap();
    let bytes = program.encode(0).unwrap();
    let count = |kind| {
        let runs = program.runs.iter().filter(|run| run.kind == kind);
        runs.map(|run| run.instructions.len()).sum::<usize>()
    };
    println!(
        "{} bytes in {} runs, {} slots, {} constants: {} scalings, {} products",
        bytes.len(),
        program.runs.len(),
        program.slots(),
        program.constants().len(),
        count(Kind::Scale),
        count(Kind::Product),
    );
    // Two contracts hold it, with room for the tables.
    assert!(bytes.len() < 2 * 20_000);
    assert_eq!(count(Kind::Quotient), 1);
    assert_eq!(count(Kind::Equal), 3);
}

#[test]
fn an_instruction_changed_is_noticed() {
    let common = outer();
    let selectors = Selectors::new(&common).unwrap();
    let program = Program::new(&common).unwrap();
    for (i, run) in program.runs.iter().enumerate() {
        for j in [0, run.instructions.len() / 2, run.instructions.len() - 1] {
            for operand in 0..3 {
                let unused = operand == 2 && matches!(run.kind, Kind::Quotient | Kind::Equal);
                if unused {
                    continue;
                }
                let mut changed = program.clone();
                // Zeta's first coordinate, or the slot after it: both in the base field.
                let other = program.inputs() - 6;
                let slot = &mut changed.runs[i].instructions[j].0[operand];
                *slot = if *slot == other { other + 1 } else { other };
                let found = check::program(&common, &selectors, &changed);
                let noticed = matches!(found, Err(ProgramError::Identity { .. }));
                assert!(
                    noticed,
                    "run {i}, instruction {j}, operand {operand}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn a_gate_without_constraints_over_an_algebra_is_refused() {
    // The gate that folds the STARK's codewords.
    let parameters = Profile::UnsoundTest.plonk();
    let common = common_data(&parameters, 10, &gate_set(&parameters));
    let found = Program::new(&common);
    let Err(ProgramError::UnknownGate { gate }) = found else {
        panic!("{found:?}");
    };
    assert!(gate.contains("FoldGate"), "{gate}");
}

#[test]
fn two_recordings_give_the_same_bytes() {
    let common = outer();
    let bytes = || Program::new(&common).unwrap().encode(100).unwrap();
    assert_eq!(bytes(), bytes());
}

#[test]
fn bytes_read_back_are_the_runs_with_their_padding() {
    let program = Program::new(&outer()).unwrap();
    let bytes = program.encode(100).unwrap();
    let runs = decode(&bytes, 100).unwrap();
    assert_eq!(encode(&runs, 100).unwrap(), bytes);
    for (read, run) in runs.iter().zip(&program.runs) {
        assert_eq!(read.kind, run.kind);
        assert!(read.instructions.starts_with(&run.instructions));
        assert_eq!(read.instructions.len() % run.kind.group(), 0);
    }
}

#[test]
fn bytes_that_are_no_program_are_refused() {
    let cut = ProgramError::Cut {
        found: 4,
        expected: 6,
    };
    assert_eq!(decode(&[3, 0, 1, 0, 1, 0, 2], 0), Err(cut));
    assert_eq!(
        decode(&[4, 0, 0], 0),
        Err(ProgramError::UnknownKind { found: 4 })
    );
    let before_the_first = decode(&[3, 0, 1, 0, 1, 0, 2, 0, 0], 1);
    assert_eq!(before_the_first, Err(ProgramError::Slot));
    let program = Program::new(&outer()).unwrap();
    let too_large = program.encode(65_000);
    assert!(matches!(
        too_large,
        Err(ProgramError::TooLarge { found: 65_536.. })
    ));
}

#[test]
fn a_machine_refuses_what_it_cannot_compute() {
    let slots = vec![Extension::ZERO, Extension::rand()];
    let run = |bytes: &[u8]| super::interpret::interpret(bytes, 0, slots.clone()).map(|_| ());
    // Division by zero; a first factor outside the base field; a slot that nothing wrote.
    assert_eq!(
        run(&[2, 0, 1, 0, 1, 0, 0, 0, 0]),
        Err(ProgramError::Division)
    );
    let scale = [[0, 1, 0, 0, 0, 0]; 5].concat();
    assert_eq!(
        run(&[&[0, 0, 1][..], &scale].concat()),
        Err(ProgramError::Factor)
    );
    assert_eq!(run(&[3, 0, 1, 0, 1, 0, 2, 0, 0]), Err(ProgramError::Slot));
    assert_eq!(run(&[3, 0, 1, 0, 1, 0, 0, 0, 0]), Ok(()));
}
