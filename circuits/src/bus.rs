//! The buses over which the chips talk. Each is a multiset of messages that must balance
//! over all chips of a shard (LogUp). A method's doc says what the caller itself constrains;
//! `docs/buses.md` lists senders, receivers and the invariant of each bus.

use p3_air::AirBuilder;
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder, LookupBus, PermutationCheckBus};

use shardfold_contracts::readings::Bus;
use shardfold_protocol::field::F;

mod shared;

pub use shared::{MulDivBus, VaultBus, VaultMessage};

/// What an AIR's builder must offer: constraints over Goldilocks, and buses.
pub trait ChipBuilder: AirBuilder<F = F> + InteractionBuilder {}
impl<AB: AirBuilder<F = F> + InteractionBuilder> ChipBuilder for AB {}

/// Four expressions: a digest.
pub type Digest<E> = [E; 4];

/// What one kind of step says in a slot of the transaction table.
pub struct Branch<E> {
    /// 1 on rows of this step, else 0.
    pub flag: E,
    /// How often it is said; negative for what is received.
    pub count: E,
    /// The fields.
    pub fields: Vec<E>,
}

/// A row says at most one of these on a bus. Caller: the flags are boolean and at most one of them
/// is 1; a count is 1, -1, or proven to be 0 or 1, but for fees (see [`FeeBus`]). What else a
/// caller must constrain is said at the bus: [`StateBus::send`] and [`StateBus::receive`],
/// [`HashBus::request`], [`SignatureBus::require`], [`FeeBus`], [`VaultBus`], [`MulDivBus`],
/// [`RangeBus::check`].
pub fn say_exclusively<AB: ChipBuilder>(
    builder: &mut AB,
    bus: Bus,
    branches: impl IntoIterator<Item = Branch<AB::Expr>>,
) {
    let name = match bus {
        Bus::State => StateBus::BUS.name(),
        Bus::Hash => HashBus::BUS.name(),
        Bus::Signature => SignatureBus::BUS.name(),
        Bus::Fee => FeeBus::BUS.name(),
        Bus::Vault => VaultBus::BUS.name(),
        Bus::MulDiv => MulDivBus::BUS.name(),
        Bus::Range => RangeBus::BUS.name(),
    };
    let branches = branches.into_iter().map(|branch| {
        let count = match bus {
            // The bound of a count is a u32; a fee is larger, and justified at the bus.
            Bus::Fee => Count::provided(branch.count),
            _ => Count::bounded(branch.count, 1),
        };
        (branch.flag, count, branch.fields)
    });
    builder.push_exclusive_interaction(name, branches);
}

/// Offline memory checking over records: `(index, clock, record)`.
pub struct StateBus;

/// A record as it was written at some clock.
pub struct StateMessage<E> {
    /// Where the record lies.
    pub index: E,
    /// When it was written: 0 before the shard, the clock of a transaction, or `FEE_CLOCK`.
    pub clock: E,
    /// The record.
    pub record: [E; 8],
}

impl<E> StateMessage<E> {
    fn fields(self) -> impl Iterator<Item = E> {
        [self.index, self.clock].into_iter().chain(self.record)
    }
}

impl StateBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("state");

    /// A record enters the shard, or is written back by a rule. Caller: `is_real` is
    /// boolean; on write-back it has taken the same index at a strictly earlier clock.
    pub fn send<AB: ChipBuilder>(
        builder: &mut AB,
        message: StateMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        Self::BUS.send(builder, message.fields(), Count::bounded(is_real, 1));
    }

    /// A record as last written is taken, by a rule or at the end of the shard. Caller:
    /// `is_real` is boolean; a rule writes the same index back at a strictly later clock.
    pub fn receive<AB: ChipBuilder>(
        builder: &mut AB,
        message: StateMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        Self::BUS.receive(builder, message.fields(), Count::bounded(is_real, 1));
    }
}

/// Child to parent in the state tree: `(level, index, old digest, new digest)`.
pub struct NodeBus;

/// A touched node: leaves are at level 0, the root is index 0 of level 32.
pub struct NodeMessage<E> {
    /// Height above the leaves.
    pub level: E,
    /// Place within the level.
    pub index: E,
    /// Digest before the shard.
    pub old: Digest<E>,
    /// Digest after the shard.
    pub new: Digest<E>,
}

impl<E> NodeMessage<E> {
    fn fields(self) -> impl Iterator<Item = E> {
        [self.level, self.index]
            .into_iter()
            .chain(self.old)
            .chain(self.new)
    }
}

