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
    /// @dev The state lies in the 12 words from 0x80 on and the diagonal in those after it, at
    /// fixed addresses below DATA: these are the hottest lines, and loops would double them.
    /// @param from Where the elements begin.
    /// @param count How many there are.
    /// @param constants Where the constants lie in memory: 4 rounds of 12, 22 of one, 4 of 12, then
    /// the diagonal; 8 bytes each.
    /// @param to Where in memory the four elements of the digest go, a word each.
    function hash(uint256 from, uint256 count, uint256 constants, uint256 to) internal pure {
        assembly {
            for { let i := 0 } lt(i, 12) { i := add(i, 1) } {
                mstore(add(0x80, shl(5, i)), 0)
                mstore(add(0x200, shl(5, i)), shr(192, mload(add(add(constants, 944), shl(3, i)))))
            }
        }
        uint256 place = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 element;
            assembly {
                element := shr(192, calldataload(add(from, shl(3, i))))
                mstore(add(0x80, shl(5, place)), element)
            }
            if (element >= P) revert NotCanonical(Part.Statement);
            if (++place == RATE || i + 1 == count) {
                permute(constants);
                place = 0;
            }
        }
        assembly {
            for { let i := 0 } lt(i, 128) { i := add(i, 32) } {
                mstore(add(to, i), mod(mload(add(0x80, i)), P))
            }
        }
    }

    /// @notice Permutes a state of elements below 2^70, and leaves elements below 2^70.
    function permute(uint256 constants) private pure {
        assembly {
            // x^7.
            function power(x) -> r {
                let square := mulmod(x, x, P)
                r := mulmod(mulmod(square, x, P), mulmod(square, square, P), P)
            }
            // circ(2, 3, 1, 1) on four elements.
            function mixFour(i, j, k, l) {
                let a := mload(i)
                let b := mload(j)
                let c := mload(k)
                let d := mload(l)
                let sum := add(add(a, b), add(c, d))
                mstore(i, add(add(sum, a), shl(1, b)))
                mstore(j, add(add(sum, b), shl(1, c)))
                mstore(k, add(add(sum, c), shl(1, d)))
                mstore(l, add(add(sum, d), shl(1, a)))
            }
            // circ(2, 1, 1) on three elements.
            function mixColumn(i, j, k) {
                let a := mload(i)
                let b := mload(j)
                let c := mload(k)
                let sum := add(add(a, b), c)
                mstore(i, add(a, sum))
                mstore(j, add(b, sum))
                mstore(k, add(c, sum))
            }
            // The outer matrix. Grows an element by less than 2^5.
            function mixAll() {
                mixFour(0x80, 0xa0, 0xc0, 0xe0)
                mixFour(0x100, 0x120, 0x140, 0x160)
                mixFour(0x180, 0x1a0, 0x1c0, 0x1e0)
                mixColumn(0x80, 0x100, 0x180)
                mixColumn(0xa0, 0x120, 0x1a0)
                mixColumn(0xc0, 0x140, 0x1c0)
                mixColumn(0xe0, 0x160, 0x1e0)
            }
            // A round of constants and seventh powers for all elements.
            function substitute(c) {
                mstore(0x80, power(add(mload(0x80), shr(192, mload(c)))))
                mstore(0xa0, power(add(mload(0xa0), shr(192, mload(add(c, 8))))))
                mstore(0xc0, power(add(mload(0xc0), shr(192, mload(add(c, 16))))))
                mstore(0xe0, power(add(mload(0xe0), shr(192, mload(add(c, 24))))))
                mstore(0x100, power(add(mload(0x100), shr(192, mload(add(c, 32))))))
                mstore(0x120, power(add(mload(0x120), shr(192, mload(add(c, 40))))))
                mstore(0x140, power(add(mload(0x140), shr(192, mload(add(c, 48))))))
                mstore(0x160, power(add(mload(0x160), shr(192, mload(add(c, 56))))))
                mstore(0x180, power(add(mload(0x180), shr(192, mload(add(c, 64))))))
                mstore(0x1a0, power(add(mload(0x1a0), shr(192, mload(add(c, 72))))))
                mstore(0x1c0, power(add(mload(0x1c0), shr(192, mload(add(c, 80))))))
                mstore(0x1e0, power(add(mload(0x1e0), shr(192, mload(add(c, 88))))))
            }
            // The inner matrix: all ones plus a diagonal.
            function mixInner() {
                let sum := add(add(mload(0x80), mload(0xa0)), mload(0xc0))
                sum := add(sum, add(add(mload(0xe0), mload(0x100)), mload(0x120)))
                sum := add(sum, add(add(mload(0x140), mload(0x160)), mload(0x180)))
                sum := add(sum, add(add(mload(0x1a0), mload(0x1c0)), mload(0x1e0)))
                mstore(0x80, mod(add(mul(mload(0x80), mload(0x200)), sum), P))
                mstore(0xa0, mod(add(mul(mload(0xa0), mload(0x220)), sum), P))
                mstore(0xc0, mod(add(mul(mload(0xc0), mload(0x240)), sum), P))
                mstore(0xe0, mod(add(mul(mload(0xe0), mload(0x260)), sum), P))
                mstore(0x100, mod(add(mul(mload(0x100), mload(0x280)), sum), P))
                mstore(0x120, mod(add(mul(mload(0x120), mload(0x2a0)), sum), P))
                mstore(0x140, mod(add(mul(mload(0x140), mload(0x2c0)), sum), P))
                mstore(0x160, mod(add(mul(mload(0x160), mload(0x2e0)), sum), P))
                mstore(0x180, mod(add(mul(mload(0x180), mload(0x300)), sum), P))
                mstore(0x1a0, mod(add(mul(mload(0x1a0), mload(0x320)), sum), P))
                mstore(0x1c0, mod(add(mul(mload(0x1c0), mload(0x340)), sum), P))
                mstore(0x1e0, mod(add(mul(mload(0x1e0), mload(0x360)), sum), P))
            }
            let c := constants
            mixAll()
            for { let end := add(c, 384) } lt(c, end) { c := add(c, 96) } {
                substitute(c)
                mixAll()
            }
            for { let end := add(c, 176) } lt(c, end) { c := add(c, 8) } {
                mstore(0x80, power(add(mload(0x80), shr(192, mload(c)))))
                mixInner()
            }
            for { let end := add(c, 384) } lt(c, end) { c := add(c, 96) } {
                substitute(c)
                mixAll()
            }
        }
    }
}
