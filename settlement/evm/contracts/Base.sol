// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";
import {Hashes} from "./Hashes.sol";

/// @title What all parts of the contract share
abstract contract Base {
    /// @notice The ledger's chain id: an element of every statement and of every message.
    uint64 public immutable ledgerChainId;
    /// @notice This chain's id, as items and withdrawals name it.
    uint32 public immutable baseChain;
    /// @notice What hashes as the ledger does.
    Hashes public immutable hashes;
    /// @notice When the contract was frozen; 0 if it was not.
    uint64 public frozenAt;
    /// @dev Whether a function that pays or is paid is running.
    bool private transient isBusy;

    /// @notice A chain id that cannot be an element of a message.
    error ChainIdTooLarge(uint256 found, uint256 limit);
    /// @notice The contract is frozen: only what pays out works.
    error IsFrozen(uint256 since);
    /// @notice The contract is not frozen.
    error IsNotFrozen();
    /// @notice A token or receiver called back.
    error Reentered();

    constructor(uint64 chainId, Hashes hashes_) {
        if (chainId >= Elements.P) revert ChainIdTooLarge(chainId, Elements.P);
        if (block.chainid > type(uint32).max) revert ChainIdTooLarge(block.chainid, 1 << 32);
        ledgerChainId = chainId;
        baseChain = uint32(block.chainid);
        hashes = hashes_;
    }

    /// @dev Nobody who is paid or asked to pay can call back.
    modifier alone() {
        if (isBusy) revert Reentered();
        isBusy = true;
        _;
        isBusy = false;
    }

    /// @dev Only before the contract is frozen.
    modifier whileOpen() {
        if (frozenAt != 0) revert IsFrozen(frozenAt);
        _;
    }

    /// @dev Only after.
    modifier whileFrozen() {
        if (frozenAt == 0) revert IsNotFrozen();
        _;
    }
}
