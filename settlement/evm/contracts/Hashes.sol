// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";
import {Poseidon2} from "./Poseidon2.sol";

/// @title What ledger and base chain both hash
/// @notice A contract of its own, since the permutation is 8 kB of code. It has no state, and nobody can
/// change it. Messages are as docs/protocol.md has them: the first block is [tag, chain id, ...], where
/// the tag is domain * 2^32 + length; a later one is the digest so far and four elements, with zeros at
/// the end.
/// Poseidon2 counts modulo p, so x + p would hash as x. Every function refuses a word that it is given,
/// or makes of what it is given, if an element of it is p or more.
contract Hashes {
    uint256 private constant OWNER = (1 << 32) | 9;
    uint256 private constant DEPOSIT_ITEM = (5 << 32) | 10;
    uint256 private constant WITHDRAWAL = (7 << 32) | 7;
    uint256 private constant EXIT_ITEM = (12 << 32) | 11;
    /// @notice Bytes of a withdrawal: base chain, address (3), asset and amount, big-endian.
    uint256 public constant ENTRY_BYTES = 48;

    /// @notice Bytes that are not whole parts.
    error Length(uint256 found, uint256 partBytes);

    /// @notice The digest that owns a vault.
    /// @param chainId The ledger's chain id.
    /// @param key The public key.
    /// @param exitAddress Where the owner can leave to.
    /// @return The digest.
    function owner(uint256 chainId, uint64[5] calldata key, address exitAddress)
        external
        pure
        returns (uint256)
    {
        uint256 left = Elements.pack(OWNER, chainId, key[0], key[1]);
        (uint256 a, uint256 b, uint256 c) = Elements.ofAddress(exitAddress);
        uint256 right = Elements.pack(key[2], key[3], key[4], a);
        Elements.check(left);
        Elements.check(right);
        return Poseidon2.compress(Poseidon2.compress(left, right), Elements.pack(b, c, 0, 0));
    }

    /// @notice A deposit as the queue has it. An element of p or more is refused: it would be the deposit of
    /// another amount.
    /// @param chainId The ledger's chain id.
    /// @param baseChain The id of the chain that has the queue.
    /// @param position How many items came before.
    /// @param asset What is paid in.
    /// @param amount How much the vault receives.
    /// @param fee What the operator receives.
    /// @param ownerDigest Who owns the vault.
    /// @return The item's digest.
    function depositItem(
        uint64 chainId,
        uint64 baseChain,
        uint64 position,
        uint64 asset,
        uint64 amount,
        uint64 fee,
        uint256 ownerDigest
    ) external pure returns (uint256) {
        uint256 left = Elements.pack(DEPOSIT_ITEM, chainId, baseChain, position);
        uint256 right = Elements.pack(asset, amount, fee, ownerDigest >> 192);
        Elements.check(left);
        Elements.check(right);
        Elements.check(ownerDigest);
        return Poseidon2.compress(Poseidon2.compress(left, right), ownerDigest << 64);
    }

    /// @notice A forced exit as the queue has it. An element of p or more is refused.
    /// @param chainId The ledger's chain id.
    /// @param baseChain The id of the chain that has the queue.
    /// @param position How many items came before.
    /// @param index Where the vault is.
    /// @param ownerDigest Who asks.
    /// @param to Whom it pays.
    /// @return The item's digest.
    function exitItem(
        uint64 chainId,
        uint64 baseChain,
        uint64 position,
        uint64 index,
        uint256 ownerDigest,
        address to
    ) external pure returns (uint256) {
        uint256 left = Elements.pack(EXIT_ITEM, chainId, baseChain, position);
        uint256 right = (uint256(index) << 192) | (ownerDigest >> 64);
        (uint256 a, uint256 b, uint256 c) = Elements.ofAddress(to);
        uint256 end = Elements.pack(uint64(ownerDigest), a, b, c);
        Elements.check(left);
        Elements.check(right);
        Elements.check(end);
        return Poseidon2.compress(Poseidon2.compress(left, right), end);
    }

    /// @notice Extends a chain by digests, or by blocks of four elements.
    /// @param commitment The chain so far.
    /// @param blocks The blocks, of 32 bytes each.
    /// @return The chain after them.
    function chain(uint256 commitment, bytes calldata blocks) external pure returns (uint256) {
        if (blocks.length % 32 != 0) revert Length(blocks.length, 32);
        Elements.check(commitment);
        for (uint256 offset = 0; offset < blocks.length; offset += 32) {
            uint256 next = uint256(bytes32(blocks[offset:]));
            Elements.check(next);
            commitment = Poseidon2.compress(commitment, next);
        }
        return commitment;
    }

    /// @notice Extends the chain of withdrawals.
    /// @param chainId The ledger's chain id.
    /// @param commitment The chain so far.
    /// @param entries The withdrawals.
    /// @return The chain after them.
    function withdrawals(uint64 chainId, uint256 commitment, bytes calldata entries)
        external
        pure
        returns (uint256)
    {
        if (entries.length % ENTRY_BYTES != 0) revert Length(entries.length, ENTRY_BYTES);
        Elements.check(commitment);
        for (uint256 offset = 0; offset < entries.length; offset += ENTRY_BYTES) {
            uint256 place = uint256(bytes32(entries[offset:]));
            uint256 rest = uint128(bytes16(entries[offset + 32:]));
            // Base chain and the address's first element; its others, asset and amount.
            uint256 left = Elements.pack(WITHDRAWAL, chainId, place >> 192, uint64(place >> 128));
            uint256 right = (place << 128) | rest;
            Elements.check(left);
            Elements.check(right);
            uint256 digest = Poseidon2.compress(left, right);
            commitment = Poseidon2.compress(commitment, digest);
        }
        return commitment;
    }

    /// @notice The root of the state tree in which a record has these siblings.
    /// @param index Where the record lies.
    /// @param record Its eight elements.
    /// @param siblings The nodes beside the path, from the leaf's up to a child of the root.
    /// @return node The root.
    function stateRoot(uint32 index, uint256[2] calldata record, uint256[32] calldata siblings)
        external
        pure
        returns (uint256 node)
    {
        Elements.check(record[0]);
        Elements.check(record[1]);
        node = Poseidon2.compress(record[0], record[1]);
        for (uint256 level = 0; level < 32; level++) {
            (uint256 left, uint256 right) = (node, siblings[level]);
            Elements.check(right);
            if ((index >> level) & 1 == 1) (left, right) = (right, left);
            node = Poseidon2.compress(left, right);
        }
    }

    /// @notice Compresses two digests.
    /// @param left The first one.
    /// @param right The second one.
    /// @return Their parent.
    function compress(uint256 left, uint256 right) external pure returns (uint256) {
        Elements.check(left);
        Elements.check(right);
        return Poseidon2.compress(left, right);
    }
}
