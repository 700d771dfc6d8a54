// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Verifier} from "../contracts/Verifier.sol";
import {VerifierField} from "../contracts/VerifierField.sol";
import {VerifierLowDegree} from "../contracts/VerifierLowDegree.sol";
import {VerifierMachine} from "../contracts/VerifierMachine.sol";
import {Parameters} from "../contracts/VerifierParameters.sol";
import {VerifierPowers} from "../contracts/VerifierPowers.sol";
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

    /// @notice What `trace` returns of a proof whose constraints need not hold: of the slots the
    /// inputs of the program alone, which are openings and challenges.
    function challenges(bytes calldata proof)
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
        uint256 from = p.slotsAt;
        slots = new uint256[](VerifierProof.inputCount(p));
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

    /// @notice The point of these coordinates.
    function pointOf(uint256 low, uint256 high) external pure returns (uint256) {
        return VerifierProof.pointOf(low, high);
    }

    /// @notice Combines the elements of a row, all by the same power.
    function combine(bytes calldata row) external pure returns (uint256) {
        uint256 count = row.length / 8;
        uint256[] memory powers = new uint256[](2 * count + 16);
        uint256 powersAt;
        assembly {
            powersAt := add(powers, 32)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                mstore(add(powersAt, shl(6, i)), 1)
                mstore(add(powersAt, add(32, shl(6, i))), 2)
            }
        }
        bytes memory copy = bytes.concat(row, new bytes(64));
        uint256 from;
        assembly {
            from := add(copy, 32)
        }
        return VerifierPowers.combine(from, count, powersAt);
    }

    /// @notice Reads the values of a fold, and returns the position-th.
    function readValues(bytes calldata values, uint256 position)
        external
        view
        returns (uint256 leaf, uint256 value)
    {
        Parameters memory p = loadData();
        VerifierLowDegree.Batch memory b;
        VerifierLowDegree.Query memory q;
        b.valuesAt = VerifierProof.allocate(48 << p.logArity);
        uint256 from;
        assembly {
            from := values.offset
        }
        q.cursor = from;
        leaf = VerifierLowDegree.readValues(p, b, q);
        uint256 valuesAt = b.valuesAt;
        assembly {
            value := mload(add(valuesAt, shl(5, position)))
        }
    }

    /// @notice The low-degree test of a proof in which one thing is another, after the transcript
    /// was played: a coefficient, a fold's challenge, an index (by number), an opening (by number),
    /// the batching challenge, or the point.
    function lowDegreeWith(bytes calldata proof, uint256 what, uint256 number)
        external
        view
        returns (bool)
    {
        Parameters memory p = loadData();
        VerifierProof.Challenges memory c = VerifierProof.read(p, proof);
        if (what == 0) flip(c.finalAt + 32 * number);
        if (what == 1) c.folds[number] ^= 1;
        if (what == 2) c.indices[number] ^= 1;
        if (what == 3) flip(p.slotsAt + 32 * (VerifierProof.OPENINGS + number));
        if (what == 4) c.batch ^= 1;
        if (what == 5) c.zeta ^= 1;
        VerifierLowDegree.check(p, c);
        return true;
    }

    /// @notice The program on a proof in which one opening is another, after the transcript was
    /// played.
    function programWith(bytes calldata proof, uint256 number) external view returns (bool) {
        Parameters memory p = loadData();
        VerifierProof.read(p, proof);
        flip(p.slotsAt + 32 * (VerifierProof.OPENINGS + number));
        VerifierMachine.run(p, VerifierProof.inputCount(p));
        return true;
    }

    /// @notice x / y by an instruction of the machine.
    function quotient(uint256 x, uint256 y) external pure returns (uint256 result) {
        uint256 place = VerifierProof.allocate(128);
        assembly {
            mstore(place, x)
            mstore(add(place, 32), y)
            // The two words' numbers.
            let word := shr(5, place)
            mstore(add(place, 64), or(shl(240, word), shl(224, add(word, 1))))
        }
        VerifierMachine.quotient(place + 64, 1, place + 96);
        assembly {
            result := mload(add(place, 96))
        }
    }

    /// @notice Another element in a word of memory.
    function flip(uint256 place) private pure {
        assembly {
            mstore(place, xor(mload(place), 1))
        }
    }
}
