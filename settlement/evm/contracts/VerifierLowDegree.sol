// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CARRIED, CARRY, ELEMENT, P, VerifierField} from "./VerifierField.sol";
import {VerifierFold} from "./VerifierFold.sol";
import {DIGEST, FinalValue, FoldedValue, NotCanonical, Parameters, Part, Path} from
    "./VerifierParameters.sol";
import {VerifierPowers} from "./VerifierPowers.sol";
import {VerifierProof} from "./VerifierProof.sol";

/// @title The low-degree test (FRI): that the openings are those of the committed polynomials
/// @notice Each query opens a row of all oracles at a point x of the domain, and goes on through
/// the folded codewords. Values of a group stand in the bit-reversed order of their points.
library VerifierLowDegree {
    /// What is the same for all queries.
    struct Batch {
        /// Powers of the batching challenge, each in two words.
        uint256 powersAt;
        /// The challenge to the number of the polynomials that are opened at the next row.
        uint256 shift;
        /// The openings at the point and at the next row, each list combined by powers.
        uint256 here;
        uint256 next;
        /// The next row's point.
        uint256 nextPoint;
        /// Room for a query's rows, and for the values of a fold.
        uint256 rowsAt;
        uint256 valuesAt;
    }

    /// A query that is under way.
    struct Query {
        uint256 number;
        /// Where it goes on in calldata.
        uint256 cursor;
        /// The position in the codeword at hand, its point, and that point's inverse.
        uint256 index;
        uint256 point;
        uint256 inverse;
    }

    /// @notice Reverts unless the test accepts.
    function check(Parameters memory p, VerifierProof.Challenges memory c) internal pure {
        unchecked {
            Batch memory b = prepare(p, c);
            Query memory q;
            q.cursor = c.queriesAt;
            for (uint256 i = 0; i < p.queries; ++i) {
                q.number = i;
                q.index = c.indices[i];
                (q.point, q.inverse) = pointOf(p, q.index);
                check(p, c, b, q);
            }
        }
    }

    /// @notice One query: rows, folds, final polynomial.
    function check(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Batch memory b,
        Query memory q
    ) private pure {
        unchecked {
            uint256[4] memory combined = openRows(p, c, b, q);
            uint256 value;
            uint256 depth = p.depth;
            for (uint256 i = 0; i < p.folds; ++i) {
                depth -= p.logArity;
                uint256 leaf = readValues(p, b, q);
                uint256 position = q.index & ((1 << p.logArity) - 1);
                uint256 found = load(b.valuesAt + 32 * position);
                bool right = i == 0 ? isCombined(found, combined) : found == value;
                if (!right) revert FoldedValue(q.number, i);
                q.index >>= p.logArity;
                climb(p, c, q, leaf, depth, 4 + i);
                value = fold(p, b, q, c.folds[i], position);
            }
            uint256 last = VerifierFold.evaluate(c.finalAt, p.finalLength, q.point);
            if (value != last) revert FinalValue(q.number);
        }
    }

    /// @notice Powers of the batching challenge, and the combined openings.
    function prepare(Parameters memory p, VerifierProof.Challenges memory c)
        private
        pure
        returns (Batch memory b)
    {
        unchecked {
            (uint256 columns,) = VerifierProof.openingCount(p);
            b.powersAt = VerifierProof.allocate(64 * columns + 512);
            b.rowsAt = VerifierProof.allocate(8 * columns + 64);
            b.valuesAt = VerifierProof.allocate(48 << p.logArity);
            // A row is read by pairs of words.
            store(b.rowsAt + 8 * columns, 0);
            store(b.rowsAt + 8 * columns + 32, 0);
            uint256 openingsAt = p.slotsAt + 32 * VerifierProof.OPENINGS;
            b.shift = VerifierPowers.writePowers(c.batch, columns, p.challenges, b.powersAt);
            b.here = VerifierPowers.reduceList(c.batch, openingsAt, columns);
            b.next = VerifierPowers.reduceList(c.batch, openingsAt + 32 * columns, p.challenges);
            b.nextPoint = VerifierField.scale(p.nextRow, c.zeta);
        }
    }

    /// @notice The point at an index, the product of its bits' roots, and its inverse.
    function pointOf(Parameters memory p, uint256 index)
        private
        pure
        returns (uint256 point, uint256 inverse)
    {
        uint256 cursor = p.rootsAt;
        point = p.shift;
        inverse = p.shiftInverse;
        assembly {
            for { } index {
                index := shr(1, index)
                cursor := add(cursor, 16)
            } {
                if and(index, 1) {
                    let w := mload(cursor)
                    point := mulmod(point, shr(192, w), P)
                    inverse := mulmod(inverse, and(shr(128, w), ELEMENT), P)
                }
            }
        }
    }

    /// @notice Reads the rows of the four oracles and climbs their paths. Returns what the value
    /// v in the batched codeword must satisfy: v * r[0] * r[1] = r[2] * r[1] + r[3] * r[0].
    function openRows(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Batch memory b,
        Query memory q
    ) private pure returns (uint256[4] memory r) {
        unchecked {
            uint256 cursor = q.cursor;
            uint256 rowsAt = b.rowsAt;
            uint256 productsAt = rowsAt + 8 * (p.preprocessed + p.wires);
            (uint256 columns,) = VerifierProof.openingCount(p);
            assembly {
                calldatacopy(rowsAt, cursor, mul(8, columns))
            }
            q.cursor = cursor + 8 * columns;
            climbRow(p, c, q, rowsAt, p.preprocessed, 0);
            climbRow(p, c, q, rowsAt + 8 * p.preprocessed, p.wires, 1);
            climbRow(p, c, q, productsAt, p.products, 2);
            climbRow(p, c, q, productsAt + 8 * p.products, p.quotient, 3);

            // v = shift * (here(x) - here) / (x - zeta) + (next(x) - next) / (x - next point),
            // and neither denominator is zero, since zeta is not in the base field.
            r[0] = VerifierField.sub(q.point, c.zeta);
            r[1] = VerifierField.sub(q.point, b.nextPoint);
            uint256 here = VerifierPowers.combine(rowsAt, columns, b.powersAt);
            r[2] = VerifierField.mul(b.shift, VerifierField.sub(here, b.here));
            uint256 next = VerifierPowers.combineFirst(productsAt, p.challenges, b.powersAt);
            r[3] = VerifierField.sub(next, b.next);
        }
    }

    /// @notice Whether a value satisfies the equation of openRows.
    function isCombined(uint256 value, uint256[4] memory r) private pure returns (bool) {
        uint256 denominators = VerifierField.mul(r[0], r[1]);
        uint256 first = VerifierField.mul(r[2], r[1]);
        uint256 second = VerifierField.mul(r[3], r[0]);
        return VerifierField.mul(value, denominators) == VerifierField.add(first, second);
    }

    /// @notice Hashes a row and climbs its path.
    function climbRow(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Query memory q,
        uint256 cursor,
        uint256 width,
        uint256 tree
    ) private pure {
        unchecked {
            uint256 leaf;
            assembly {
                leaf := keccak256(cursor, shl(3, width))
            }
            climb(p, c, q, leaf, p.depth, tree);
        }
    }

    /// @notice Climbs the path at hand from a leaf at the index at hand to the cap.
    function climb(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Query memory q,
        uint256 node,
        uint256 depth,
        uint256 tree
    ) private pure {
        unchecked {
            uint256 cap = c.capsAt + tree * p.capBytes;
            uint256 index = q.index;
            uint256 cursor = q.cursor;
            uint256 end = cursor + DIGEST * depth;
            assembly {
                // A level exchanges the two digests if the index is odd, and hashes both. What is
                // cut off a hash is written over. Two levels a turn, after one if they are odd.
                let sibling
                let difference
                if and(depth, 1) {
                    sibling := calldataload(cursor)
                    difference := mul(and(index, 1), xor(node, sibling))
                    mstore(0, xor(node, difference))
                    mstore(DIGEST, xor(sibling, difference))
                    node := keccak256(0, 52)
                    index := shr(1, index)
                    cursor := add(cursor, DIGEST)
                }
                for { } lt(cursor, end) { cursor := add(cursor, 52) } {
                    sibling := calldataload(cursor)
                    difference := mul(and(index, 1), xor(node, sibling))
                    mstore(0, xor(node, difference))
                    mstore(DIGEST, xor(sibling, difference))
                    node := keccak256(0, 52)
                    index := shr(1, index)
                    sibling := calldataload(add(cursor, DIGEST))
                    difference := mul(and(index, 1), xor(node, sibling))
                    mstore(0, xor(node, difference))
                    mstore(DIGEST, xor(sibling, difference))
                    node := keccak256(0, 52)
                    index := shr(1, index)
                }
                node := xor(node, mload(add(cap, mul(DIGEST, index))))
            }
            q.cursor = end;
            if (node >> 48 != 0) revert Path(q.number, tree);
        }
    }

    /// @notice Reads the values of a fold to words in memory, and returns their leaf.
    function readValues(Parameters memory p, Batch memory b, Query memory q)
        internal
        pure
        returns (uint256 leaf)
    {
        unchecked {
            uint256 cursor = q.cursor;
            uint256 length = 16 << p.logArity;
            uint256 to = b.valuesAt;
            uint256 carries;
            q.cursor = cursor + length;
            assembly {
                let from := add(to, shl(1, length))
                calldatacopy(from, cursor, length)
                leaf := keccak256(from, length)
                for { let end := add(from, length) } lt(from, end) {
                    from := add(from, 32)
                    to := add(to, 64)
                } {
                    let w := mload(from)
                    let first := or(shr(192, w), and(w, shl(128, ELEMENT)))
                    let second := or(and(shr(64, w), ELEMENT), shl(128, and(w, ELEMENT)))
                    carries := or(carries, or(add(first, CARRY), add(second, CARRY)))
                    mstore(to, first)
                    mstore(add(to, 32), second)
                }
            }
            if (carries & CARRIED != 0) revert NotCanonical(Part.Fold);
        }
    }

    /// @notice Folds the values: returns the value at the challenge of the polynomial that has
    /// them on its coset. Brings the query to the folded codeword.
    function fold(
        Parameters memory p,
        Batch memory b,
        Query memory q,
        uint256 challenge,
        uint256 position
    ) private pure returns (uint256) {
        unchecked {
            // The inverse of the coset's first point.
            uint256 inverse = mulmod(q.inverse, element(p.positionsAt + 8 * position), P);
            uint256 ratio = VerifierField.scale(inverse, challenge);
            uint256 value = VerifierFold.interpolate(
                b.valuesAt, (1 << p.logArity) >> 1, ratio, p.twiddlesAt
            );
            uint256 point = q.point;
            for (uint256 i = 0; i < p.logArity; ++i) {
                point = mulmod(point, point, P);
                inverse = mulmod(inverse, inverse, P);
            }
            q.point = point;
            q.inverse = inverse;
            return VerifierField.scale(p.arityInverse, value);
        }
    }

    /// @notice An element of 8 bytes in memory.
    function element(uint256 cursor) private pure returns (uint256 word) {
        assembly {
            word := shr(192, mload(cursor))
        }
    }

    function load(uint256 cursor) private pure returns (uint256 word) {
        assembly {
            word := mload(cursor)
        }
    }

    function store(uint256 cursor, uint256 word) private pure {
        assembly {
            mstore(cursor, word)
        }
    }
}
