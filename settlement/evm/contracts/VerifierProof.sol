// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {CARRIED, CARRY, ELEMENT} from "./VerifierField.sol";
import {NotCanonical, Parameters, Part, PointInBaseField, ProofLength, Site} from
    "./VerifierParameters.sol";
import {VerifierPoseidon2} from "./VerifierPoseidon2.sol";
import {VerifierTranscript} from "./VerifierTranscript.sol";

/// @title The walk through a proof, up to its queries
/// @notice Reads the parts in the order in which they stand (docs/settlement-proof.md), and plays
/// the transcript on the way. Every challenge is sampled here, none is taken from anybody.
library VerifierProof {
    using VerifierTranscript for VerifierTranscript.Transcript;

    /// Slots of the program before the openings: zero, and X.
    uint256 internal constant OPENINGS = 2;

    /// What the low-degree test needs beside the slots.
    struct Challenges {
        /// The out-of-domain point.
        uint256 zeta;
        /// What batches the openings.
        uint256 batch;
        /// What folds each codeword.
        uint256[] folds;
        /// Where each query opens.
        uint256[] indices;
        /// The caps of all trees, in memory: those of the oracles, then those of the folds.
        uint256 capsAt;
        /// The coefficients of the final polynomial, a word each.
        uint256 finalAt;
        /// Where the queries begin in calldata.
        uint256 queriesAt;
    }

    /// @notice Returns how many openings there are at the point, then how many in all.
    function openingCount(Parameters memory p) internal pure returns (uint256, uint256) {
        uint256 columns = p.preprocessed + p.wires + p.products + p.quotient;
        return (columns, columns + p.challenges);
    }

    /// @notice Returns how many of the program's slots are inputs.
    function inputCount(Parameters memory p) internal pure returns (uint256) {
        (, uint256 openings) = openingCount(p);
        return OPENINGS + openings + 3 * p.challenges + 6;
    }

    /// @notice Reads a proof, and writes the inputs of the program to its slots.
    function read(Parameters memory p, bytes calldata proof)
        internal
        pure
        returns (Challenges memory c)
    {
        if (proof.length != p.proofLength) revert ProofLength(proof.length, p.proofLength);
        (, uint256 openings) = openingCount(p);
        c.folds = new uint256[](p.folds);
        c.indices = new uint256[](p.queries);
        c.capsAt = allocate((4 + p.folds) * p.capBytes + 32);
        c.finalAt = allocate(32 * p.finalLength);
        // More than is ever pending.
        uint256 room = p.prefixLength + p.capBytes + 16 * (openings + p.finalLength) + 96;
        VerifierTranscript.Transcript memory t = VerifierTranscript.begin(allocate(room));
        uint256 cursor;
        assembly {
            cursor := proof.offset
        }
        cursor = readIdentity(p, c, t, cursor, openings);
        readLowDegree(p, c, t, cursor);
    }

    /// @notice Everything up to the openings and what batches them. The slots after the openings
    /// hold betas, gammas, alphas, the point's coordinates, and the statement's hash.
    function readIdentity(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 cursor,
        uint256 openings
    ) private pure returns (uint256) {
        uint256 openingsAt = p.slotsAt + 32 * OPENINGS;
        store(openingsAt - 32, 1 << 128);
        uint256 slot = openingsAt + 32 * openings;
        cursor = readStatement(p, t, cursor, slot + 32 * (3 * p.challenges + 2));

        uint256 capAt = p.capAt;
        uint256 capsAt = c.capsAt;
        uint256 capBytes = p.capBytes;
        assembly {
            mcopy(capsAt, capAt, capBytes)
        }
        cursor = readCap(p, c, t, cursor, 1);
        slot = sampleTo(t, 2 * p.challenges, slot);
        cursor = readCap(p, c, t, cursor, 2);
        slot = sampleTo(t, p.challenges, slot);
        cursor = readCap(p, c, t, cursor, 3);
        cursor = t.grind(cursor, p.pointBits, Site.Point);
        slot = sampleTo(t, 2, slot);
        c.zeta = pointOf(load(slot - 64), load(slot - 32));

        readExtensions(cursor, openings, openingsAt, Part.Opening);
        cursor = t.observe(cursor, 16 * openings);
        cursor = t.grind(cursor, p.batchBits, Site.Batch);
        c.batch = t.sampleExtension();
        return cursor;
    }

    /// @notice The out-of-domain point by its coordinates. One in the base field may be a point of
    /// the domain, where the polynomials are committed to.
    function pointOf(uint256 low, uint256 high) internal pure returns (uint256) {
        if (high == 0) revert PointInBaseField();
        return low | (high << 128);
    }

    /// @notice The statement's hash goes to four slots, and the transcript begins with it.
    function readStatement(
        Parameters memory p,
        VerifierTranscript.Transcript memory t,
        uint256 cursor,
        uint256 to
    ) private pure returns (uint256) {
        VerifierPoseidon2.hash(cursor, p.statement, p.poseidonAt, to);
        t.observeMemory(p.prefixAt, p.prefixLength);
        for (uint256 i = 0; i < 4; ++i) {
            t.observeElement(load(to + 32 * i));
        }
        return cursor + 8 * p.statement;
    }

    /// @notice Everything from the first folded codeword to the queries.
    function readLowDegree(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 cursor
    ) private pure {
        for (uint256 i = 0; i < p.folds; ++i) {
            cursor = readCap(p, c, t, cursor, 4 + i);
            cursor = t.grind(cursor, p.foldBits, Site.Fold);
            c.folds[i] = t.sampleExtension();
        }
        readExtensions(cursor, p.finalLength, c.finalAt, Part.FinalPolynomial);
        cursor = t.observe(cursor, 16 * p.finalLength);
        cursor = t.grind(cursor, p.queryBits, Site.Query);
        uint256 mask = (1 << p.logSize) - 1;
        for (uint256 i = 0; i < p.queries; ++i) {
            c.indices[i] = t.sample() & mask;
        }
        c.queriesAt = cursor;
    }

    /// @notice Observes a cap, and copies it to its place among the caps.
    function readCap(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 cursor,
        uint256 tree
    ) private pure returns (uint256) {
        uint256 length = p.capBytes;
        uint256 to = c.capsAt + tree * length;
        assembly {
            calldatacopy(to, cursor, length)
        }
        return t.observe(cursor, length);
    }

    /// @notice Samples elements to words in memory, and returns where they end.
    function sampleTo(VerifierTranscript.Transcript memory t, uint256 count, uint256 to)
        private
        pure
        returns (uint256 end)
    {
        end = to + 32 * count;
        for (; to < end; to += 32) {
            store(to, t.sample());
        }
    }

    /// @notice Reads elements of the extension from calldata to words in memory.
    function readExtensions(uint256 from, uint256 count, uint256 to, Part part) private pure {
        uint256 carries = 0;
        assembly {
            for { let end := add(to, shl(5, count)) } lt(to, end) {
                to := add(to, 32)
                from := add(from, 16)
            } {
                let w := calldataload(from)
                w := or(shr(192, w), shl(128, and(shr(128, w), ELEMENT)))
                carries := or(carries, add(w, CARRY))
                mstore(to, w)
            }
        }
        if (carries & CARRIED != 0) revert NotCanonical(part);
    }

    /// @notice Takes free memory, which may hold anything.
    function allocate(uint256 size) internal pure returns (uint256 cursor) {
        assembly {
            cursor := mload(0x40)
            mstore(0x40, and(add(add(cursor, size), 31), not(31)))
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
