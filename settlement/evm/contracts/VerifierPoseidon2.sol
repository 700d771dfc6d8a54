// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {P} from "./VerifierField.sol";
import {NotCanonical, Part} from "./VerifierParameters.sol";

/// @title Poseidon2 of width 12 over the base field, as the sponge that hashes public inputs
/// @notice ePrint 2023/323. It overwrites 8 elements at a time and pads nothing, as plonky2's
/// `hash_n_to_hash_no_pad`: the number of public inputs is fixed.
library VerifierPoseidon2 {
    /// Elements that a block overwrites.
    uint256 private constant RATE = 8;

    /// @notice Hashes elements of 8 bytes in calldata.
    /// @param from Where they begin.
    /// @param count How many there are.
    /// @param constants Where the constants lie in memory.
    /// @param to Where in memory the four elements of the digest go, a word each.
    function hash(uint256 from, uint256 count, uint256 constants, uint256 to) internal pure {
        uint256[12] memory state;
        uint256 place = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 element;
            assembly {
                element := shr(192, calldataload(add(from, shl(3, i))))
            }
            if (element >= P) revert NotCanonical(Part.Statement);
            state[place] = element;
            if (++place == RATE || i + 1 == count) {
                permute(state, constants);
                place = 0;
            }
        }
        assembly {
            for { let i := 0 } lt(i, 128) { i := add(i, 32) } {
                mstore(add(to, i), mod(mload(add(state, i)), P))
            }
        }
    }

    /// @notice Permutes a state of elements below 2^70, and leaves elements below 2^70.
    function permute(uint256[12] memory state, uint256 constants) internal pure {
        assembly {
            // x^7.
            function power(x) -> r {
                let square := mulmod(x, x, P)
                r := mulmod(mulmod(square, x, P), mulmod(square, square, P), P)
            }
            // Adds constants to all elements, and takes their seventh powers.
            function substitute(s, constant_) {
                for { let end := add(s, 384) } lt(s, end) {
                    s := add(s, 32)
                    constant_ := add(constant_, 8)
                } {
                    mstore(s, power(add(mload(s), shr(192, mload(constant_)))))
                }
            }
            // circ(2, 3, 1, 1) on each four elements, then circ(2 I, I, I): grows an element by
            // less than 2^5.
            function mixAll(s) {
                for { let o := s } lt(o, add(s, 384)) { o := add(o, 128) } {
                    let a := mload(o)
                    let b := mload(add(o, 32))
                    let c := mload(add(o, 64))
                    let d := mload(add(o, 96))
                    let sum := add(add(a, b), add(c, d))
                    mstore(o, add(add(sum, a), shl(1, b)))
                    mstore(add(o, 32), add(add(sum, b), shl(1, c)))
                    mstore(add(o, 64), add(add(sum, c), shl(1, d)))
                    mstore(add(o, 96), add(add(sum, d), shl(1, a)))
                }
                for { let o := s } lt(o, add(s, 128)) { o := add(o, 32) } {
                    let a := mload(o)
                    let b := mload(add(o, 128))
                    let c := mload(add(o, 256))
                    let sum := add(add(a, b), c)
                    mstore(o, add(a, sum))
                    mstore(add(o, 128), add(b, sum))
                    mstore(add(o, 256), add(c, sum))
                }
            }
            // All ones plus a diagonal.
            function mixInner(s, diagonal) {
                let end := add(s, 384)
                let sum := 0
                for { let o := s } lt(o, end) { o := add(o, 32) } { sum := add(sum, mload(o)) }
                for { let o := s } lt(o, end) { o := add(o, 32) diagonal := add(diagonal, 8) } {
                    mstore(o, mod(add(mul(mload(o), shr(192, mload(diagonal))), sum), P))
                }
            }
            // 4 rounds of 12 constants, 22 of one, 4 of 12, then the diagonal; 8 bytes each.
            mixAll(state)
            let c := constants
            for { let end := add(c, 384) } lt(c, end) { c := add(c, 96) } {
                substitute(state, c)
                mixAll(state)
            }
            let diagonal := add(constants, 944)
            for { let end := add(c, 176) } lt(c, end) { c := add(c, 8) } {
                mstore(state, power(add(mload(state), shr(192, mload(c)))))
                mixInner(state, diagonal)
            }
            for { } lt(c, diagonal) { c := add(c, 96) } {
                substitute(state, c)
                mixAll(state)
            }
        }
    }
}
