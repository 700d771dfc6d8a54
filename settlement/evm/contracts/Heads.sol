// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";

/// @notice The state of the ledger between two batches, without what the contract never reads (the
/// count of transactions and their chain).
struct Head {
    uint256 stateRoot;
    uint256 time;
    uint256 queueCount;
    uint256 queueCommitment;
    uint256 withdrawalCount;
    uint256 withdrawalCommitment;
    uint256 dataCommitment;
}

/// @title Heads and what a settlement proof states as bytes
/// @notice A head is 24 elements of 8 bytes, big-endian; a statement is the ledger's chain id, the head
/// before and the head after (docs/statement.md). After it a settlement proof states an evaluation of
/// what is published (Data).
library Heads {
    /// @notice Bytes of a head.
    uint256 internal constant BYTES = 192;
    /// @notice Bytes of a statement.
    uint256 internal constant STATEMENT_BYTES = 392;
    /// @notice Bytes of what a settlement proof states: a statement, then an evaluation.
    uint256 internal constant SETTLEMENT_BYTES = 472;

    /// @notice A proof that ends in what it states.
    error ProofLength(uint256 found, uint256 leastExpected);

    /// @notice Reads a head.
    /// @param head Its 192 bytes, of which the caller knows that they are so many; every element is below
    /// p, or it is refused.
    /// @return result The head.
    function read(bytes calldata head) internal pure returns (Head memory result) {
        for (uint256 offset = 0; offset < BYTES; offset += 32) {
            Elements.check(word(head, offset));
        }
        result.stateRoot = word(head, 0);
        result.time = uint64(bytes8(head[40:]));
        result.queueCount = uint64(bytes8(head[48:]));
        result.queueCommitment = word(head, 56);
        result.withdrawalCount = uint64(bytes8(head[88:]));
        result.withdrawalCommitment = word(head, 96);
        result.dataCommitment = word(head, 128);
    }

    /// @notice Cuts a proof's statement.
    /// @param proof A settlement proof.
    /// @return chainId The ledger's chain id.
    /// @return before The head before.
    /// @return afterwards The head after.
    function statement(bytes calldata proof)
        internal
        pure
        returns (uint256 chainId, bytes calldata before, bytes calldata afterwards)
    {
        if (proof.length < SETTLEMENT_BYTES) revert ProofLength(proof.length, SETTLEMENT_BYTES);
        chainId = uint64(bytes8(proof));
        before = proof[8:8 + BYTES];
        afterwards = proof[8 + BYTES:STATEMENT_BYTES];
    }

    /// @notice Cuts a proof's evaluation.
    /// @param proof A settlement proof, which has a statement.
    /// @return The evaluation.
    function evaluation(bytes calldata proof) internal pure returns (bytes calldata) {
        return proof[STATEMENT_BYTES:SETTLEMENT_BYTES];
    }

    /// @notice The digest by which the contract knows a head.
    /// @param stateRoot The state root of a ledger that has seen no transaction.
    /// @return The digest of that ledger's head.
    function genesisDigest(uint256 stateRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(stateRoot, new bytes(BYTES - 32)));
    }

    /// @dev The word at a byte; the caller knows that it is there.
    function word(bytes calldata data, uint256 offset) internal pure returns (uint256 result) {
        assembly ("memory-safe") {
            result := calldataload(add(data.offset, offset))
        }
    }
}
