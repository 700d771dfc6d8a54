//! From the graph to the program: what nobody uses is left out, and the rest is put into runs of
//! equal instructions, so that a machine decides once a run what to do.

use std::collections::{HashMap, HashSet};

use super::encode::{Instruction, Kind, Run};
use super::recorder::{Node, Operation, Recorder};
use super::{Program, ProgramError};

/// Slots by what they hold: first the inputs, then the constants, then the results.
struct Slots {
    of_nodes: HashMap<Node, usize>,
    next: usize,
}

impl Slots {
    fn of(&self, node: Node) -> Option<usize> {
        self.of_nodes.get(&node).copied()
    }

    fn place(&mut self, node: Node) {
        self.of_nodes.insert(node, self.next);
        self.next += 1;
    }
}

/// Returns the program that computes the equations' sides and compares them.
pub(super) fn schedule(
    recorder: &Recorder,
    inputs: usize,
    equations: &[[Node; 2]],
) -> Result<Program, ProgramError> {
    let used = used(recorder, equations);
    let mut slots = Slots {
        of_nodes: HashMap::new(),
        next: inputs,
    };
    let mut constants = Vec::new();
    for &node in &used {
        match *recorder.operation(node) {
            Operation::Input(place) => {
                slots.of_nodes.insert(node, place);
            }
            Operation::Constant(value) => {
                constants.push(value);
                slots.place(node);
            }
            _ => {}
        }
    }
    let mut pending = used;
    pending.retain(|&node| slots.of(node).is_none());
    let mut runs = Vec::new();
    while !pending.is_empty() {
        let before = pending.len();
        for kind in [Kind::Scale, Kind::Product, Kind::Quotient] {
            let run = take_ready(recorder, kind, &mut pending, &mut slots);
            if !run.instructions.is_empty() {
                // The padding has results too.
                slots.next += run.padding();
                runs.push(run);
            }
        }
        if pending.len() == before {
            return Err(ProgramError::Order { left: before });
        }
    }
    let sides = equations.iter().filter_map(|[left, right]| {
        let zero = 0;
        Some(Instruction([slots.of(*left)?, slots.of(*right)?, zero]))
    });
    runs.push(Run {
        kind: Kind::Equal,
        instructions: sides.collect(),
    });
    Ok(Program {
        inputs,
        constants,
        runs,
        slots: slots.next,
    })
}

/// All that the equations rest on, each after what it is made of.
fn used(recorder: &Recorder, equations: &[[Node; 2]]) -> Vec<Node> {
    let mut needed: HashSet<Node> = equations.iter().flatten().copied().collect();
    let mut used = Vec::new();
    for (node, operation) in recorder.operations().rev() {
        if needed.contains(&node) {
            used.push(node);
            needed.extend(operation.operands());
        }
    }
    used.reverse();
    used
}

/// Takes all pending nodes of this kind whose operands have a slot, or get one on the way.
fn take_ready(recorder: &Recorder, kind: Kind, pending: &mut Vec<Node>, slots: &mut Slots) -> Run {
    let mut instructions = Vec::new();
    pending.retain(|&node| {
        let operation = recorder.operation(node);
        let operands = operation.operands().iter().map(|&node| slots.of(node));
        match operands.collect::<Option<Vec<usize>>>().as_deref() {
            Some(&[x, y, z]) if kind == kind_of(recorder, operation) => {
                instructions.push(Instruction([x, y, z]));
            }
            Some(&[x, y]) if kind == Kind::Quotient => {
                instructions.push(Instruction([x, y, 0]));
            }
            _ => return true,
        }
        slots.place(node);
        false
    });
    Run { kind, instructions }
}

/// A product with a factor in the base field is cheaper.
fn kind_of(recorder: &Recorder, operation: &Operation) -> Kind {
    match operation.operands().first() {
        Some(&factor) if recorder.is_base(factor) => Kind::Scale,
        _ => Kind::Product,
    }
}
