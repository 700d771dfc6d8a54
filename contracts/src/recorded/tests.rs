use p3_field::PrimeCharacteristicRing;
use shardfold_protocol::field::F;
use shardfold_protocol::hash::Domain;

use super::*;
use crate::law::{Law, Path, carry, nothing};
use crate::machine::{Machine, Reject, Rule};
use crate::set::{Contracts, SetError};

/// What a contract of two steps does with the digest of its first step, and with a word of its
/// second.
struct Careless {
    digest_is_handed_on: bool,
    digest_is_hashed: bool,
    word_is_signed: bool,
}

impl Law for Careless {
    fn name(&self) -> &'static str {
        "careless"
    }

    fn steps(&self) -> &'static [Step] {
        &[
            Step {
                name: "first",
                is_first: true,
                next: &[1],
            },
            Step {
                name: "last",
                is_first: false,
                next: &[],
            },
        ]
    }

    fn path(&self, _: usize) -> Option<Path> {
        Path::new(&[0, 1])
    }

    fn step<M: Machine>(
        &self,
        step: usize,
        m: &mut M,
        carried: Carried<M::E>,
    ) -> Rule<Carried<M::E>> {
        let word = m.word();
        if step == 0 {
            let digest = m.hash(Domain::Transfer, &[word]);
            return Ok(if self.digest_is_handed_on {
                carry(digest)
            } else {
                nothing()
            });
        }
        let [a, b, c, d, ..] = carried;
        let of_before = if self.digest_is_hashed { a } else { M::E::ZERO };
        let owed = m.hash(Domain::Withdraw, std::slice::from_ref(&word));
        m.withdrawn(&owed, M::E::ONE);
        let word = if self.word_is_signed {
            word
        } else {
            M::E::ZERO
        };
        let digest = m.hash(Domain::Transfer, &[of_before, b, c, d, word]);
        m.unsigned(&digest);
        Ok(nothing())
    }
}

fn fault(law: impl Law) -> Option<Fault> {
    match Contracts::none().with(law) {
        Err(SetError::Contract { fault, .. }) => Some(fault),
        other => other.err().map(|error| panic!("{error}")),
    }
}

/// Rejects by itself, whatever is there.
#[derive(Clone, Copy, Debug)]
struct Stubborn;

impl Law for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }

    fn step<M: Machine>(&self, _: usize, m: &mut M, _: Carried<M::E>) -> Rule<Carried<M::E>> {
        let word = m.word();
        let digest = m.hash(Domain::Own, std::slice::from_ref(&word));
        m.unsigned(&digest);
        Err(Reject {
            reason: &crate::machine::reasons::BODY,
            found: F::ZERO,
            expected: F::ZERO,
        })
    }
}

#[test]
fn a_rule_rejects_by_primitives_alone() {
    assert_eq!(fault(Stubborn), Some(Fault::Rejects { step: 0 }));
}

#[test]
fn what_is_read_must_enter_the_transactions_digest() {
    let careful = || Careless {
        digest_is_handed_on: true,
        digest_is_hashed: true,
        word_is_signed: true,
    };
    assert_eq!(fault(careful()), None);
    // The word's digest ends with the first step.
    let unbound = Some(Fault::Unbound { word: 0 });
    let digest_is_handed_on = false;
    assert_eq!(
        fault(Careless {
            digest_is_handed_on,
            ..careful()
        }),
        unbound
    );
    // It is handed to a step that forgets it, if only an element of it.
    let digest_is_hashed = false;
    assert_eq!(
        fault(Careless {
            digest_is_hashed,
            ..careful()
        }),
        unbound
    );
    // A word that is hashed, but only for the withdrawal.
    let word_is_signed = false;
    assert_eq!(
        fault(Careless {
            word_is_signed,
            ..careful()
        }),
        unbound
    );
}
