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
    /// The first vault of each owner and asset.
    known: HashMap<(Digest, Asset), Index>,
    /// What each vault holds.
    balances: HashMap<Index, u64>,
    /// Where something lies.
    occupied: BTreeSet<Index>,
    /// After all records: from where on nothing lies but what is in `others`.
    after: u64,
    /// Before it there is no empty index.
    gap: u64,
    /// What other transactions touch.
    others: &'a BTreeSet<Index>,
}

/// Places items: a deposit goes to the first vault of its owner and asset if that has room, or opens
/// the first index after all records that is not among `others`, or an empty one before them if there is
/// none; its fee goes to the first of the fee vaults that is of its asset and has room, or back to the
/// depositor.
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
            let is_of_asset = |index: &&Index| {
                let vault = state.tree().get(**index).vault();
                vault.is_some_and(|vault| vault.asset == Asset::from(asset))
            };
            let fee_vault = fee_vaults.iter().find(is_of_asset).copied();
            // The contract bounds amount and fee together, so a new vault has room for both.
            let own = |vaults: &mut Vaults<'_>, units| {
                let found = vaults.find(owner, asset.into(), units);
                found.ok_or(Full { position })
            };
            (to, fees) = match fee_vault.filter(|&index| vaults.add(index, fee)) {
                Some(index) => (own(&mut vaults, amount)?, index),
                None if fee == 0 => (own(&mut vaults, amount)?, 0),
                None => {
                    placed.given_back.push(position);
                    let to = own(&mut vaults, amount.saturating_add(fee))?;
                    (to, to)
                }
            };
        }
        placed.transactions.push(item.taking(base_chain, to, fees));
    }
    Ok(placed)
}

impl<'a> Vaults<'a> {
    fn new(state: &State, others: &'a BTreeSet<Index>) -> Self {
        let mut vaults = Self {
            known: HashMap::new(),
            balances: HashMap::new(),
            occupied: BTreeSet::new(),
            after: 0,
            gap: 0,
            others,
        };
        for (index, record) in state.tree().records() {
            vaults.after = vaults.after.max(u64::from(index) + 1);
            vaults.occupied.insert(index);
            if let Some(vault) = record.vault() {
                let entry = vaults.known.entry((vault.owner, vault.asset));
                entry.or_insert(index);
                vaults.balances.insert(index, vault.balance);
            }
        }
        vaults
    }

    /// Adds to what a vault holds, if there is room.
    fn add(&mut self, index: Index, units: u64) -> bool {
        let Some(balance) = self.balances.get_mut(&index) else {
            return false;
        };
        let sum = balance.checked_add(units);
        match sum.filter(|sum| *sum < AMOUNT_LIMIT) {
            Some(sum) => {
                *balance = sum;
                true
            }
            None => false,
        }
    }

    /// Where so many units go; the vault is one of the owner's then.
    fn find(&mut self, owner: Digest, asset: Asset, units: u64) -> Option<Index> {
        if let Some(&index) = self.known.get(&(owner, asset))
            && self.add(index, units)
        {
            return Some(index);
        }
        let index = self.empty()?;
        self.occupied.insert(index);
        self.balances.insert(index, units);
        self.known.insert((owner, asset), index);
        Some(index)
    }

    /// The next empty index.
    fn empty(&mut self) -> Option<Index> {
        const END: u64 = Index::MAX as u64;
        let is_empty = |index: u64| {
            let index = Index::try_from(index).ok();
            index.filter(|index| !self.occupied.contains(index) && !self.others.contains(index))
        };
        if let Some(index) = (self.after..END).find_map(is_empty) {
            self.after = u64::from(index) + 1;
            return Some(index);
        }
        self.after = END;
        let index = (self.gap..END).find_map(is_empty)?;
        self.gap = u64::from(index) + 1;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use p3_field::{PrimeCharacteristicRing as _, PrimeField64 as _};
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
        // Vault 6 is full, so it takes neither Anna's deposit nor the fee.
        assert_eq!(placed.given_back, [1, 3]);
        let places = [(4, 3), (8, 8), (9, 0), (9, 9)];
        for (number, (to, fee_vault)) in places.into_iter().enumerate() {
            let transaction = &placed.transactions[number];
            assert_eq!(transaction.kind, Deposit::KIND);
            assert_eq!(transaction.words[1], F::from_u32(to), "{number}");
            assert_eq!(transaction.words[5], F::from_u32(fee_vault), "{number}");
        }
        assert_eq!(placed.transactions[4].kind, Exit::KIND);
    }

    /// The vaults and fee vaults that deposits of a state get.
    fn places(state: &State, items: &[Queued], fee_vaults: &[Index]) -> Vec<(u64, u64)> {
        let placed = place(state, items, 9, fee_vaults, &BTreeSet::new()).expect("there is room");
        let word = |transaction: &Transaction, i: usize| transaction.words[i].as_canonical_u64();
        let transactions = placed.transactions.iter();
        transactions.map(|t| (word(t, 1), word(t, 5))).collect()
    }

    #[test]
    fn a_record_at_the_last_index_leaves_room_before_it() {
        let mut file = state().to_file();
        // Of the state before.
        file.head = None;
        let vault = Vault {
            owner: BERT,
            asset: 5,
            balance: 1,
            nonce: 0,
        };
        file.push(Index::MAX - 1, vault.into());
        let state = State::try_from(&file).expect("it is well formed");
        let items = [5, 6, 7, 8, 9].map(|asset| deposit(asset.into(), ANNA, asset, 0));
        let found = places(&state, &items, &[]);
        assert_eq!(found, [(0, 0), (1, 0), (2, 0), (5, 0), (7, 0)]);
    }

    #[test]
    fn a_fee_that_finds_no_room_opens_a_vault() {
        let full = |position, amount, fee| Queued {
            position,
            item: Item::Deposit {
                asset: 3,
                amount,
                fee,
                owner: ANNA,
            },
        };
        let most = AMOUNT_LIMIT - 1;
        let items = [full(0, most, 0), full(1, 0, 1), full(2, most - 1, 1)];
        assert_eq!(places(&state(), &items, &[]), [(7, 0), (8, 8), (9, 9)]);
        // Vault 6, of asset 1, is full: it can take no fee.
        let item = deposit(0, BERT, 1, 3);
        assert_eq!(places(&state(), &[item], &[6]), [(7, 7)]);
    }
}
