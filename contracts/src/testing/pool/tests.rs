//! The primitives on numbers, refusal by refusal.

use num_bigint::BigUint;
use p3_field::PrimeField64;
use proptest::prelude::*;
use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::hash::ZERO_DIGEST;
use shardfold_protocol::record::{Index, Record};
use shardfold_protocol::shape::Shape;

use super::*;
use crate::law::{Body as _, FeePayment};
use crate::machine::reasons as machine;
use crate::readings::{Authority, Context, Effect, Prepared, Run};
use crate::set::Contracts;
use crate::transfer::Transfer;
use crate::usage::{Resource, Usage};

const CONTEXT: Context = Context {
    chain_id: F::ONE,
    time: 0,
    queue_count: 0,
};
const PREPARED: Prepared = Prepared {
    digests: [ZERO_DIGEST; 2],
    authority: Authority::NONE,
};
const AT: Index = 5;
const OWNER: [u64; 4] = [11, 12, 13, 14];
const VAULT: [u64; 8] = [1, 3, 100, 7, 11, 12, 13, 14];

fn field<const N: usize>(values: [u64; N]) -> [F; N] {
    values.map(F::from_u64)
}

/// Runs something over a state in which `record` lies at [`AT`].
fn run<T>(record: [u64; 8], rule: impl FnOnce(&mut Run<'_>) -> Rule<T>) -> Rule<(T, Effect)> {
    let mut effect = Effect::default();
    let read = |index| match index {
        AT => Record(field(record)),
        _ => Record::EMPTY,
    };
    let mut m = Run::new(&[], &CONTEXT, (&PREPARED, 0), &read, &mut effect);
    let result = rule(&mut m)?;
    Ok((result, effect))
}

/// Adds 5 to Alice's vault at [`AT`], which is there.
fn honest() -> VaultAccess<F> {
    VaultAccess {
        index: F::from_u32(AT),
        asset: F::from_u64(3),
        owner: Owner::Is(field(OWNER)),
        delta: F::from_u64(5),
        how: VaultUse::Changes,
    }
}

fn written(record: [u64; 8], access: VaultAccess<F>) -> [F; 8] {
    let (owner, effect) = run(record, |m| m.vault(access, &RECEIVER)).unwrap();
    assert_eq!(effect.taken, [AT]);
    let [(index, record)] = effect.writes[..] else {
        panic!("one write, found {:?}", effect.writes);
    };
    assert_eq!(index, AT);
    assert_eq!(record.0[4..], owner);
    record.0
}

fn refused(record: [u64; 8], access: VaultAccess<F>) -> &'static str {
    let result = run(record, |m| m.vault(access, &RECEIVER));
    result.unwrap_err().reason.name()
}

#[test]
fn a_vault_is_changed() {
    let [kind, asset, _, nonce, o0, o1, o2, o3] = VAULT;
    let with = |balance, nonce| field([kind, asset, balance, nonce, o0, o1, o2, o3]);
    assert_eq!(written(VAULT, honest()), with(105, nonce));
    let access = VaultAccess {
        owner: Owner::Any,
        delta: -F::from_u64(100),
        how: VaultUse::Signs(F::from_u64(nonce)),
        ..honest()
    };
    assert_eq!(written(VAULT, access), with(0, nonce + 1));
    let access = VaultAccess {
        owner: Owner::Opens(field(OWNER)),
        ..honest()
    };
    assert_eq!(written(VAULT, access.clone()), with(105, nonce));
    assert_eq!(written([0; 8], access), with(5, 0));
    let access = VaultAccess {
        delta: F::from_u64(AMOUNT_LIMIT - 101),
        ..honest()
    };
    assert_eq!(written(VAULT, access), with(AMOUNT_LIMIT - 1, nonce));
}

#[test]
fn an_access_is_refused_for_its_reason() {
    let opens = VaultAccess {
        owner: Owner::Opens(field(OWNER)),
        ..honest()
    };
    let signs = VaultAccess {
        how: VaultUse::Signs(F::ZERO),
        ..opens.clone()
    };
    // Nothing, where nothing may be opened or somebody would have signed.
    assert_eq!(refused([0; 8], honest()), "receiver-kind");
    let anybody = VaultAccess {
        owner: Owner::Any,
        ..honest()
    };
    assert_eq!(refused([0; 8], anybody), "receiver-kind");
    assert_eq!(refused([0; 8], signs), "receiver-kind");
    // What is neither a vault nor nothing.
    let [_, rest @ ..] = VAULT;
    for kind in [0, 2] {
        let [asset, balance, nonce, o0, o1, o2, o3] = rest;
        let record = [kind, asset, balance, nonce, o0, o1, o2, o3];
        assert_eq!(refused(record, opens.clone()), "receiver-kind");
    }
    for element in 1..8 {
        let mut record = [0; 8];
        record[element] = 1;
        assert_eq!(refused(record, opens.clone()), "receiver-kind");
    }
    let access = VaultAccess {
        asset: F::from_u64(4),
        ..opens.clone()
    };
    assert_eq!(refused(VAULT, access), "receiver-asset");
    for element in 4..8 {
        let mut record = VAULT;
        record[element] += 1;
        assert_eq!(refused(record, opens.clone()), "receiver-owner");
    }
    let access = VaultAccess {
        how: VaultUse::Signs(F::from_u64(8)),
        ..opens.clone()
    };
    assert_eq!(refused(VAULT, access), "receiver-nonce");
    for delta in [-F::from_u64(101), F::from_u64(AMOUNT_LIMIT - 100)] {
        let access = VaultAccess {
            delta,
            ..opens.clone()
        };
        assert_eq!(refused(VAULT, access), "receiver-balance");
    }
    let access = VaultAccess {
        index: F::from_u64(1 << 32),
        ..opens
    };
    assert_eq!(refused(VAULT, access), machine::INDEX.name());
}

