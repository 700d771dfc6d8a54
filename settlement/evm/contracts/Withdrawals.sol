// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Elements} from "./Elements.sol";

/// @title Withdrawals: what the ledger owes, and who was paid
/// @notice A batch's withdrawals are a list of entries of 48 bytes: base chain, address (3), asset and
/// amount, each an element of 8 bytes, big-endian. A leaf is keccak256(number, entry), where the number
/// says how many withdrawals the ledger owed before: two equal ones are two. A node is keccak256 of its
/// two children, the lower first; a node without a neighbour goes up as it is.
abstract contract Withdrawals is Assets {
    /// @dev Bytes of an entry.
    uint256 private constant ENTRY = 48;

    /// @notice The root over each batch's withdrawals.
    mapping(uint256 batch => bytes32) public withdrawalRoots;
    /// @dev Which withdrawals are paid: bit number % 256 of word number / 256.
    mapping(uint256 word => uint256) private paid;

    /// @notice A withdrawal was paid.
    event Claimed(uint256 indexed number, address indexed to, uint256 asset, uint256 amount);

    /// @notice Bytes that are no entry.
    error EntriesLength(uint256 found, uint256 entryBytes);
    /// @notice A list of another length than the batch says.
    error WrongWithdrawalCount(uint256 found, uint256 expected);
    /// @notice A list with another chain than the batch says.
    error WrongWithdrawals(uint256 found, uint256 expected);
    /// @notice A claim that is not under a batch's root.
    error NotOwed(bytes32 found, bytes32 expected);
    /// @notice A claim that was paid already.
    error AlreadyPaid(uint256 number);
    /// @notice A withdrawal to another base chain.
    error OtherChain(uint256 found, uint256 expected);
    /// @notice A withdrawal to elements that are no address.
    error NoAddress(uint256 a, uint256 b, uint256 c);

    /// @notice Says whether a withdrawal was paid.
    /// @param number How many the ledger owed before it.
    /// @return Whether it was.
    function isPaid(uint256 number) public view returns (bool) {
        return (paid[number >> 8] >> (number & 255)) & 1 == 1;
    }

    /// @notice Pays a withdrawal to the address in it. Anybody may ask, at any time, once.
    /// @param batch The number of the batch that settled it.
    /// @param number How many withdrawals the ledger owed before it.
    /// @param entry The withdrawal: 48 bytes.
    /// @param path The nodes beside the way from the leaf to the root.
    function claim(uint256 batch, uint64 number, bytes calldata entry, bytes32[] calldata path)
        external
        alone
    {
        if (entry.length != ENTRY) revert EntriesLength(entry.length, ENTRY);
        bytes32 node = keccak256(abi.encodePacked(number, entry));
        for (uint256 i = 0; i < path.length; i++) node = _parent(node, path[i]);
        if (node != withdrawalRoots[batch] || node == 0) revert NotOwed(node, withdrawalRoots[batch]);
        if (isPaid(number)) revert AlreadyPaid(number);
        paid[number >> 8] |= 1 << (number & 255);
        uint256 place = uint256(bytes32(entry));
        uint256 asset = uint64(bytes8(entry[32:]));
        uint256 amount = uint64(bytes8(entry[40:]));
        if (place >> 192 != baseChain) revert OtherChain(place >> 192, baseChain);
        (uint256 a, uint256 b, uint256 c) =
            (Elements.part(place, 1), Elements.part(place, 2), Elements.part(place, 3));
        (bool isOne, address to) = Elements.toAddress(a, b, c);
        if (!isOne) revert NoAddress(a, b, c);
        emit Claimed(number, to, asset, amount);
        _pay(asset, to, amount);
    }

    /// @dev Checks a batch's list against the chain of its heads, and notes the root.
    function _owe(
        uint256 batch,
        uint256 first,
        uint256 count,
        uint256 commitment,
        uint256 expected,
        bytes calldata entries
    ) internal {
        // Bytes that are not whole entries are refused below, by what hashes them.
        uint256 found = entries.length / ENTRY;
        if (found != count) revert WrongWithdrawalCount(found, count);
        commitment = hashes.withdrawals(ledgerChainId, commitment, entries);
        if (commitment != expected) revert WrongWithdrawals(commitment, expected);
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            nodes[i] = keccak256(abi.encodePacked(uint64(first + i), entries[i * ENTRY:(i + 1) * ENTRY]));
        }
        if (count > 0) withdrawalRoots[batch] = _root(nodes);
    }

    /// @dev The root over leaves; it overwrites them.
    function _root(bytes32[] memory nodes) private pure returns (bytes32) {
        uint256 count = nodes.length;
        while (count > 1) {
            for (uint256 i = 0; i + 1 < count; i += 2) nodes[i / 2] = _parent(nodes[i], nodes[i + 1]);
            if (count % 2 == 1) nodes[count / 2] = nodes[count - 1];
            count = (count + 1) / 2;
        }
        return nodes[0];
    }

    /// @dev The parent of two nodes, in either order.
    function _parent(bytes32 a, bytes32 b) private pure returns (bytes32 digest) {
        if (a > b) (a, b) = (b, a);
        assembly ("memory-safe") {
            mstore(0, a)
            mstore(32, b)
            digest := keccak256(0, 64)
        }
    }
}
