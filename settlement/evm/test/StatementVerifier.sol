// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISettlementVerifier} from "../contracts/ISettlementVerifier.sol";

/// @title A verifier that proves nothing: for tests of the contract alone
/// @notice Takes what a proof states with nothing behind it for a proof.
contract StatementVerifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    function verify(bytes calldata proof) external pure returns (bool) {
        return proof.length == 472;
    }
}

/// @title A verifier that takes 7 million gas: more than twice what that of real proofs takes
/// @notice Takes what a proof states with anything behind it for a proof.
contract WorkingVerifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    function verify(bytes calldata proof) external view returns (bool) {
        uint256 start = gasleft();
        while (start - gasleft() < 7_000_000) {}
        return proof.length >= 472;
    }
}

/// @title A verifier that refuses everything: for tests of a change of verifiers
contract RefusingVerifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    function verify(bytes calldata) external pure returns (bool) {
        return false;
    }
}

/// @title A verifier that proves nothing and takes proofs as long as real ones: to measure what they cost
contract LongVerifier is ISettlementVerifier {
    /// @inheritdoc ISettlementVerifier
    function verify(bytes calldata proof) external pure returns (bool) {
        return proof.length == 100_000;
    }
}
