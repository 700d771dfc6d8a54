// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CARRIED, CARRY, LOW, ODD, P, VerifierField} from "./VerifierField.sol";
import {NotCanonical, Part} from "./VerifierParameters.sol";

/// @title Sums by powers of the batching challenge
/// @notice The table holds each power in two words, its coordinates.
library VerifierPowers {
    /// @notice Writes so many powers, each in two words, and returns the one of this number.
    function writePowers(uint256 base, uint256 count, uint256 number, uint256 to)
        internal
        pure
        returns (uint256 wanted)
    {
        unchecked {
            uint256 power = 1;
            for (uint256 i = 0; i < count; ++i) {
                if (i == number) wanted = power;
                assembly {
                    mstore(to, and(power, LOW))
                    mstore(add(to, 32), shr(128, power))
                    to := add(to, 64)
                }
                power = VerifierField.mul(power, base);
            }
        }
    }

    /// @notice The sum of words in memory, each times a power of the base: the first as it is.
    function reduceList(uint256 base, uint256 from, uint256 count)
        internal
        pure
        returns (uint256 sum)
    {
        for (uint256 place = from + 32 * count; place > from;) {
            place -= 32;
            uint256 word;
            assembly {
                word := mload(place)
            }
            sum = VerifierField.add(VerifierField.mul(sum, base), word);
        }
    }

    /// @notice The sum of elements in memory, each times its power. All must be canonical. Two
    /// words of four elements are taken a turn, so after the last element follow zeros.
    function combine(uint256 cursor, uint256 count, uint256 powers)
        internal
        pure
        returns (uint256)
    {
        uint256 low;
        uint256 high;
        uint256 carries;
        assembly {
            for { let end := add(cursor, shl(3, count)) } lt(cursor, end) {
                cursor := add(cursor, 64)
                powers := add(powers, 512)
            } {
                {
                    let odd := mload(cursor)
                    let even := and(shr(64, odd), ODD)
                    odd := and(odd, ODD)
                    carries := or(carries, or(add(even, CARRY), add(odd, CARRY)))
                    let f0 := shr(128, even)
                    let f1 := shr(128, odd)
                    even := and(even, LOW)
                    odd := and(odd, LOW)
                    low := add(low, add(
                        add(mul(f0, mload(powers)), mul(f1, mload(add(powers, 64)))),
                        add(mul(even, mload(add(powers, 128))), mul(odd, mload(add(powers, 192))))
                    ))
                    high := add(high, add(
                        add(mul(f0, mload(add(powers, 32))), mul(f1, mload(add(powers, 96)))),
                        add(mul(even, mload(add(powers, 160))), mul(odd, mload(add(powers, 224))))
                    ))
                }
                {
                    let odd := mload(add(cursor, 32))
                    let even := and(shr(64, odd), ODD)
                    odd := and(odd, ODD)
                    carries := or(carries, or(add(even, CARRY), add(odd, CARRY)))
                    let f0 := shr(128, even)
                    let f1 := shr(128, odd)
                    even := and(even, LOW)
                    odd := and(odd, LOW)
                    low := add(low, add(
                        add(mul(f0, mload(add(powers, 256))), mul(f1, mload(add(powers, 320)))),
                        add(mul(even, mload(add(powers, 384))), mul(odd, mload(add(powers, 448))))
                    ))
                    high := add(high, add(
                        add(mul(f0, mload(add(powers, 288))), mul(f1, mload(add(powers, 352)))),
                        add(mul(even, mload(add(powers, 416))), mul(odd, mload(add(powers, 480))))
                    ))
                }
            }
        }
        if (carries & CARRIED != 0) revert NotCanonical(Part.Row);
        return (low % P) | ((high % P) << 128);
    }

    /// @notice The same for a few elements that were checked before.
    function combineFirst(uint256 cursor, uint256 count, uint256 powers)
        internal
        pure
        returns (uint256)
    {
        uint256 low;
        uint256 high;
        assembly {
            for { let end := add(cursor, shl(3, count)) } lt(cursor, end) {
                cursor := add(cursor, 8)
                powers := add(powers, 64)
            } {
                let f := shr(192, mload(cursor))
                low := add(low, mul(f, mload(powers)))
                high := add(high, mul(f, mload(add(powers, 32))))
            }
        }
        return (low % P) | ((high % P) << 128);
    }
}
