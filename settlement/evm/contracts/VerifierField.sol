// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

// p = 2^64 - 2^32 + 1, the order of the base field.
uint256 constant P = 0xffffffff00000001;
// The lower half of a word.
uint256 constant LOW = 0xffffffffffffffffffffffffffffffff;
// One element of 8 bytes.
uint256 constant ELEMENT = 0xffffffffffffffff;
// The distance of p from 2^64, in both halves: added to an element that is not canonical, it
// carries into bit 64 of its half.
uint256 constant CARRY = 0x00ffffffff000000000000000000000000ffffffff;
// Bit 64 of both halves.
uint256 constant CARRIED = 0x1000000000000000000000000000000010000000000000000;
// Elements 1 and 3 of four that lie in a word.
uint256 constant ODD = 0xffffffffffffffff0000000000000000ffffffffffffffff;
// p in both halves.
uint256 constant PRIMES = 0xffffffff000000010000000000000000ffffffff00000001;

/// @title Arithmetic of the extension F[X]/(X^2 - 7)
/// @notice An element c0 + c1 * X is one word: c0 in its lower half, c1 in its upper half, both
/// below p. So an element of the base field is its own word.
library VerifierField {
    /// @notice x + y.
    function add(uint256 x, uint256 y) internal pure returns (uint256 r) {
        unchecked {
            return reduce(x + y);
        }
    }

    /// @notice x - y.
    function sub(uint256 x, uint256 y) internal pure returns (uint256 r) {
        unchecked {
            return reduce(x + PRIMES - y);
        }
    }

    /// @notice c * x for c in the base field.
    function scale(uint256 c, uint256 x) internal pure returns (uint256 r) {
        unchecked {
            // Each half is a product below 2^128.
            return reduce(c * x);
        }
    }

    /// @notice x * y.
    function mul(uint256 x, uint256 y) internal pure returns (uint256 r) {
        assembly {
            let u := mul(x, and(y, LOW))
            let v := mul(x, shr(128, y))
            r := or(
                mod(add(and(u, LOW), mul(7, shr(128, v))), P),
                shl(128, mod(add(shr(128, u), and(v, LOW)), P))
            )
        }
    }

    /// @notice 1 / x, or zero if x is zero.
    function inverse(uint256 x) internal pure returns (uint256) {
        unchecked {
            uint256 c0 = x & LOW;
            uint256 c1 = x >> 128;
            // (c0 + c1 X) (c0 - c1 X) = c0^2 - 7 c1^2
            uint256 norm = (c0 * c0 + 7 * P * P - 7 * c1 * c1) % P;
            uint256 conjugate = c0 | (((P - c1) % P) << 128);
            return scale(power(norm, P - 2), conjugate);
        }
    }

    /// @notice x^exponent in the base field.
    function power(uint256 x, uint256 exponent) internal pure returns (uint256 r) {
        r = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 != 0) r = mulmod(r, x, P);
            x = mulmod(x, x, P);
        }
    }

    /// @notice Both halves modulo p.
    function reduce(uint256 x) internal pure returns (uint256 r) {
        assembly {
            r := or(mod(and(x, LOW), P), shl(128, mod(shr(128, x), P)))
        }
    }
}
