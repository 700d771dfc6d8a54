// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {P} from "./VerifierField.sol";
import {Grinding, NotCanonical, Part, Site} from "./VerifierParameters.sol";

/// @title The Fiat-Shamir transcript
/// @notice A state of 32 bytes, and behind it in memory the bytes that are observed and pending.
library VerifierTranscript {
    /// A transcript: where its state lies, and how many bytes are pending after it.
    struct Transcript {
        uint256 cursor;
        uint256 pending;
    }

    /// @notice Begins a transcript in memory that nobody else uses.
    function begin(uint256 cursor) internal pure returns (Transcript memory t) {
        t.cursor = cursor;
        assembly {
            mstore(cursor, 0)
        }
    }

    /// @notice Observes bytes of memory.
    function observeMemory(Transcript memory t, uint256 from, uint256 length) internal pure {
        uint256 to = t.cursor + 32 + t.pending;
        t.pending += length;
        assembly {
            mcopy(to, from, length)
        }
    }

    /// @notice Observes bytes of calldata, and returns where they end.
    function observe(Transcript memory t, uint256 from, uint256 length)
        internal
        pure
        returns (uint256 end)
    {
        uint256 to = t.cursor + 32 + t.pending;
        t.pending += length;
        assembly {
            calldatacopy(to, from, length)
        }
        return from + length;
    }

    /// @notice Observes an element.
    function observeElement(Transcript memory t, uint256 element) internal pure {
        uint256 to = t.cursor + 32 + t.pending;
        t.pending += 8;
        assembly {
            mstore(to, shl(192, element))
        }
    }

    /// @notice Samples an element.
    function sample(Transcript memory t) internal pure returns (uint256) {
        uint256 cursor = t.cursor;
        uint256 length = 32 + t.pending;
        t.pending = 0;
        uint256 state;
        assembly {
            state := keccak256(cursor, length)
            mstore(cursor, state)
        }
        return state % P;
    }

    /// @notice Samples an element of the extension.
    function sampleExtension(Transcript memory t) internal pure returns (uint256) {
        uint256 low = sample(t);
        return low | (sample(t) << 128);
    }

    /// @notice Plays a grinding step: observes the nonce in calldata, and samples an element that
    /// must begin with so many zero bits, of 64. Returns where the nonce ends.
    function grind(Transcript memory t, uint256 from, uint256 bits, Site site)
        internal
        pure
        returns (uint256 end)
    {
        uint256 nonce;
        assembly {
            nonce := shr(192, calldataload(from))
        }
        if (nonce >= P) revert NotCanonical(Part.Nonce);
        observeElement(t, nonce);
        uint256 response = sample(t);
        if (response >> (64 - bits) != 0) revert Grinding(site, response, bits);
        return from + 8;
    }
}