impl NodeBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("node");

    /// This node has these digests. Caller: they are hashes of the node's content, and
    /// `is_real` is boolean.
    pub fn send<AB: ChipBuilder>(
        builder: &mut AB,
        message: NodeMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        Self::BUS.send(builder, message.fields(), Count::bounded(is_real, 1));
    }

    /// The parent (or, for the root, the statement) takes a touched child. Caller:
    /// `is_real` is boolean, and each position in the tree is taken at most once.
    pub fn receive<AB: ChipBuilder>(
        builder: &mut AB,
        message: NodeMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        Self::BUS.receive(builder, message.fields(), Count::bounded(is_real, 1));
    }
}

/// Compressions: `(8 elements in, 4 out)`, out = trunc4(P(in) + in).
pub struct HashBus;

impl HashBus {
    const BUS: LookupBus<'static> = LookupBus::new("hash");

    /// `output` is the compression of `input`. Caller: `is_real` is boolean.
    pub fn request<AB: ChipBuilder>(
        builder: &mut AB,
        input: [AB::Expr; 8],
        output: Digest<AB::Expr>,
        is_real: AB::Expr,
    ) {
        let key = input.into_iter().chain(output);
        Self::BUS.lookup_key(builder, key, Count::bounded(is_real, 1));
    }

    /// One computed compression, given out `multiplicity` times. Caller: output follows
    /// from input; the multiplicity is free.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        input: [AB::Expr; 8],
        output: Digest<AB::Expr>,
        multiplicity: AB::Expr,
    ) {
        let key = input.into_iter().chain(output);
        Self::BUS.table_entry(builder, key, multiplicity);
    }
}

/// Signatures: `(owner digest, message digest)`.
pub struct SignatureBus;

impl SignatureBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("signature");

    /// This owner must have signed this message. Caller: `is_real` is boolean.
    pub fn require<AB: ChipBuilder>(
        builder: &mut AB,
        owner: Digest<AB::Expr>,
        message: Digest<AB::Expr>,
        is_real: AB::Expr,
    ) {
        let fields = owner.into_iter().chain(message);
        Self::BUS.send(builder, fields, Count::bounded(is_real, 1));
    }

    /// This owner has signed this message. Caller: `is_real` is boolean, the signature
    /// equation holds for a key of this owner.
    pub fn confirm<AB: ChipBuilder>(
        builder: &mut AB,
        owner: Digest<AB::Expr>,
        message: Digest<AB::Expr>,
        is_real: AB::Expr,
    ) {
        let fields = owner.into_iter().chain(message);
        Self::BUS.receive(builder, fields, Count::bounded(is_real, 1));
    }
}

/// A point in affine coordinates over GF(p^5): x, then y.
pub type Point<E> = [E; 10];

/// The keys whose multiples are needed: `(position of the signature, P)`.
pub struct BaseBus;

impl BaseBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("base");

    /// The multiples of P are needed, once per row. Caller: P is in the group, and positions
    /// count up from 0, so that no position has two bases.
    pub fn request<AB: ChipBuilder>(builder: &mut AB, position: AB::Expr, base: Point<AB::Expr>) {
        let fields = [position].into_iter().chain(base);
        Self::BUS.send(builder, fields, Count::bounded(AB::Expr::ONE, 1));
    }

    /// The multiples of P are given out. Caller: `is_last` is one on the last row of each
    /// block of multiples and zero elsewhere; positions count up from 0.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        position: AB::Expr,
        base: Point<AB::Expr>,
        is_last: AB::Expr,
    ) {
        let fields = [position].into_iter().chain(base);
        Self::BUS.receive(builder, fields, Count::bounded(is_last, 1));
    }
}

/// The multiples of each key: `(position of the signature, digit, digit · P + Q0)`.
pub struct VariableTableBus;

impl VariableTableBus {
    const BUS: LookupBus<'static> = LookupBus::new("variable_table");

    /// Looks a multiple up, once per row. Nothing else needs to hold the digit: the table
    /// has only those below 16.
    pub fn lookup<AB: ChipBuilder>(
        builder: &mut AB,
        position: AB::Expr,
        digit: AB::Expr,
        point: Point<AB::Expr>,
    ) {
        let key = [position, digit].into_iter().chain(point);
        Self::BUS.lookup_key(builder, key, Count::bounded(AB::Expr::ONE, 1));
    }

    /// One multiple. Caller: position and digit together are never provided twice; the
    /// multiplicity is free.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        position: AB::Expr,
        digit: AB::Expr,
        point: Point<AB::Expr>,
        multiplicity: AB::Expr,
    ) {
        let key = [position, digit].into_iter().chain(point);
        Self::BUS.table_entry(builder, key, multiplicity);
    }
}

/// Challenge times key: `(position of the signature, low and high half of e, e·P + K)`.
pub struct VariableBaseBus;

/// One multiplication of a variable base.
pub struct VariableBaseMessage<E> {
    /// The position of the signature, which says what P is.
    pub position: E,
    /// e = low + 2^64 high, both halves canonical.
    pub scalar: [E; 2],
    /// e·P + K.
    pub product: Point<E>,
}

