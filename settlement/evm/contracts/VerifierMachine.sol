// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {LOW, P, VerifierField} from "./VerifierField.sol";
import {Constraints, Parameters, Program} from "./VerifierParameters.sol";

/// @title The machine that computes the identity at the out-of-domain point
/// @notice Runs the program of `recursion/src/plonk/program`: straight-line arithmetic of the
/// extension. `encode.rs` there states the form. Slots are words of memory; inputs and constants
/// stand in the first ones, and each instruction of arithmetic writes the next.
library VerifierMachine {
    uint256 private constant SCALE = 0;
    uint256 private constant PRODUCT = 1;
    uint256 private constant QUOTIENT = 2;
    uint256 private constant EQUAL = 3;

    /// @notice Writes the constants behind the inputs, of which there are so many, and runs the
    /// program. Reverts if two sides that should be equal are not.
    function run(Parameters memory p, uint256 inputs) internal pure {
        uint256 next = expand(p.constantsAt, p.constants, p.slotsAt + 32 * inputs);
        uint256 cursor = p.programAt;
        uint256 end = cursor + p.programLength;
        while (cursor < end) {
            uint256 kind;
            uint256 groups;
            assembly {
                let header := mload(cursor)
                kind := shr(248, header)
                groups := and(shr(232, header), 0xffff)
                cursor := add(cursor, 3)
            }
            if (kind == SCALE) {
                next = scale(cursor, groups, next);
                cursor += 30 * groups;
            } else if (kind == PRODUCT) {
                next = product(cursor, groups, next);
                cursor += 30 * groups;
            } else if (kind == QUOTIENT) {
                next = quotient(cursor, groups, next);
                cursor += 6 * groups;
            } else if (kind == EQUAL) {
                equal(cursor, groups);
                cursor += 6 * groups;
            } else {
                revert Program(kind);
            }
        }
    }

    /// @notice Writes elements of 8 bytes as words, and returns where they end.
    function expand(uint256 from, uint256 count, uint256 to) private pure returns (uint256 end) {
        assembly {
            end := add(to, shl(5, count))
            for { } lt(to, end) {
                to := add(to, 32)
                from := add(from, 8)
            } { mstore(to, shr(192, mload(from))) }
        }
    }

    /// @notice x * y + z for x in the base field, in groups of five: the same lines five times, for
    /// calls and jumps would cost more than what they do. The number by which a word is shifted
    /// brings the 16 bits of a slot to where they are the address of its word, 32 times the slot.
    /// Each half of x * y + z is below (p - 1)^2 + p, so it fits 128 bits.
    function scale(uint256 cursor, uint256 groups, uint256 next) private pure returns (uint256) {
        assembly {
            for { let end := add(cursor, mul(30, groups)) } lt(cursor, end) {
                cursor := add(cursor, 30)
            } {
                let w := mload(cursor)
                {
                    let r := add(
                        mul(mload(and(shr(235, w), 0x1fffe0)), mload(and(shr(219, w), 0x1fffe0))),
                        mload(and(shr(203, w), 0x1fffe0))
                    )
                    mstore(next, or(mod(and(r, LOW), P), shl(128, mod(shr(128, r), P))))
                }
                {
                    let r := add(
                        mul(mload(and(shr(187, w), 0x1fffe0)), mload(and(shr(171, w), 0x1fffe0))),
                        mload(and(shr(155, w), 0x1fffe0))
                    )
                    mstore(add(next, 32), or(mod(and(r, LOW), P), shl(128, mod(shr(128, r), P))))
                }
                {
                    let r := add(
                        mul(mload(and(shr(139, w), 0x1fffe0)), mload(and(shr(123, w), 0x1fffe0))),
                        mload(and(shr(107, w), 0x1fffe0))
                    )
                    mstore(add(next, 64), or(mod(and(r, LOW), P), shl(128, mod(shr(128, r), P))))
                }
                {
                    let r := add(
                        mul(mload(and(shr(91, w), 0x1fffe0)), mload(and(shr(75, w), 0x1fffe0))),
                        mload(and(shr(59, w), 0x1fffe0))
                    )
                    mstore(add(next, 96), or(mod(and(r, LOW), P), shl(128, mod(shr(128, r), P))))
                }
                {
                    let r := add(
                        mul(mload(and(shr(43, w), 0x1fffe0)), mload(and(shr(27, w), 0x1fffe0))),
                        mload(and(shr(11, w), 0x1fffe0))
                    )
                    mstore(add(next, 128), or(mod(and(r, LOW), P), shl(128, mod(shr(128, r), P))))
                }
                next := add(next, 160)
            }
        }
        return next;
    }

    /// @notice x * y + z, in groups of five, laid out like the lines above. With y = y0 + y1 X,
    /// x * y0 + z and x * y1 each have both halves below 2^128, and X^2 = 7.
    function product(uint256 cursor, uint256 groups, uint256 next)
        private
        pure
        returns (uint256)
    {
        assembly {
            for { let end := add(cursor, mul(30, groups)) } lt(cursor, end) {
                cursor := add(cursor, 30)
            } {
                let w := mload(cursor)
                {
                    let x := mload(and(shr(235, w), 0x1fffe0))
                    let y := mload(and(shr(219, w), 0x1fffe0))
                    let low := add(mul(x, and(y, LOW)), mload(and(shr(203, w), 0x1fffe0)))
                    let high := mul(x, shr(128, y))
                    let r := mod(add(shr(128, low), and(high, LOW)), P)
                    low := mod(add(and(low, LOW), mul(7, shr(128, high))), P)
                    mstore(next, or(low, shl(128, r)))
                }
                {
                    let x := mload(and(shr(187, w), 0x1fffe0))
                    let y := mload(and(shr(171, w), 0x1fffe0))
                    let low := add(mul(x, and(y, LOW)), mload(and(shr(155, w), 0x1fffe0)))
                    let high := mul(x, shr(128, y))
                    let r := mod(add(shr(128, low), and(high, LOW)), P)
                    low := mod(add(and(low, LOW), mul(7, shr(128, high))), P)
                    mstore(add(next, 32), or(low, shl(128, r)))
                }
                {
                    let x := mload(and(shr(139, w), 0x1fffe0))
                    let y := mload(and(shr(123, w), 0x1fffe0))
                    let low := add(mul(x, and(y, LOW)), mload(and(shr(107, w), 0x1fffe0)))
                    let high := mul(x, shr(128, y))
                    let r := mod(add(shr(128, low), and(high, LOW)), P)
                    low := mod(add(and(low, LOW), mul(7, shr(128, high))), P)
                    mstore(add(next, 64), or(low, shl(128, r)))
                }
                {
                    let x := mload(and(shr(91, w), 0x1fffe0))
                    let y := mload(and(shr(75, w), 0x1fffe0))
                    let low := add(mul(x, and(y, LOW)), mload(and(shr(59, w), 0x1fffe0)))
                    let high := mul(x, shr(128, y))
                    let r := mod(add(shr(128, low), and(high, LOW)), P)
                    low := mod(add(and(low, LOW), mul(7, shr(128, high))), P)
                    mstore(add(next, 96), or(low, shl(128, r)))
                }
                {
                    let x := mload(and(shr(43, w), 0x1fffe0))
                    let y := mload(and(shr(27, w), 0x1fffe0))
                    let low := add(mul(x, and(y, LOW)), mload(and(shr(11, w), 0x1fffe0)))
                    let high := mul(x, shr(128, y))
                    let r := mod(add(shr(128, low), and(high, LOW)), P)
                    low := mod(add(and(low, LOW), mul(7, shr(128, high))), P)
                    mstore(add(next, 128), or(low, shl(128, r)))
                }
                next := add(next, 160)
            }
        }
        return next;
    }

    /// @notice x / y. Reverts if y is zero.
    function quotient(uint256 cursor, uint256 groups, uint256 next)
        internal
        pure
        returns (uint256)
    {
        for (uint256 end = cursor + 6 * groups; cursor < end; cursor += 6) {
            (uint256 x, uint256 y) = operands(cursor);
            if (y == 0) revert Constraints();
            uint256 result = VerifierField.mul(x, VerifierField.inverse(y));
            assembly {
                mstore(next, result)
            }
            next += 32;
        }
        return next;
    }

    /// @notice That x and y are equal. Both are canonical.
    function equal(uint256 cursor, uint256 groups) private pure {
        for (uint256 end = cursor + 6 * groups; cursor < end; cursor += 6) {
            (uint256 x, uint256 y) = operands(cursor);
            if (x != y) revert Constraints();
        }
    }

    /// @notice What stands in the first two slots of an instruction.
    function operands(uint256 cursor) private pure returns (uint256 x, uint256 y) {
        assembly {
            let w := mload(cursor)
            x := mload(and(shr(235, w), 0x1fffe0))
            y := mload(and(shr(219, w), 0x1fffe0))
        }
    }
}
