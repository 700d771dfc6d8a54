// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";
import {Head, Heads} from "./Heads.sol";
import {Queue} from "./Queue.sol";

/// @title The way out when nobody settles
/// @notice If an item waits for more than 14 days, anybody may freeze the contract, for ever. From then
/// on every vault is paid out from the last settled state, and every deposit that was not taken is paid
/// back, each to the exit address in its owner.
abstract contract Escape is Queue {
    /// @notice How long an item may wait.
    uint256 public constant PATIENCE = 14 days;
    /// @dev The kind of a vault.
    uint256 internal constant VAULT = 1;

    /// @notice keccak256 of the last settled head's 192 bytes.
    bytes32 public headDigest;
    /// @dev Which vaults, positions and payouts have left, by index.
    mapping(uint256 word => uint256) private left;
    /// @dev Which deposits were paid back, by position.
    mapping(uint256 word => uint256) private returned;
    /// @notice Links of the queue's chain that were shown to lead to one that is known, as
    /// keccak256(count, chain).
    mapping(bytes32 => bool) public links;

    /// @notice What is due when the contract is frozen: shares that a vault held, and what they were
    /// given back for, in units of an asset.
    mapping(address owner => mapping(uint256 asset => uint256)) public due;

    /// @notice The contract is frozen.
    event Frozen(uint256 waitingSince);
    /// @notice A vault was paid out.
    event Escaped(uint256 indexed index, address indexed to, uint256 asset, uint256 amount);
    /// @notice A deposit was paid back.
    event Reclaimed(uint256 indexed position, address indexed to, uint256 asset, uint256 amount);

    /// @notice Nothing waits for too long.
    error NotOverdue(uint256 found, uint256 expected);
    /// @notice Another head than the last settled one.
    error WrongHead(bytes32 found, bytes32 expected);
    /// @notice A record and a path that make another state root than the head's.
    error WrongRoot(uint256 found, uint256 expected);
    /// @notice A record that is no vault.
    error NoVault(uint256 kind);
    /// @notice A key and an address that do not own it.
    error WrongOwner(uint256 found, uint256 expected);
    /// @notice It was paid already.
    error AlreadyOut(uint256 index);
    /// @notice An item that a settled batch has taken, or that is none.
    error NotWaiting(uint256 position, uint256 taken, uint256 count);
    /// @notice Items that lead to no known link of the queue's chain.
    error UnknownLink(uint256 count, uint256 commitment);

    /// @notice Freezes the contract for ever, if the oldest item that waits does so for more than 14
    /// days. Anybody may.
    function freeze() external alone whileOpen {
        Numbers memory numbers = queue;
        uint256 expected = numbers.oldestAt + PATIENCE;
        if (numbers.count == numbers.taken) expected = type(uint256).max;
        if (block.timestamp <= expected) revert NotOverdue(block.timestamp, expected);
        frozenAt = uint64(block.timestamp);
        emit Frozen(numbers.oldestAt);
    }

    /// @notice Pays a vault out. Anybody may, once for each vault. Shares are noted as due.
    /// @param head The last settled head: 192 bytes.
    /// @param index Where the vault lies.
    /// @param record The vault: kind, asset, balance, nonce, and the owner.
    /// @param siblings The nodes beside the path, from the leaf's up to a child of the root.
    /// @param key The vault's public key.
    /// @param to The exit address in the owner.
    function escape(
        bytes calldata head,
        uint32 index,
        uint256[2] calldata record,
        uint256[32] calldata siblings,
        uint64[5] calldata key,
        address to
    ) external alone whileFrozen {
        _checkRecord(head, index, record, siblings);
        uint256 asset = Elements.part(record[0], 1);
        if (record[0] >> 192 != VAULT) revert NoVault(record[0] >> 192);
        _checkOwner(record[1], key, to);
        if (!_leave(index)) revert AlreadyOut(index);
        uint256 amount = Elements.part(record[0], 2);
        emit Escaped(index, to, asset, amount);
        if (asset >> 32 == 0) _pay(asset, to, amount);
        else due[to][asset] += amount;
    }

    /// @notice Shows that a link of the queue's chain leads to one that is known: the newest, a
    /// checkpoint, or one shown before. For queues that are too long for one transaction.
    /// @param count How many items come before the link's end.
    /// @param commitment The chain over them.
    /// @param items The digests of the items after that, of 32 bytes each, up to the known link.
    /// @param place The checkpoint that is the known link, if one is.
    function showLink(uint256 count, uint256 commitment, bytes calldata items, uint256 place)
        external
        whileFrozen
    {
        _follow(count, commitment, items, place);
        links[keccak256(abi.encode(count, commitment))] = true;
    }

    /// @notice A deposit that no settled batch has taken.
    struct Waiting {
        /// How many items came before.
        uint64 position;
        /// The asset.
        uint32 asset;
        /// What the vault was to receive.
        uint64 amount;
        /// What the operator was to receive.
        uint64 fee;
        /// The chain over the items before.
        uint256 commitment;
    }

    /// @notice Pays a deposit and its fee back. Anybody may, once for each deposit.
    /// @param waiting The deposit.
    /// @param items The digests of the items after it, of 32 bytes each, up to a known link.
    /// @param place The checkpoint that is the known link, if one is.
    /// @param key The owner's public key.
    /// @param to The exit address in the owner.
    function reclaim(
        Waiting calldata waiting,
        bytes calldata items,
        uint256 place,
        uint64[5] calldata key,
        address to
    ) external alone whileFrozen {
        uint64 position = waiting.position;
        if (position < queue.taken || position >= queue.count) {
            revert NotWaiting(position, queue.taken, queue.count);
        }
        uint256 amount = _together(waiting.amount, waiting.fee);
        uint256 item = hashes.depositItem(
            ledgerChainId,
            baseChain,
            position,
            waiting.asset,
            waiting.amount,
            waiting.fee,
            hashes.owner(ledgerChainId, key, to)
        );
        _follow(position + 1, hashes.compress(waiting.commitment, item), items, place);
        if (!_mark(returned, position)) revert AlreadyOut(position);
        emit Reclaimed(position, to, waiting.asset, amount);
        _pay(waiting.asset, to, amount);
    }

    /// @dev Checks that a record is in the last settled state.
    function _checkRecord(
        bytes calldata head,
        uint32 index,
        uint256[2] calldata record,
        uint256[32] calldata siblings
    ) internal view {
        if (keccak256(head) != headDigest) revert WrongHead(keccak256(head), headDigest);
        uint256 node = hashes.stateRoot(index, record, siblings);
        Head memory settled = Heads.read(head);
        if (node != settled.stateRoot) revert WrongRoot(node, settled.stateRoot);
    }

    /// @dev Checks that a key and an address are an owner.
    function _checkOwner(uint256 expected, uint64[5] calldata key, address to) internal view {
        uint256 found = hashes.owner(ledgerChainId, key, to);
        if (found != expected) revert WrongOwner(found, expected);
    }

    /// @dev Follows the queue's chain by some items, and checks that its end is known.
    function _follow(uint256 count, uint256 commitment, bytes calldata items, uint256 place)
        private
        view
    {
        commitment = hashes.chain(commitment, items);
        count += items.length / 32;
        if (count == queue.count && commitment == queueCommitment) return;
        if (links[keccak256(abi.encode(count, commitment))]) return;
        (bool isOne,) = _isCheckpoint(place, count, commitment);
        if (!isOne) revert UnknownLink(count, commitment);
    }

    /// @dev Notes that a record has left; false if it had.
    function _leave(uint256 index) internal returns (bool) {
        return _mark(left, index);
    }

    /// @dev Sets a bit; false if it was set.
    function _mark(mapping(uint256 => uint256) storage bits, uint256 number) private returns (bool) {
        (uint256 word, uint256 bit) = (number >> 8, 1 << (number & 255));
        if (bits[word] & bit != 0) return false;
        bits[word] |= bit;
        return true;
    }
}
