//! Where deposits go: the operator's choice among the vaults of their owner and asset, and empty indices.

use std::collections::{BTreeSet, HashMap};

use shardfold_protocol::amount::AMOUNT_LIMIT;
use shardfold_protocol::hash::Digest;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::State;
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::queue::{Item, Queued};
use thiserror::Error;

/// Transactions that take items.
#[derive(Clone, Debug, Default)]
pub struct Placed {
    /// One for each item, in order.
    pub transactions: Vec<Transaction>,
    /// Positions of deposits whose fee goes to their own vault, since the operator has none of the
    /// asset.
    pub given_back: Vec<u64>,
}

/// A state without an empty index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("found no empty index for item {position} of the queue")]
pub struct Full {
    /// The item's position.
    pub position: u64,
}

/// The vaults of a state that is filled.
struct Vaults<'a> {
    /// The first vault of each owner and asset, and what it holds.
    known: HashMap<(Digest, Asset), (Index, u64)>,
    /// From where on nothing lies but what is in `others`.
    free: u64,
    /// What other transactions touch.
    others: &'a BTreeSet<Index>,
}

/// Places items: a deposit goes to the first vault of its owner and asset, or opens the first index
/// after all records that is not among `others`; its fee goes to the first of the fee vaults that is of
/// its asset.
///
/// # Errors
/// If no index is empty.
pub fn place(
    state: &State,
    items: &[Queued],
    base_chain: u32,
    fee_vaults: &[Index],
    others: &BTreeSet<Index>,
) -> Result<Placed, Full> {
    let mut vaults = Vaults::new(state, others);
    let mut placed = Placed::default();
    for item in items {
        let (mut to, mut fees) = (0, 0);
        if let Item::Deposit {
            asset,
            amount,
            fee,
            owner,
        } = item.item
        {
            let position = item.position;
            to = vaults
                .find(owner, asset.into(), amount)
                .ok_or(Full { position })?;
            let is_of_asset = |index: &&Index| {
                let vault = state.tree().get(**index).vault();
                vault.is_some_and(|vault| vault.asset == Asset::from(asset))
            };
            fees = match fee_vaults.iter().find(is_of_asset) {
                Some(&index) => index,
                None if fee == 0 => 0,
                None => {
                    placed.given_back.push(position);
                    to
                }
            };
        }
        placed.transactions.push(item.taking(base_chain, to, fees));
    }
    Ok(placed)
}

impl<'a> Vaults<'a> {
    fn new(state: &State, others: &'a BTreeSet<Index>) -> Self {
        let (mut known, mut free) = (HashMap::new(), 0);
        for (index, record) in state.tree().records() {
            free = free.max(u64::from(index) + 1);
            if let Some(vault) = record.vault() {
                let entry = known.entry((vault.owner, vault.asset));
                entry.or_insert((index, vault.balance));
            }
        }
        Self {
            known,
            free,
            others,
        }
    }

    /// Where an amount goes; the vault is one of the owner's then.
    fn find(&mut self, owner: Digest, asset: Asset, amount: u64) -> Option<Index> {
        if let Some((index, balance)) = self.known.get_mut(&(owner, asset))
            && let Some(sum) = balance
                .checked_add(amount)
                .filter(|sum| *sum < AMOUNT_LIMIT)
        {
            *balance = sum;
            return Some(*index);
        }
        loop {
            let index = Index::try_from(self.free)
                .ok()
                .filter(|index| *index < Index::MAX)?;
            self.free += 1;
            if !self.others.contains(&index) {
                self.known.insert((owner, asset), (index, amount));
                return Some(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing as _;
    use shardfold_contracts::Body as _;
    use shardfold_contracts::deposit::Deposit;
    use shardfold_contracts::exit::Exit;
    use shardfold_protocol::address::Address;
    use shardfold_protocol::field::F;
    use shardfold_protocol::record::Vault;
    use shardfold_protocol::state::StateFile;

    use super::*;

    const ANNA: Digest = [F::ONE; 4];
    const BERT: Digest = [F::TWO; 4];

    fn state() -> State {
        let mut file = StateFile {
            chain_id: 1,
            head: None,
            vaults: vec![],
            records: vec![],
        };
        for (index, owner, asset, balance) in [
            (3, BERT, 0, 0),
            (4, ANNA, 0, 5),
            (6, ANNA, 1, AMOUNT_LIMIT - 1),
        ] {
            let vault = Vault {
                owner,
                asset,
                balance,
                nonce: 0,
            };
            file.push(index, vault.into());
        }
        State::try_from(&file).expect("it is well formed")
    }

    fn deposit(position: u64, owner: Digest, asset: u32, fee: u64) -> Queued {
        let item = Item::Deposit {
            asset,
            amount: 10,
            fee,
            owner,
        };
        Queued { position, item }
    }

    #[test]
    fn deposits_go_to_their_owners_vaults_or_open_one() {
        let exit = Item::Exit {
            index: 4,
            owner: ANNA,
            address: Address([1; 20]),
        };
        let exit = Queued {
            position: 4,
            item: exit,
        };
        let items = [
            deposit(0, ANNA, 0, 0),
            deposit(1, ANNA, 1, 2),
            deposit(2, BERT, 2, 0),
            deposit(3, BERT, 2, 3),
            exit,
        ];
        // 7 is another transaction's, and asset 2 has no fee vault.
        let placed =
            place(&state(), &items, 9, &[3, 6], &BTreeSet::from([7])).expect("there is room");
        assert_eq!(placed.given_back, [3]);
        let places = [(4, 3), (8, 6), (9, 0), (9, 9)];
        for (number, (to, fee_vault)) in places.into_iter().enumerate() {
            let transaction = &placed.transactions[number];
            assert_eq!(transaction.kind, Deposit::KIND);
            assert_eq!(transaction.words[1], F::from_u32(to), "{number}");
            assert_eq!(transaction.words[5], F::from_u32(fee_vault), "{number}");
        }
        assert_eq!(placed.transactions[4].kind, Exit::KIND);
    }
}
