// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Verifier} from "../contracts/Verifier.sol";
import {VerifierField} from "../contracts/VerifierField.sol";
import {VerifierLowDegree} from "../contracts/VerifierLowDegree.sol";
import {VerifierMachine} from "../contracts/VerifierMachine.sol";
import {Parameters} from "../contracts/VerifierParameters.sol";
import {VerifierPoseidon2} from "../contracts/VerifierPoseidon2.sol";
import {VerifierProof} from "../contracts/VerifierProof.sol";

/// @title The verifier's parts, one by one: for tests
contract VerifierHarness is Verifier {
    constructor(address first_, address second_) Verifier(first_, second_) {}

    /// @notice All slots after the program has run, and the challenges of the low-degree test.
    function trace(bytes calldata proof)
        external
        view
        returns (
            uint256[] memory slots,
            uint256 zeta,
            uint256 batch,
            uint256[] memory folds,
            uint256[] memory indices
        )
    {
        Parameters memory p = loadData();
        VerifierProof.Challenges memory c = VerifierProof.read(p, proof);
        VerifierMachine.run(p, VerifierProof.inputCount(p));
        uint256 from = p.slotsAt;
        slots = new uint256[]((p.freeAt - from) / 32);
        assembly {
            mcopy(add(slots, 32), from, mul(32, mload(slots)))
        }
        return (slots, c.zeta, c.batch, c.folds, c.indices);
    }

    /// @notice The gas of each part: data, transcript, program, low-degree test.
    function gasOfParts(bytes calldata proof)
        external
        view
        returns (uint256 data, uint256 transcript, uint256 program, uint256 lowDegree)
    {
        data = gasleft();
        Parameters memory p = loadData();
        transcript = gasleft();
        VerifierProof.Challenges memory c = VerifierProof.read(p, proof);
        program = gasleft();
        VerifierMachine.run(p, VerifierProof.inputCount(p));
        lowDegree = gasleft();
        VerifierLowDegree.check(p, c);
        data -= transcript;
        transcript -= program;
        program -= lowDegree;
        lowDegree -= gasleft();
    }

    /// @notice Poseidon2 of elements of 8 bytes.
    function poseidon2(bytes calldata elements) external view returns (uint256[4] memory digest) {
        Parameters memory p = loadData();
        uint256[4] memory result;
        uint256 from;
        uint256 to;
        assembly {
            from := elements.offset
            to := result
        }
        VerifierPoseidon2.hash(from, elements.length / 8, p.poseidonAt, to);
        return result;
    }

    /// @notice Sum, difference, product, inverse.
    function field(uint256 x, uint256 y) external pure returns (uint256[4] memory) {
        return [
            VerifierField.add(x, y),
            VerifierField.sub(x, y),
            VerifierField.mul(x, y),
            VerifierField.inverse(x)
        ];
    }
}
