// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";

/// @title The queue: what the ledger has to take, in order
/// @notice A hash chain over deposits and forced exits, the one that the proofs extend. A batch takes
/// items up to a checkpoint or all of them, so that an item that arrives meanwhile spoils no proof.
abstract contract Queue is Assets {
    /// @notice The queue's numbers, in one slot.
    struct Numbers {
        /// How many items there are.
        uint48 count;
        /// How many of them the settled batches have taken.
        uint48 taken;
        /// How many there were at the newest checkpoint.
        uint48 atCheckpoint;
        /// How many checkpoints there are.
        uint32 checkpoints;
        /// When the oldest item arrived that is not taken; of no meaning if all are.
        uint40 oldestAt;
        /// When the newest checkpoint was made.
        uint40 checkpointAt;
    }

    /// @notice Places for checkpoints. Over 14 days those by time take 4,033 at most; each of the other
    /// 4,159 takes 128 items: only 532 thousand items of that time push out a checkpoint that is in use.
    uint256 public constant PLACES = 8192;
    /// @notice The least time between two checkpoints, unless so many items are between them as follows.
    uint256 public constant INTERVAL = 5 minutes;
    /// @notice So many items at most are between two ends of batches, so that one settlement has room for
    /// them: if each opens a vault or pays an exit, they take 4.4 million gas and 10.6 kB. A
    /// transaction has 16,777,216 gas and 131,072 bytes, of which a proof takes 4.6 million and 108,560; a
    /// test has room for one of twice as much gas.
    uint256 public constant GROUP = 128;
    /// @notice By so many items waiting, the price of an item rises by itself.
    uint256 public constant CROWD = 256;
    /// @notice So often it rises: nobody can make leaving dearer than that.
    uint256 public constant MOST_RISES = 31;
    /// @dev Bits of a checkpoint's time.
    uint256 private constant TIME_BITS = 40;

    /// @notice The price of an item in an empty queue, in wei.
    uint256 public immutable basePrice;
    /// @notice The queue's numbers.
    Numbers public queue;
    /// @notice The chain over all items.
    uint256 public queueCommitment;
    /// @notice Checkpoints: 216 bits of a digest of count and chain, and when the next item arrived.
    uint256[PLACES] public checkpoints;
    /// @notice What was paid for the items that are not taken, in wei.
    uint256 public pot;
    /// @notice What settlers may collect, in wei.
    mapping(address settler => uint256) public earned;

    /// @notice A deposit is in the queue.
    event Deposited(
        uint256 indexed position, uint256 indexed owner, uint256 asset, uint256 amount, uint256 fee
    );
    /// @notice A forced exit is in the queue.
    event ExitRequested(uint256 indexed position, uint256 indexed owner, uint256 index, address to);
    /// @notice A batch may take so many items.
    event Checkpoint(uint256 indexed place, uint256 count);

    /// @notice An amount with its fee that no vault holds.
    error AmountTooLarge(uint256 found, uint256 limit);
    /// @notice A fee that no proof covers.
    error FeeTooLarge(uint256 found, uint256 limit);
    /// @notice An index that no proof can open.
    error IndexTooLarge(uint256 found, uint256 limit);
    /// @notice Too little coin for an item's price, and for the deposit if it is in coin.
    error TooLittlePaid(uint256 found, uint256 expected);
    /// @notice A checkpoint too soon after another.
    error TooSoon(uint256 found, uint256 expected);
    /// @notice Nothing to make a checkpoint of.
    error NothingNew(uint256 count);
    /// @notice A batch with another chain over the items than this queue's.
    error WrongQueue(uint256 found, uint256 expected);
    /// @notice A batch that ends where no checkpoint is.
    error NoCheckpoint(uint256 place, uint256 count, uint256 commitment);

    constructor(uint256 price) {
        basePrice = price;
    }

    /// @notice What an item costs now: the more are waiting, the more, up to 32 times the least.
    /// @return The price, in wei.
    function itemPrice() public view returns (uint256) {
        uint256 rises = (queue.count - queue.taken) / CROWD;
        return basePrice * (1 + (rises < MOST_RISES ? rises : MOST_RISES));
    }

    /// @notice Pays into a vault. Coin that is sent beyond the deposit and the price goes back at once.
    /// @param asset The asset's number.
    /// @param amount How many units the vault receives.
    /// @param fee How many units the operator receives, on top.
    /// @param owner Who owns the vault: the digest of key and exit address.
    function deposit(uint32 asset, uint64 amount, uint64 fee, uint256 owner)
        external
        payable
        alone
        whileOpen
    {
        uint256 units = _together(amount, fee);
        (address token, uint256 paid) = _inToken(asset, units);
        uint256 rest = _charge(token == address(0) ? paid : 0);
        if (token != address(0)) _collect(token, paid);
        uint64 position = queue.count;
        _push(hashes.depositItem(ledgerChainId, baseChain, position, asset, amount, fee, owner));
        emit Deposited(position, owner, asset, amount, fee);
        if (rest > 0) _payCoin(msg.sender, rest);
    }

    /// @notice Asks for the whole of a vault, which the ledger pays out if it is the caller's. An exit
    /// of anything else is taken all the same and does nothing. Coin beyond the price goes back at once.
    /// @param index Where the vault is.
    /// @param key The vault's public key; the caller is its exit address.
    function requestExit(uint32 index, uint64[5] calldata key) external payable alone whileOpen {
        if (index == type(uint32).max) revert IndexTooLarge(index, type(uint32).max);
        uint256 rest = _charge(0);
        uint256 owner = hashes.owner(ledgerChainId, key, msg.sender);
        uint64 position = queue.count;
        _push(hashes.exitItem(ledgerChainId, baseChain, position, index, owner, msg.sender));
        emit ExitRequested(position, owner, index, msg.sender);
        if (rest > 0) _payCoin(msg.sender, rest);
    }

    /// @notice Makes a checkpoint of all items so far. Anybody may, 5 minutes after the last one.
    function checkpoint() external alone whileOpen {
        Numbers memory numbers = queue;
        if (numbers.count == numbers.taken || numbers.count == numbers.atCheckpoint) {
            revert NothingNew(numbers.count);
        }
        uint256 soonest = numbers.checkpointAt + INTERVAL;
        if (block.timestamp < soonest) revert TooSoon(block.timestamp, soonest);
        // The time of the next item is not known yet: it notes its own.
        _writeCheckpoint(numbers, 0);
        queue = numbers;
    }

    /// @notice Pays a settler what the items' prices have earned.
    function collect() external alone {
        uint256 amount = earned[msg.sender];
        earned[msg.sender] = 0;
        _payCoin(msg.sender, amount);
    }

    /// @dev An amount with its fee, both as proofs cover them.
    function _together(uint64 amount, uint64 fee) internal pure returns (uint256 units) {
        if (fee >= 1 << 46) revert FeeTooLarge(fee, 1 << 46);
        units = uint256(amount) + fee;
        if (units >= 1 << 62) revert AmountTooLarge(units, 1 << 62);
    }

    /// @dev Puts an item's price into the pot; returns what was sent beyond that and a deposit of coin.
    function _charge(uint256 paid) private returns (uint256) {
        uint256 price = itemPrice();
        if (msg.value < paid + price) revert TooLittlePaid(msg.value, paid + price);
        pot += price;
        return msg.value - paid - price;
    }

    /// @dev Appends an item.
    function _push(uint256 item) private {
        Numbers memory numbers = queue;
        bool isFirst = numbers.count == numbers.taken;
        if (isFirst) numbers.oldestAt = uint40(block.timestamp);
        if (numbers.checkpoints > 0 && numbers.count == numbers.atCheckpoint) {
            // The newest checkpoint is of the items before this one.
            checkpoints[(numbers.checkpoints - 1) % PLACES] |= block.timestamp;
        } else if (!isFirst) {
            bool isDue = block.timestamp >= numbers.checkpointAt + INTERVAL;
            bool isFull = numbers.count - numbers.atCheckpoint >= GROUP;
            if (isDue || isFull) _writeCheckpoint(numbers, block.timestamp);
        }
        queueCommitment = hashes.compress(queueCommitment, item);
        numbers.count++;
        queue = numbers;
    }

    /// @dev Writes a checkpoint of the items so far, with the time of the next one.
    function _writeCheckpoint(Numbers memory numbers, uint256 nextAt) private {
        uint256 place = numbers.checkpoints % PLACES;
        checkpoints[place] = _mark(numbers.count, queueCommitment) | nextAt;
        numbers.atCheckpoint = numbers.count;
        numbers.checkpoints++;
        numbers.checkpointAt = uint40(block.timestamp);
        emit Checkpoint(place, numbers.count);
    }

    /// @dev What a checkpoint says of count and chain: the digest's upper 216 bits.
    function _mark(uint256 count, uint256 commitment) private pure returns (uint256) {
        return (uint256(keccak256(abi.encode(count, commitment))) >> TIME_BITS) << TIME_BITS;
    }

    /// @dev Whether a checkpoint is of this count and chain; if so, when the next item arrived.
    function _isCheckpoint(uint256 place, uint256 count, uint256 commitment)
        internal
        view
        returns (bool, uint40)
    {
        uint256 found = checkpoints[place % PLACES];
        return ((found >> TIME_BITS) << TIME_BITS == _mark(count, commitment), uint40(found));
    }

    /// @dev Takes items up to a count: of the newest item, or of a checkpoint. Their price goes to the
    /// settler.
    function _take(uint256 count, uint256 commitment, uint256 place) internal {
        Numbers memory numbers = queue;
        if (count == numbers.count) {
            if (commitment != queueCommitment) revert WrongQueue(commitment, queueCommitment);
        } else {
            (bool isOne, uint40 nextAt) = _isCheckpoint(place, count, commitment);
            if (!isOne) revert NoCheckpoint(place, count, commitment);
            numbers.oldestAt = nextAt;
        }
        uint256 share = pot * (count - numbers.taken) / (numbers.count - numbers.taken);
        pot -= share;
        earned[msg.sender] += share;
        numbers.taken = uint48(count);
        queue = numbers;
    }
}
