//! The columns of each kind of step by name, in the order in which its rule lays them.

use shardfold_contracts::layout::{Cursor, Layout};
use shardfold_protocol::amount::FEE_BITS;
use shardfold_protocol::hash::blocks;

use crate::chips::fixture::contracts;

/// Names the columns of a row.
pub struct Names(Cursor);

/// Limbs of an amount.
pub type Amount = [usize; 4];

impl Names {
    pub fn new() -> Self {
        Self(Cursor::new(layout()))
    }

    pub fn cell(&mut self) -> usize {
        self.0.free()
    }

    pub fn cells<const N: usize>(&mut self) -> [usize; N] {
        core::array::from_fn(|_| self.cell())
    }

    pub fn integer<const N: usize>(&mut self, bits: u32) -> [usize; N] {
        let mut limbs = self.0.integer(bits);
        core::array::from_fn(|_| limbs.next().expect("so many limbs").column)
    }

    /// The digests of a message of so many elements, the chain id apart.
    pub fn hash(&mut self, elements: usize) -> Vec<[usize; 4]> {
        (0..blocks(elements + 1)).map(|_| self.cells()).collect()
    }
}

pub fn layout() -> Layout {
    contracts().layout()
}

/// What `vaults::pay` lays.
#[derive(Clone, Debug)]
pub struct Payer {
    /// clock - old clock - 1.
    pub gap: usize,
    pub balance: usize,
    pub owner: [usize; 4],
    pub left: Amount,
}

impl Payer {
    fn of(names: &mut Names) -> Self {
        let [gap] = names.integer(16);
        Self {
            gap,
            balance: names.cell(),
            owner: names.cells(),
            left: names.integer(62),
        }
    }
}

/// What `vaults::credit` lays.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// clock - old clock - 1.
    pub gap: usize,
    pub kind: usize,
    pub asset: usize,
    pub balance: usize,
    pub nonce: usize,
    pub owner: [usize; 4],
    pub sum: Amount,
}

impl Receiver {
    fn of(names: &mut Names) -> Self {
        let [gap] = names.integer(16);
        Self {
            gap,
            kind: names.cell(),
            asset: names.cell(),
            balance: names.cell(),
            nonce: names.cell(),
            owner: names.cells(),
            sum: names.integer(62),
        }
    }
}

/// A transfer's.
pub struct Transfer {
    pub from: usize,
    pub to: usize,
    pub amount: Amount,
    pub fee: [usize; 3],
    pub fee_vault: usize,
    pub nonce: usize,
    /// Of `to` minus the highest index.
    pub inverse: usize,
    pub digest: Vec<[usize; 4]>,
    pub payer: Payer,
    pub receiver: Receiver,
}

pub fn transfer() -> Transfer {
    let mut names = Names::new();
    let [from, to, _asset] = names.cells();
    let amount = names.integer(62);
    let (fee, fee_vault) = (names.integer(FEE_BITS), names.cell());
    let [nonce, _, _, _, _] = names.cells();
    Transfer {
        from,
        to,
        amount,
        fee,
        fee_vault,
        nonce,
        inverse: names.cell(),
        digest: names.hash(10),
        payer: Payer::of(&mut names),
        receiver: Receiver::of(&mut names),
    }
}

/// A deposit's.
pub struct Deposit {
    pub to: usize,
    pub asset: [usize; 2],
    pub amount: Amount,
    pub fee: [usize; 3],
    pub fee_vault: usize,
    pub position: usize,
    pub item: Vec<[usize; 4]>,
    pub digest: Vec<[usize; 4]>,
    pub receiver: Receiver,
}

pub fn deposit() -> Deposit {
    let mut names = Names::new();
    let [_base_chain, to] = names.cells();
    let (asset, amount) = (names.integer(32), names.integer(62));
    let (fee, fee_vault) = (names.integer(FEE_BITS), names.cell());
    let [position, _, _, _, _] = names.cells();
    Deposit {
        to,
        asset,
        amount,
        fee,
        fee_vault,
        position,
        item: names.hash(9),
        digest: names.hash(6),
        receiver: Receiver::of(&mut names),
    }
}

