// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Verifier of settlement proofs
/// @notice Knows one circuit. A proof starts with what it states: see docs/settlement-proof.md.
interface ISettlementVerifier {
    /// @notice Says whether a proof proves what it states.
    /// @param proof The settlement proof; its first 472 bytes are what it states.
    /// @return True if it does; false, or a revert, if it does not.
    function verify(bytes calldata proof) external view returns (bool);
}
