// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {LOW, P, PRIMES} from "./VerifierField.sol";

/// @title Polynomials by their values and by their coefficients
library VerifierFold {
    /// @notice Interpolates by halving: of values u, v at y and -y, u + v + (u - v) * c / y is
    /// twice the value at y^2 of the even part plus c times the odd part, which is what the
    /// polynomial has at c. The ratio is c over the first point; the twiddles are that point over
    /// the first of each pair, the same for every halving.
    function interpolate(uint256 values, uint256 pairs, uint256 ratio, uint256 twiddles)
        internal
        pure
        returns (uint256 value)
    {
        assembly {
            for { } pairs { pairs := shr(1, pairs) } {
                let from := values
                for { let i := 0 } lt(i, pairs) { i := add(i, 1) } {
                    // The ratio times the twiddle.
                    let f := mul(shr(192, mload(add(twiddles, shl(3, i)))), ratio)
                    let f0 := mod(and(f, LOW), P)
                    let f1 := mod(shr(128, f), P)
                    let u := mload(from)
                    let v := mload(add(from, 32))
                    // u - v, with halves below 2^65, in d and v.
                    let d := sub(add(u, PRIMES), v)
                    u := add(u, v)
                    v := shr(128, d)
                    d := and(d, LOW)
                    f := mod(add(and(u, LOW), add(mul(d, f0), mul(7, mul(v, f1)))), P)
                    v := mod(add(shr(128, u), add(mul(d, f1), mul(v, f0))), P)
                    mstore(add(values, shl(5, i)), or(f, shl(128, v)))
                    from := add(from, 64)
                }
                // For the next halving, the square.
                let r0 := and(ratio, LOW)
                let r1 := shr(128, ratio)
                ratio := or(
                    mod(add(mul(r0, r0), mul(7, mul(r1, r1))), P),
                    shl(128, mulmod(shl(1, r0), r1, P))
                )
            }
            value := mload(values)
        }
    }

    /// @notice The value of a polynomial at a point of the base field, by Horner's rule. It has an
    /// even number of coefficients, and two are taken a turn.
    function evaluate(uint256 cursor, uint256 length, uint256 point)
        internal
        pure
        returns (uint256)
    {
        uint256 low;
        uint256 high;
        assembly {
            for { let from := add(cursor, shl(5, length)) } gt(from, cursor) { } {
                from := sub(from, 64)
                let w := mload(add(from, 32))
                low := mod(add(mul(low, point), and(w, LOW)), P)
                high := mod(add(mul(high, point), shr(128, w)), P)
                w := mload(from)
                low := mod(add(mul(low, point), and(w, LOW)), P)
                high := mod(add(mul(high, point), shr(128, w)), P)
            }
        }
        return low | (high << 128);
    }
}
