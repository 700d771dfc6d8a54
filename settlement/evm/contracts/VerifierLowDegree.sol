// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CARRIED, CARRY, ELEMENT, LOW, ODD, P, VerifierField} from "./VerifierField.sol";
import {VerifierFold} from "./VerifierFold.sol";
import {DIGEST, FinalValue, FoldedValue, NotCanonical, Parameters, Part, Path} from
    "./VerifierParameters.sol";
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

    /// @notice One query: rows, folds, final polynomial.
    function check(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Batch memory b,
        Query memory q
    ) private pure {
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

    /// @notice Powers of the batching challenge, and the combined openings.
    function prepare(Parameters memory p, VerifierProof.Challenges memory c)
        private
        pure
        returns (Batch memory b)
    {
        (uint256 columns,) = VerifierProof.openingCount(p);
        b.powersAt = VerifierProof.allocate(64 * columns + 256);
        b.rowsAt = VerifierProof.allocate(8 * columns + 32);
        b.valuesAt = VerifierProof.allocate(48 << p.logArity);
        store(b.rowsAt + 8 * columns, 0);
        uint256 openingsAt = p.slotsAt + 32 * VerifierProof.OPENINGS;
        b.shift = writePowers(c.batch, columns, p.challenges, b.powersAt);
        b.here = reduceList(c.batch, openingsAt, columns);
        b.next = reduceList(c.batch, openingsAt + 32 * columns, p.challenges);
        b.nextPoint = VerifierField.scale(p.nextRow, c.zeta);
    }

    /// @notice Writes so many powers, each in two words, and returns the one of this number.
    function writePowers(uint256 base, uint256 count, uint256 number, uint256 to)
        private
        pure
        returns (uint256 wanted)
    {
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

    /// @notice The sum of words in memory, each times a power of the base: the first as it is.
    function reduceList(uint256 base, uint256 from, uint256 count)
        private
        pure
        returns (uint256 sum)
    {
        for (uint256 place = from + 32 * count; place > from;) {
            unchecked {
                place -= 32;
            }
            sum = VerifierField.add(VerifierField.mul(sum, base), load(place));
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
        uint256 here = combine(rowsAt, columns, b.powersAt);
        r[2] = VerifierField.mul(b.shift, VerifierField.sub(here, b.here));
        uint256 next = combineFirst(productsAt, p.challenges, b.powersAt);
        r[3] = VerifierField.sub(next, b.next);
    }

    /// @notice Whether a value satisfies the equation of openRows.
    function isCombined(uint256 value, uint256[4] memory r) private pure returns (bool) {
        uint256 denominators = VerifierField.mul(r[0], r[1]);
        uint256 first = VerifierField.mul(r[2], r[1]);
        uint256 second = VerifierField.mul(r[3], r[0]);
        return VerifierField.mul(value, denominators) == VerifierField.add(first, second);
    }

    /// @notice The sum of elements in memory, each times its power. All must be canonical. After
    /// the last one follow zeros to the word's end.
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
                cursor := add(cursor, 32)
                powers := add(powers, 256)
            } {
                let odd := mload(cursor)
                let even := and(shr(64, odd), ODD)
                odd := and(odd, ODD)
                carries := or(carries, or(add(even, CARRY), add(odd, CARRY)))
                let f := shr(128, even)
                low := add(low, mul(f, mload(powers)))
                high := add(high, mul(f, mload(add(powers, 32))))
                f := shr(128, odd)
                low := add(low, mul(f, mload(add(powers, 64))))
                high := add(high, mul(f, mload(add(powers, 96))))
                f := and(even, LOW)
                low := add(low, mul(f, mload(add(powers, 128))))
                high := add(high, mul(f, mload(add(powers, 160))))
                f := and(odd, LOW)
                low := add(low, mul(f, mload(add(powers, 192))))
                high := add(high, mul(f, mload(add(powers, 224))))
            }
        }
        if (carries & CARRIED != 0) revert NotCanonical(Part.Row);
        return (low % P) | ((high % P) << 128);
    }

    /// @notice The same for a few elements that were checked before.
    function combineFirst(uint256 cursor, uint256 count, uint256 powers)
        private
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

    /// @notice Hashes a row and climbs its path.
    function climbRow(
        Parameters memory p,
        VerifierProof.Challenges memory c,
        Query memory q,
        uint256 cursor,
        uint256 width,
        uint256 tree
    ) private pure {
        uint256 leaf;
        assembly {
            leaf := keccak256(cursor, shl(3, width))
        }
        climb(p, c, q, leaf, p.depth, tree);
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
        uint256 cap = c.capsAt + tree * p.capBytes;
        uint256 index = q.index;
        uint256 cursor = q.cursor;
        uint256 end = cursor + DIGEST * depth;
        assembly {
            for { } lt(cursor, end) { cursor := add(cursor, DIGEST) } {
                let sibling := calldataload(cursor)
                // Exchanges the two if the index is odd. What is cut off is written over.
                let difference := mul(and(index, 1), xor(node, sibling))
                mstore(0, xor(node, difference))
                mstore(DIGEST, xor(sibling, difference))
                node := keccak256(0, mul(2, DIGEST))
                index := shr(1, index)
            }
            node := xor(node, mload(add(cap, mul(DIGEST, index))))
        }
        q.cursor = end;
        if (node >> 48 != 0) revert Path(q.number, tree);
    }

    /// @notice Reads the values of a fold to words in memory, and returns their leaf.
    function readValues(Parameters memory p, Batch memory b, Query memory q)
        internal
        pure
        returns (uint256 leaf)
    {
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

    /// @notice Folds the values: returns the value at the challenge of the polynomial that has
    /// them on its coset. Brings the query to the folded codeword.
    function fold(
        Parameters memory p,
        Batch memory b,
        Query memory q,
        uint256 challenge,
        uint256 position
    ) private pure returns (uint256) {
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
