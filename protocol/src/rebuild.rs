//! A state from what was published of it: the differences of records, which a chain keeps beside
//! the heads that it has accepted. Whoever has these needs nobody's help to have the state.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::difference::{ChangeError, DecodeError, decode, extend_data};
use crate::field::F;
use crate::hash::Digest;
use crate::head::{Head, OutOfBounds, TimeError, check_time};
use crate::record::{Index, Record};
use crate::state::State;
use crate::text::digest::to_hex;

/// Why what was published does not lead from one head to another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RebuildError {
    /// A head with a number that none has.
    #[error(transparent)]
    Head(#[from] OutOfBounds),
    /// A head of a time that cannot follow.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// Differences that the head does not commit to.
    #[error(
        "the differences lead to the data commitment {}, expected the head's {}",
        to_hex(found),
        to_hex(expected)
    )]
    Data {
        /// Where they lead.
        found: Digest,
        /// What the head says.
        expected: Digest,
    },
    /// Elements that are no differences.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A difference that does not fit the record before.
    #[error("the record at index {index}: {source}")]
    Change {
        /// Where it lies.
        index: Index,
        /// What is wrong.
        source: ChangeError,
    },
    /// Records that are not those of the head.
    #[error(
        "the records have the state root {}, expected the head's {}",
        to_hex(found),
        to_hex(expected)
    )]
    Root {
        /// The root of the records.
        found: Digest,
        /// What the head says.
        expected: Digest,
    },
}

impl State {
    /// Moves on by a batch of which only the head after it and the differences are known, those of
    /// its shards one after the other.
    ///
    /// # Errors
    /// If they do not lead there; the state is as before then.
    pub fn rebuild(&mut self, after: &Head, published: &[F]) -> Result<(), RebuildError> {
        after.check()?;
        let head = *self.head();
        check_time(head.time, after.time)?;
        let found = extend_data(&head.data_commitment, published);
        let expected = after.data_commitment;
        if found != expected {
            return Err(RebuildError::Data { found, expected });
        }
        let changes = self.changed(published)?;
        let before: Vec<(Index, Record)> = changes
            .iter()
            .map(|&(index, _)| (index, self.tree().get(index)))
            .collect();
        let (found, expected) = (self.set_records(&changes), after.state_root);
        if found != expected {
            let _ = self.set_records(&before);
            return Err(RebuildError::Root { found, expected });
        }
        self.set_head(*after);
        Ok(())
    }

    /// The records that differences change, as they are after the last of them.
    fn changed(&self, published: &[F]) -> Result<Vec<(Index, Record)>, RebuildError> {
        let mut changed = BTreeMap::new();
        for (index, change) in decode(published)? {
            let record = changed
                .entry(index)
                .or_insert_with(|| self.tree().get(index));
            *record = change
                .apply(record)
                .map_err(|source| RebuildError::Change { index, source })?;
        }
        Ok(changed.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Entries;
    use crate::record::Vault;
    use crate::tree::StateTree;
    use p3_field::PrimeCharacteristicRing as _;

    fn vault(balance: u64, nonce: u64) -> Record {
        Record::from(Vault {
            asset: 3,
            balance,
            nonce,
            owner: [F::new(balance % 7), F::ONE, F::TWO, F::ZERO],
        })
    }

    /// The record with another balance and one signature more.
    fn spent(record: &Record, balance: u64) -> Record {
        let mut record = *record;
        record.0[2] = F::new(balance);
        record.0[3] += F::ONE;
        record
    }

    fn genesis() -> State {
        let records = (0..20).map(|index| (3 * index, vault(1_000 + u64::from(index), 0)));
        let tree = StateTree::from_records(&records.collect::<Vec<_>>());
        let head = Head::genesis(tree.root());
        State::from_parts(7, head, tree).unwrap()
    }

    /// The genesis, a state two shards later, and what both published.
    fn two_shards() -> (State, State, Vec<F>) {
        let (before, mut after) = (genesis(), genesis());
        let mut published = vec![];
        for (time, changed) in [(5, [0, 6, 8]), (5, [6, 8, 9])] {
            let changes: Vec<_> = changed
                .into_iter()
                .map(|index| {
                    let record = after.tree().get(index);
                    let next = if record == Record::EMPTY {
                        vault(44, 0)
                    } else {
                        spent(&record, 77 + u64::from(index))
                    };
                    (index, next)
                })
                .collect();
            let pairs = changes.iter();
            let pairs = pairs.map(|&(index, record)| (index, after.tree().get(index), record));
            let differences = crate::difference::changes(pairs).unwrap();
            published.extend(crate::difference::encode(&differences));
            let entries = [Entries::default()];
            after.advance(time, entries.iter(), &changes).unwrap();
        }
        (before, after, published)
    }

    #[test]
    fn differences_lead_to_the_state_that_published_them() {
        let (mut state, after, published) = two_shards();
        state.rebuild(after.head(), &published).unwrap();
        assert_eq!(state, after);
    }

    #[test]
    fn what_leads_elsewhere_changes_nothing() {
        let (before, after, published) = two_shards();
        let head = *after.head();
        let mut state = before.clone();
        let mut refused = |head: &Head, published: &[F]| {
            let error = state.rebuild(head, published).unwrap_err();
            assert_eq!(state, before, "{error}");
            error
        };

        let mut other = published.clone();
        other[1] += F::ONE;
        assert!(matches!(refused(&head, &other), RebuildError::Data { .. }));
        assert!(matches!(refused(&head, &[]), RebuildError::Data { .. }));

        // A head that commits to other differences has another root.
        let mut lying = head;
        lying.data_commitment = extend_data(&before.head().data_commitment, &other);
        assert!(matches!(refused(&lying, &other), RebuildError::Root { .. }));

        // A vault's difference where no vault is.
        let missing = [F::new(1), F::ONE, F::ZERO, F::ZERO];
        lying.data_commitment = extend_data(&before.head().data_commitment, &missing);
        let expected = RebuildError::Change {
            index: 1,
            source: ChangeError::NoVault {
                found: Record::EMPTY,
            },
        };
        assert_eq!(refused(&lying, &missing), expected);

        let odd = [F::ONE; 4];
        lying.data_commitment = extend_data(&before.head().data_commitment, &odd);
        assert!(matches!(refused(&lying, &odd), RebuildError::Change { .. }));

        let mut late = head;
        late.time = crate::head::TIME_LIMIT;
        assert!(matches!(
            refused(&late, &published),
            RebuildError::Head(_) | RebuildError::Time(_)
        ));
    }
}