/// A withdrawal's.
pub struct Withdraw {
    pub from: usize,
    pub asset: [usize; 2],
    pub amount: Amount,
    pub fee: [usize; 3],
    pub fee_vault: usize,
    pub nonce: usize,
    /// Base chain and address.
    pub target: [usize; 4],
    pub owed: Vec<[usize; 4]>,
    pub digest: Vec<[usize; 4]>,
    pub payer: Payer,
}

pub fn withdraw() -> Withdraw {
    let mut names = Names::new();
    let from = names.cell();
    let (asset, amount) = (names.integer(32), names.integer(62));
    let (fee, fee_vault) = (names.integer(FEE_BITS), names.cell());
    let nonce = names.cell();
    Withdraw {
        from,
        asset,
        amount,
        fee,
        fee_vault,
        nonce,
        target: names.cells(),
        owed: names.hash(6),
        digest: names.hash(8),
        payer: Payer::of(&mut names),
    }
}

/// A flag that says whether something is zero, and the inverse of what is not.
#[derive(Clone, Copy)]
pub struct IsZero {
    pub flag: usize,
    pub inverse: usize,
}

impl IsZero {
    fn of(names: &mut Names) -> Self {
        Self {
            flag: names.cell(),
            inverse: names.cell(),
        }
    }
}

/// An exit's.
pub struct Exit {
    pub position: usize,
    /// Base chain and address.
    pub target: [usize; 4],
    pub item: Vec<[usize; 4]>,
    pub owner: [usize; 4],
    pub kind: usize,
    pub asset: usize,
    pub balance: usize,
    pub owner_found: [usize; 4],
    pub is_vault: IsZero,
    pub is_owner: [IsZero; 4],
    pub vault_asset: usize,
    pub is_base: usize,
    /// How far the asset is from the bound.
    pub distance: Amount,
    pub is_empty: IsZero,
    pub pays: IsZero,
    pub paid: usize,
}

pub fn exit() -> Exit {
    let mut names = Names::new();
    let [base_chain, position, _index] = names.cells();
    let owner = names.cells();
    let [a, b, c] = names.cells();
    let item = names.hash(10);
    names.hash(4);
    let [_gap] = names.integer(16);
    let [kind, asset, balance, _nonce] = names.cells();
    Exit {
        position,
        target: [base_chain, a, b, c],
        item,
        owner,
        kind,
        asset,
        balance,
        owner_found: names.cells(),
        is_vault: IsZero::of(&mut names),
        is_owner: core::array::from_fn(|_| IsZero::of(&mut names)),
        vault_asset: names.cell(),
        is_base: names.cell(),
        distance: names.integer(62),
        is_empty: IsZero::of(&mut names),
        pays: IsZero::of(&mut names),
        paid: names.cell(),
    }
}

/// What a transfer over tables and the exchange both lay.
pub struct ByTables {
    pub from: usize,
    pub to: usize,
    pub asset: usize,
    pub amount: Amount,
    pub fee: [usize; 3],
    pub nonce: usize,
    pub to_owner: [usize; 4],
    /// Of `to` minus the highest index.
    pub inverse: usize,
    /// Of the vault that pays.
    pub owner: [usize; 4],
}

impl ByTables {
    fn of(names: &mut Names) -> Self {
        let [from, to, asset] = names.cells();
        let (amount, fee) = (names.integer(62), names.integer(FEE_BITS));
        let [_fee_vault, nonce] = names.cells();
        let (to_owner, inverse) = (names.cells(), names.cell());
        names.hash(10);
        Self {
            from,
            to,
            asset,
            amount,
            fee,
            nonce,
            to_owner,
            inverse,
            owner: names.cells(),
        }
    }
}

pub fn by_tables() -> ByTables {
    ByTables::of(&mut Names::new())
}