impl<E> VariableBaseMessage<E> {
    fn fields(self) -> impl Iterator<Item = E> {
        [self.position]
            .into_iter()
            .chain(self.scalar)
            .chain(self.product)
    }
}

impl VariableBaseBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("variable_base");

    /// The product is needed. Caller: has requested the base of this position; `is_real` is boolean.
    pub fn request<AB: ChipBuilder>(
        builder: &mut AB,
        message: VariableBaseMessage<AB::Expr>,
        is_real: AB::Expr,
    ) {
        Self::BUS.send(builder, message.fields(), Count::bounded(is_real, 1));
    }

    /// The product was computed. Caller: `is_last` is one on the last row of each ladder
    /// and zero elsewhere.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        message: VariableBaseMessage<AB::Expr>,
        is_last: AB::Expr,
    ) {
        Self::BUS.receive(builder, message.fields(), Count::bounded(is_last, 1));
    }
}

/// `(s·G + K)` for some s that the prover knows.
pub struct FixedBaseBus;

impl FixedBaseBus {
    const BUS: PermutationCheckBus<'static> = PermutationCheckBus::new("fixed_base");

    /// This point must be s·G + K for some known s. Caller: `is_real` is boolean.
    pub fn request<AB: ChipBuilder>(builder: &mut AB, product: Point<AB::Expr>, is_real: AB::Expr) {
        Self::BUS.send(builder, product, Count::bounded(is_real, 1));
    }

    /// This point is s·G + K. Caller: `is_last` is one on the last row of each ladder and
    /// zero elsewhere.
    pub fn provide<AB: ChipBuilder>(builder: &mut AB, product: Point<AB::Expr>, is_last: AB::Expr) {
        Self::BUS.receive(builder, product, Count::bounded(is_last, 1));
    }
}

/// The multiples of G: `(window, digit · 2^(10 window) · G + O_window)` for integers `digit` that
/// the prover knows: those below 1024, and whatever others its table has.
pub struct FixedTableBus;

impl FixedTableBus {
    const BUS: LookupBus<'static> = LookupBus::new("fixed_table");

    /// The table has this point in this window, asked once per row.
    pub fn lookup<AB: ChipBuilder>(builder: &mut AB, window: AB::Expr, point: Point<AB::Expr>) {
        let key = [window].into_iter().chain(point);
        Self::BUS.lookup_key(builder, key, Count::bounded(AB::Expr::ONE, 1));
    }

    /// One entry of the table. Caller: the point is such a multiple for this window; the
    /// multiplicity is free.
    pub fn provide<AB: ChipBuilder>(
        builder: &mut AB,
        window: AB::Expr,
        point: Point<AB::Expr>,
        multiplicity: AB::Expr,
    ) {
        let key = [window].into_iter().chain(point);
        Self::BUS.table_entry(builder, key, multiplicity);
    }
}

/// 16-bit integers: `(value)`.
pub struct RangeBus;

impl RangeBus {
    const BUS: LookupBus<'static> = LookupBus::new("range");

    /// `value` is below 2^16. Caller: `is_real` is boolean.
    pub fn check<AB: ChipBuilder>(builder: &mut AB, value: AB::Expr, is_real: AB::Expr) {
        Self::BUS.lookup_key(builder, [value], Count::bounded(is_real, 1));
    }

    /// One entry of the table 0..2^16. The multiplicity is free.
    pub fn provide<AB: ChipBuilder>(builder: &mut AB, value: AB::Expr, multiplicity: AB::Expr) {
        Self::BUS.table_entry(builder, [value], multiplicity);
    }
}

/// Fees add up per vault: `(fee vault, asset)`, with the fee itself as multiplicity.
///
/// The sum of multiplicities is taken in the field; it equals the integer sum because a row of
/// the transaction table pays at most one fee, in its one exclusive slot, and there are at most
/// 2^16 rows. A fee is below 2^46, so the sum is below 2^62. That a vault is collected for once
/// follows from the clocks: see the `fee` chip.
///
/// Who pays says so by [`say_exclusively`], with the fee as count. Caller: the fee is below 2^46, and
/// zero on rows that pay none; a row pays once.
pub struct FeeBus;

impl FeeBus {
    const BUS: LookupBus<'static> = LookupBus::new("fee");

    /// All that the shard pays into `vault`. Caller: the vault is credited with `total`,
    /// once, and `total` is zero on rows that are not real.
    pub fn collect<AB: ChipBuilder>(
        builder: &mut AB,
        vault: AB::Expr,
        asset: AB::Expr,
        total: AB::Expr,
    ) {
        Self::BUS.table_entry(builder, [vault, asset], total);
    }
}
