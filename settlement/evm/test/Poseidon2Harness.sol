// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Poseidon2} from "../contracts/Poseidon2.sol";

/// @title What tests call of the library
contract Poseidon2Harness {
    /// @notice Poseidon2.compress.
    function compress(uint256 left, uint256 right) external pure returns (uint256) {
        return Poseidon2.compress(left, right);
    }

    /// @notice The gas of one compression.
    function gasOfCompress(uint256 left, uint256 right) external view returns (uint256 gas) {
        gas = gasleft();
        Poseidon2.compress(left, right);
        gas -= gasleft();
    }
}