#[test]
fn a_record_is_taken_once() {
    let twice = |m: &mut Run<'_>| {
        let first = m.vault(honest(), &RECEIVER);
        first.and_then(|_| m.vault(honest(), &RECEIVER))
    };
    assert_eq!(run(VAULT, twice).unwrap_err().reason, &machine::TWICE);
    let both = |m: &mut Run<'_>| {
        let first = m.vault(honest(), &RECEIVER);
        first.and_then(|_| m.read(&F::from_u32(AT), [const { crate::Part::Any }; 8]))
    };
    assert_eq!(run(VAULT, both).unwrap_err().reason, &machine::TWICE);
}

/// Integers below 2^62, the extreme ones often.
fn integer() -> impl Strategy<Value = u64> {
    let near = |limit: u64| (0..3u64).prop_map(move |below| limit.saturating_sub(below));
    prop_oneof![
        0..4u64,
        near(AMOUNT_LIMIT - 1),
        (1..62u32).prop_flat_map(move |bits| near(1 << bits)),
        (1..62u32).prop_flat_map(|bits| 0..1u64 << bits),
        0..AMOUNT_LIMIT,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_quotient_is_that_of_large_integers(
        a in integer(),
        b in integer(),
        d in prop_oneof![integer(), Just(AMOUNT_LIMIT)],
        round_up in any::<bool>(),
    ) {
        let operands = [a, b, d].map(F::from_u64);
        let [x, y, z] = &operands;
        let found = run(VAULT, |m| m.mul_div(x, y, z, round_up, &QUOTIENT));
        let found = found.map(|(quotient, _)| quotient.as_canonical_u64());
        let [a, b, d] = [a, b, d].map(BigUint::from);
        let one = BigUint::from(1u8);
        let expected = if d == BigUint::ZERO {
            None
        } else {
            let rest = if round_up { &d - &one } else { BigUint::ZERO };
            u64::try_from((a * b + rest) / d).ok().filter(|&quotient| quotient < AMOUNT_LIMIT)
        };
        match (found, expected) {
            (Ok(found), Some(expected)) => prop_assert_eq!(found, expected),
            (Err(reject), None) => prop_assert_eq!(reject.reason, &QUOTIENT),
            (found, expected) => prop_assert!(false, "found {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn a_root_is_that_of_large_integers(a in integer(), b in integer()) {
        let found = run(VAULT, |m| m.sqrt(&F::from_u64(a), &F::from_u64(b), &DUST));
        let product = BigUint::from(a) * BigUint::from(b);
        if product == BigUint::ZERO {
            prop_assert_eq!(found.unwrap_err().reason, &DUST);
        } else {
            let (root, _) = found.unwrap();
            prop_assert_eq!(BigUint::from(root.as_canonical_u64()), product.sqrt());
        }
    }
}

#[test]
fn accesses_and_divisions_count() {
    let body = Transfer {
        from: 1,
        to: 2,
        to_owner: ZERO_DIGEST,
        asset: 0,
        amount: 0,
        fee: FeePayment {
            amount: 0,
            vault: 0,
        },
        nonce: 0,
    };
    let transaction = body.unsigned();
    let add = |contracts: &Contracts, shape: Shape| {
        let mut usage = Usage::default();
        let added = usage.add(contracts, &transaction, |_| true, &[shape]);
        added.map_err(|error| (error.resource, error.found, error.limit))
    };
    let transfers = Contracts::none().with(TableTransfer("transfer")).unwrap();
    let swaps = Contracts::none().with(ToySwap("transfer")).unwrap();
    let vaults = |log_vaults| Shape {
        log_vaults,
        ..Shape::TINY
    };
    let divisions = |log_divisions| Shape {
        log_divisions,
        ..Shape::TINY
    };
    for contracts in [&transfers, &swaps] {
        assert_eq!(add(contracts, vaults(0)), Err((Resource::Vaults, 2, 1)));
        assert_eq!(add(contracts, vaults(1)), Ok(()));
    }
    assert_eq!(add(&swaps, divisions(1)), Err((Resource::Divisions, 4, 2)));
    assert_eq!(add(&swaps, divisions(2)), Ok(()));
    assert_eq!(add(&transfers, divisions(0)), Ok(()));
}
