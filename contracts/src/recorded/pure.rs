//! What follows from a transaction's body alone: only that may decide which records are touched,
//! what they gain, and what is hashed before the state is known.

use super::{Fault, column_of, uses, uses_only};
use crate::law::{CARRY, Carried, Step};
use crate::layout::Layout;
use crate::readings::{Constrain, Expr, HashCall};

/// The cells of a step that follow from the body alone.
pub(super) struct PureCells {
    columns: Vec<usize>,
    /// For each hash of the step, whether all that it hashes does.
    pub hashes: Vec<bool>,
}

impl PureCells {
    /// Finds them, given which of the carried cells do.
    pub fn new(m: &Constrain, layout: Layout, carried: &[bool; CARRY]) -> Self {
        let handed = (0..CARRY).filter(|&i| carried[i]);
        let handed = handed.map(|i| layout.carried_at() + i);
        let mut cells = Self {
            columns: m.word_columns.iter().copied().chain(handed).collect(),
            hashes: vec![],
        };
        for call in &m.hashes {
            let is_pure = call.message.iter().all(|element| cells.is_pure(element));
            cells.hashes.push(is_pure);
            if is_pure {
                for element in &call.digest {
                    uses(element, &mut |column| cells.columns.extend(column));
                }
            }
        }
        cells
    }

    fn is_pure(&self, expression: &Expr) -> bool {
        uses_only(expression, |column| self.columns.contains(&column))
    }

    /// Returns which hash is signed, if one is.
    ///
    /// # Errors
    /// An access, a gain or the signed digest depends on a record.
    pub fn signed_hash(&self, m: &Constrain) -> Result<Option<usize>, Fault> {
        for (access, call) in m.accesses.iter().chain(&m.fees).enumerate() {
            let mut needed = call.gain.iter().chain([&call.index]);
            if !needed.all(|expression| self.is_pure(expression)) {
                return Err(Fault::AccessDependsOnState { access });
            }
        }
        let Some((digest, _)) = m.commits.iter().find(|(_, is_signed)| *is_signed) else {
            return Ok(None);
        };
        let is_signed = |call: &HashCall| {
            let mut pairs = call.digest.iter().zip(digest);
            pairs.all(|(a, b)| column_of(a).is_some() && column_of(a) == column_of(b))
        };
        let position = m.hashes.iter().position(is_signed);
        let is_pure = |&position: &usize| self.hashes[..=position].iter().all(|pure| *pure);
        let position = position.filter(is_pure);
        position.map(Some).ok_or(Fault::SignedDependsOnState)
    }
}

/// For each step, which of its carried cells follow from the body alone, whichever steps came before.
pub(super) fn carried_from_bodies(
    declared: &[Step],
    recorded: &[(Constrain, Carried<Expr>)],
    layout: Layout,
) -> Vec<[bool; CARRY]> {
    // All do, until a step hands on something else.
    let mut pure = vec![[true; CARRY]; declared.len()];
    loop {
        let before = pure.clone();
        for ((step, (m, carried)), known) in declared.iter().zip(recorded).zip(&before) {
            let cells = PureCells::new(m, layout, known);
            for &next in step.next {
                for (pure, carried) in pure[next].iter_mut().zip(carried) {
                    *pure &= cells.is_pure(carried);
                }
            }
        }
        if pure == before {
            return pure;
        }
    }
}
