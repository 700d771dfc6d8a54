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
        uint256 at;
        assembly {
            at := proof.offset
        }
        at = readIdentity(p, c, t, at, openings);
        readLowDegree(p, c, t, at);
    }

    /// @notice Everything up to the openings and what batches them. The slots after the openings
    /// hold betas, gammas, alphas, the point's coordinates, and the statement's hash.
    function readIdentity(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 at,
        uint256 openings
    ) private pure returns (uint256) {
        uint256 openingsAt = p.slotsAt + 32 * OPENINGS;
        store(openingsAt - 32, 1 << 128);
        uint256 slot = openingsAt + 32 * openings;
        at = readStatement(p, t, at, slot + 32 * (3 * p.challenges + 2));

        uint256 capAt = p.capAt;
        uint256 capsAt = c.capsAt;
        uint256 capBytes = p.capBytes;
        assembly {
            mcopy(capsAt, capAt, capBytes)
        }
        at = readCap(p, c, t, at, 1);
        slot = sampleTo(t, 2 * p.challenges, slot);
        at = readCap(p, c, t, at, 2);
        slot = sampleTo(t, p.challenges, slot);
        at = readCap(p, c, t, at, 3);
        at = t.grind(at, p.pointBits, Site.Point);
        slot = sampleTo(t, 2, slot);
        uint256 high = load(slot - 32);
        if (high == 0) revert PointInBaseField();
        c.zeta = load(slot - 64) | (high << 128);

        readExtensions(at, openings, openingsAt, Part.Opening);
        at = t.observe(at, 16 * openings);
        at = t.grind(at, p.batchBits, Site.Batch);
        c.batch = t.sampleExtension();
        return at;
    }

    /// @notice The statement's hash goes to four slots, and the transcript begins with it.
    function readStatement(
        Parameters memory p,
        VerifierTranscript.Transcript memory t,
        uint256 at,
        uint256 to
    ) private pure returns (uint256) {
        VerifierPoseidon2.hash(at, p.statement, p.poseidonAt, to);
        t.observeMemory(p.prefixAt, p.prefixLength);
        for (uint256 i = 0; i < 4; ++i) {
            t.observeElement(load(to + 32 * i));
        }
        return at + 8 * p.statement;
    }

    /// @notice Everything from the first folded codeword to the queries.
    function readLowDegree(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 at
    ) private pure {
        for (uint256 i = 0; i < p.folds; ++i) {
            at = readCap(p, c, t, at, 4 + i);
            at = t.grind(at, p.foldBits, Site.Fold);
            c.folds[i] = t.sampleExtension();
        }
        readExtensions(at, p.finalLength, c.finalAt, Part.FinalPolynomial);
        at = t.observe(at, 16 * p.finalLength);
        at = t.grind(at, p.queryBits, Site.Query);
        uint256 mask = (1 << p.logSize) - 1;
        for (uint256 i = 0; i < p.queries; ++i) {
            c.indices[i] = t.sample() & mask;
        }
        c.queriesAt = at;
    }

    /// @notice Observes a cap, and copies it to its place among the caps.
    function readCap(
        Parameters memory p,
        Challenges memory c,
        VerifierTranscript.Transcript memory t,
        uint256 at,
        uint256 tree
    ) private pure returns (uint256) {
        uint256 length = p.capBytes;
        uint256 to = c.capsAt + tree * length;
        assembly {
            calldatacopy(to, at, length)
        }
        return t.observe(at, length);
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
    function allocate(uint256 size) internal pure returns (uint256 at) {
        assembly {
            at := mload(0x40)
            mstore(0x40, and(add(add(at, size), 31), not(31)))
        }
    }

    function load(uint256 at) private pure returns (uint256 word) {
        assembly {
            word := mload(at)
        }
    }

    function store(uint256 at, uint256 word) private pure {
        assembly {
            mstore(at, word)
        }
    }
}