/// What the exchange lays after that.
pub struct Swap {
    pub effective: usize,
    pub out: usize,
    pub root: Amount,
    /// What is exchanged by the root, and by the next integer.
    pub quotients: [usize; 2],
    pub product: usize,
}

pub fn swap() -> Swap {
    let mut names = Names::new();
    ByTables::of(&mut names);
    let [effective, out] = names.cells();
    let root = names.integer(62);
    let [first, product, second] = names.cells();
    Swap {
        effective,
        out,
        root,
        quotients: [first, second],
        product,
    }
}

/// The first step of a relay.
pub struct RelayFirst {
    pub amount: Amount,
    pub receiver: Receiver,
}

pub fn relay_first() -> RelayFirst {
    let mut names = Names::new();
    let _: [usize; 6] = names.cells();
    let amount = names.integer(62);
    names.hash(7);
    RelayFirst {
        amount,
        receiver: Receiver::of(&mut names),
    }
}

/// The steps in the middle of a relay.
pub struct RelayMiddle {
    pub to: usize,
    pub amount: Amount,
    pub sum: Amount,
    pub receiver: Receiver,
}

pub fn relay_middle() -> RelayMiddle {
    let mut names = Names::new();
    let [to, _, _, _, _] = names.cells();
    let amount = names.integer(62);
    names.hash(10);
    RelayMiddle {
        to,
        amount,
        sum: names.integer(62),
        receiver: Receiver::of(&mut names),
    }
}

/// The last step of a relay.
pub struct RelayLast {
    pub fee: [usize; 3],
    pub digest: Vec<[usize; 4]>,
    pub payer: Payer,
}

pub fn relay_last() -> RelayLast {
    let mut names = Names::new();
    let [_from, _nonce] = names.cells();
    let fee = names.integer(FEE_BITS);
    names.cell();
    RelayLast {
        fee,
        digest: names.hash(8),
        payer: Payer::of(&mut names),
    }
}

/// The kitchen's signed step.
pub struct Cook {
    pub fee: [usize; 3],
    pub numbers: [[usize; 3]; 2],
    pub factor: usize,
    pub choice: usize,
    pub until: usize,
    pub inverse: usize,
    pub until_limbs: [usize; 2],
    pub is_more: usize,
    pub difference_limbs: [usize; 4],
    pub is_same: usize,
    pub difference_inverse: usize,
    pub difference: usize,
    pub product: usize,
    pub shelf_gap: usize,
    /// All of its record but the kind.
    pub shelf: [usize; 7],
    pub pot_gap: usize,
    pub pot: [usize; 8],
    pub payer: Payer,
}

pub fn cook() -> Cook {
    let mut names = Names::new();
    let _places: [usize; 5] = names.cells();
    let numbers = [names.integer(40), names.integer(40)];
    let [factor, choice, until] = names.cells();
    let fee = names.integer(FEE_BITS);
    let [_vault, _, _] = names.cells();
    names.hash(14);
    let inverse = names.cell();
    let until_limbs = names.integer(20);
    let is_more = names.cell();
    let difference_limbs = names.integer(50);
    let [is_same, difference_inverse, difference, product] = names.cells();
    let [shelf_gap] = names.integer(16);
    let shelf = names.cells();
    let [pot_gap] = names.integer(16);
    let pot = names.cells();
    Cook {
        fee,
        numbers,
        factor,
        choice,
        until,
        inverse,
        until_limbs,
        is_more,
        difference_limbs,
        is_same,
        difference_inverse,
        difference,
        product,
        shelf_gap,
        shelf,
        pot_gap,
        pot,
        payer: Payer::of(&mut names),
    }
}

/// The kitchen's step that takes an item.
pub struct Order {
    pub amount: [usize; 2],
    pub position: usize,
}

pub fn order() -> Order {
    let mut names = Names::new();
    let _: [usize; 6] = names.cells();
    Order {
        amount: names.integer(30),
        position: names.cell(),
    }
}

/// The kitchen's step that credits it.
pub fn serve() -> Receiver {
    Receiver::of(&mut Names::new())
}
