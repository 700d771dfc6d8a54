use proptest::prelude::*;

use super::*;
use crate::field::canonical;
use crate::hash::{ZERO_DIGEST, compress};
use crate::head::{Entries, Head};
use crate::record::Vault;
use crate::state::State;
use crate::tree::StateTree;

fn element() -> impl Strategy<Value = F> {
    prop_oneof![
        Just(F::ZERO),
        Just(F::ONE),
        any::<u64>().prop_map(|value| canonical(value).unwrap_or(F::NEG_ONE)),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let balance = prop_oneof![Just(0), Just(AMOUNT_LIMIT - 1), 0..AMOUNT_LIMIT];
    let vault = (any::<u16>(), balance);
    prop_oneof![
        vault.prop_map(|(increment, balance)| Change::Vault { increment, balance }),
        Just(Change::Vault {
            increment: 0,
            balance: 0
        }),
        prop::array::uniform8(element()).prop_map(|record| Change::Record(Record(record))),
    ]
}

fn shard() -> impl Strategy<Value = BTreeMap<Index, Change>> {
    let index = prop_oneof![0..4u32, Just(Index::MAX), any::<Index>()];
    prop::collection::btree_map(index, change(), 0..6)
}

fn vault(balance: u64, nonce: u64) -> Record {
    Record::from(Vault {
        owner: [F::TWO; 4],
        asset: 7,
        balance,
        nonce,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_differences_of_any_shards_are_read_back(shards in prop::collection::vec(shard(), 0..5)) {
        let elements = shards.iter().flat_map(encode).collect::<Vec<_>>();
        let expected: Vec<_> = shards.into_iter().flatten().collect();
        prop_assert_eq!(decode(&elements), Ok(expected));
    }

    #[test]
    fn a_vault_is_what_its_difference_makes_of_it(
        before in 0..AMOUNT_LIMIT,
        after in 0..AMOUNT_LIMIT,
        nonce in 0..AMOUNT_LIMIT,
        increment in any::<u16>(),
    ) {
        let (before, after) = (vault(before, nonce), vault(after, nonce + u64::from(increment)));
        match Change::between(&before, &after).unwrap() {
            Some(change) => prop_assert_eq!(change.apply(&before), Ok(after)),
            None => prop_assert_eq!(before, after),
        }
    }
}

fn elements(values: &[u64]) -> Vec<F> {
    values.iter().copied().map(F::from_u64).collect()
}

#[test]
fn a_vault_is_two_elements_and_any_other_record_ten() {
    let balance = 77;
    let vault = Change::Vault {
        increment: 3,
        balance,
    };
    let whole = Change::Record(Record([5, 6, 7, 8, 9, 10, 11, 12].map(F::from_u64)));
    let changes = BTreeMap::from([(9, vault), (2, whole), (u32::MAX, vault)]);
    let expected = elements(&[
        (1 << 48) + 2,
        0,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        (3 << 32) + 9,
        77,
        (3 << 32) + u64::from(u32::MAX),
        77,
        0,
        0,
    ]);
    assert_eq!(encode(&changes), expected);
    assert_eq!(encode(&BTreeMap::new()), []);
}

/// The vault at index 0 can be left with nothing and no signature: that is a pair of zeros too.
#[test]
fn an_emptied_vault_at_index_0_is_not_lost() {
    let change = Change::Vault {
        increment: 0,
        balance: 0,
    };
    for index in [0, 1] {
        let shard = encode(&BTreeMap::from([(index, change)]));
        let twice = [&shard[..], &shard].concat();
        assert_eq!(decode(&twice), Ok(vec![(index, change); 2]));
    }
}

#[test]
fn what_no_shard_publishes_is_refused() {
    let (position, found) = (0, 3);
    let refused = |values: &[u64]| decode(&elements(values)).unwrap_err();
    assert_eq!(refused(&[1, 2, 3]), DecodeError::Length { found });
    for found in [(1 << 48) + (1 << 32) + 1, 1 << 49, 1 << 63] {
        let expected = DecodeError::Mark { position, found };
        assert_eq!(refused(&[found, 0, 0, 0]), expected);
    }
    let mark = 1 << 48;
    let after = DecodeError::AfterMark {
        position: 1,
        found: 5,
    };
    assert_eq!(refused(&[mark, 5, 0, 0]), after);
    let truncated = DecodeError::Truncated { position: 2 };
    assert_eq!(refused(&[7, 1, mark, 0, 1, 2, 3, 4]), truncated);
    let source = ChangeError::Balance {
        found: AMOUNT_LIMIT,
    };
    let balance = DecodeError::Balance {
        position: 1,
        source,
    };
    assert_eq!(refused(&[7, AMOUNT_LIMIT, 0, 0]), balance);
}

#[test]
fn what_no_rule_makes_of_a_vault_has_no_difference() {
    let before = vault(5, 6);
    let changed = |element: usize| {
        let mut after = before;
        after.0[element] += F::ONE;
        after
    };
    for element in [0, 1, 4, 5, 6, 7] {
        let found = changed(element);
        let expected = Err(ChangeError::Vault { found });
        assert_eq!(Change::between(&before, &found), expected);
    }
    let nonce = |after| Change::between(&before, &vault(5, after));
    let increment = u16::MAX;
    let most = Change::Vault {
        increment,
        balance: 5,
    };
    assert_eq!(nonce(6 + 65_535), Ok(Some(most)));
    for after in [5, 6 + 65_536] {
        let expected = Err(ChangeError::Nonce { before: 6, after });
        assert_eq!(nonce(after), expected);
    }
    let found = AMOUNT_LIMIT;
    let expected = Err(ChangeError::Balance { found });
    assert_eq!(Change::between(&before, &vault(found, 6)), expected);
    let found = Record::EMPTY;
    let expected = Err(ChangeError::NoVault { found });
    assert_eq!(most.apply(&found), expected);
    let opened = Change::between(&found, &before);
    assert_eq!(opened, Ok(Some(Change::Record(before))));
    assert_eq!(Change::between(&before, &before), Ok(None));
}

#[test]
fn the_chain_takes_four_elements_a_compression() {
    let eight = elements(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let (one, two) = eight.split_first_chunk::<4>().unwrap();
    let first = compress(&ZERO_DIGEST, one);
    let second = compress(&first, two.try_into().unwrap());
    assert_eq!(extend_data(&ZERO_DIGEST, &eight), second);
    assert_eq!(extend_data(&first, &[]), first);
}

#[test]
fn a_state_moves_on_by_what_can_be_published() {
    let (index, first, last) = (9, vault(5, 6), vault(3, 7));
    let tree = StateTree::from_records(&[(index, first)]);
    let head = Head::genesis(tree.root());
    let mut state = State::from_parts(1, head, tree).unwrap();
    let mut other = last;
    other.0[4] += F::ONE;
    let before = state.clone();
    let entries = [Entries::default()];
    let refused = state.advance(1, entries.iter(), &[(index, other)]);
    let source = ChangeError::Vault { found: other };
    assert_eq!(refused, Err(Unpublishable { index, source }));
    assert_eq!(state, before);

    let changes = [(2, Record::EMPTY), (index, last)];
    assert_eq!(state.advance(1, entries.iter(), &changes), Ok(()));
    let pair = elements(&[(1 << 32) + u64::from(index), 3, 0, 0]);
    let expected = extend_data(&ZERO_DIGEST, &pair);
    assert_eq!(state.head().data_commitment, expected);
    // What is as before is not published.
    let data = state.head().data_commitment;
    assert_eq!(state.advance(1, entries.iter(), &[(index, last)]), Ok(()));
    assert_eq!(state.head().data_commitment, data);
}
