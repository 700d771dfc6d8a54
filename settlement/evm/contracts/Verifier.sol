// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISettlementVerifier} from "./ISettlementVerifier.sol";
import {DATA, Parameters} from "./VerifierParameters.sol";
import {VerifierLowDegree} from "./VerifierLowDegree.sol";
import {VerifierMachine} from "./VerifierMachine.sol";
import {VerifierProof} from "./VerifierProof.sol";

/// @title Verifier of settlement proofs
/// @notice A fixed machine for one circuit. What makes it that circuit's verifier is data, made by
/// `recursion/src/plonk/onchain`: sizes, tables, key, and the program of the constraints. They are
/// the code of two contracts after a byte that stops, and each verification compares their hash.
/// docs/settlement-verifier.md explains all of it.
contract Verifier is ISettlementVerifier {
    /// @notice The contracts whose code is the data.
    address public immutable first;
    address public immutable second;
    /// @notice keccak256 of the data, by which anybody can tell that they are the right ones.
    bytes32 public immutable dataHash;

    /// @notice No contract that holds data.
    error NoData(address found);
    /// @notice The data are not those of the verifier's creation: their contracts were removed, and others
    /// put in their place.
    error OtherData(bytes32 found, bytes32 expected);

    constructor(address first_, address second_) {
        first = first_;
        second = second_;
        dataHash = keccak256(bytes.concat(data(first_), data(second_)));
    }

    /// @notice Verifies a proof. Takes nothing but the proof: no challenge, no hint.
    /// @param proof The proof, in the form of docs/settlement-proof.md.
    /// @return True. A proof that does not verify reverts, with an error that says why.
    function verify(bytes calldata proof) external view returns (bool) {
        Parameters memory p = loadData();
        VerifierProof.Challenges memory c = VerifierProof.read(p, proof);
        VerifierMachine.run(p, VerifierProof.inputCount(p));
        VerifierLowDegree.check(p, c);
        return true;
    }

    /// @notice Copies the data to memory. Must come before anything else is in memory.
    /// @dev They are hashed each time: a contract that removed itself in the transaction of its creation
    /// leaves an address at which another can be created.
    function loadData() internal view returns (Parameters memory p) {
        address one = first;
        address two = second;
        bytes32 found;
        assembly {
            // Of an address without code this is no size, and the copy runs out of gas.
            let size := sub(extcodesize(one), 1)
            let rest := sub(extcodesize(two), 1)
            extcodecopy(one, DATA, 1, size)
            extcodecopy(two, add(DATA, size), 1, rest)
            found := keccak256(DATA, add(size, rest))
            p := DATA
        }
        if (found != dataHash) revert OtherData(found, dataHash);
        uint256 free = p.freeAt;
        assembly {
            mstore(0x40, free)
        }
    }

    /// @notice What a contract holds after its first byte, which must be the one that stops: so it
    /// cannot be run, and is no account whose code can change (EIP-7702).
    function data(address from) private view returns (bytes memory held) {
        held = from.code;
        if (held.length < 2 || held[0] != 0) revert NoData(from);
        assembly {
            // The same bytes without the first: their length goes right before the second.
            let length := sub(mload(held), 1)
            held := add(held, 1)
            mstore(held, length)
        }
    }
}
