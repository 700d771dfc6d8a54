// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";

/// @title What is published of a batch, against what its proof says of it
/// @notice A proof says of the differences of a batch, as the coefficients of a polynomial over the
/// scalar field of BLS12-381, what value it has at a point. Coefficient j stands at x^(32767 - j). They
/// are published as they are, in calldata, or in blobs, 4,096 in each.
/// The differences are fixed by the two data commitments, which are chains of hashes; what is published
/// by its bytes or by the versioned hashes of its blobs. The point is a hash of both, so it is chosen
/// after them: two different polynomials of a degree below 2^15 agree at one of its 2^126 values with
/// a probability below 2^-110.
library Data {
    /// @notice The field's order.
    uint256 internal constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// @notice The most coefficients that a batch has.
    uint256 internal constant COEFFICIENTS = 32768;
    /// @dev Coefficients in a blob.
    uint256 private constant BLOB = 4096;
    /// @dev Bytes of a coefficient.
    uint256 private constant COEFFICIENT = 32;
    /// @dev Bytes of a blob's opening: its value at the point, its commitment and a KZG proof.
    uint256 private constant OPENING = 128;
    /// @dev What a point is masked with: it has two words of 63 bits.
    uint256 private constant POINT = 0x7fffffffffffffff7fffffffffffffff;
    /// @dev The upper half of each element.
    uint256 private constant HIGH = 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000;
    /// @dev What opens a blob at a point (EIP-4844).
    address private constant POINT_EVALUATION = address(0x0a);

    /// @notice Data in calldata and in blobs at once.
    error BothPublished(uint256 dataBytes, uint256 openingsBytes);
    /// @notice Bytes that are not whole parts: coefficients or openings.
    error DataLength(uint256 found, uint256 partBytes);
    /// @notice More coefficients than a batch has.
    error TooMuchData(uint256 found, uint256 mostExpected);
    /// @notice An opening of a blob that the transaction does not have.
    error NoBlob(uint256 place);
    /// @notice An opening that is not one of the blob at the point.
    error WrongOpening(uint256 place, bytes32 blob);
    /// @notice A proof that speaks of another point.
    error WrongPoint(uint256 found, uint256 expected);
    /// @notice A value of which a half of a word has more than 32 bits.
    error HalfTooLarge(uint256 found);
    /// @notice Data that have another value than the proof says.
    error WrongValue(uint256 found, uint256 expected);

    /// @notice Refuses data that are not the differences between two data commitments, which an
    /// evaluation speaks of.
    /// @param evaluation 80 bytes of a proof: the point's two words, the lower first, and the value's
    /// eight of 32 bits, the lowest first.
    /// @param before The data commitment before the batch.
    /// @param afterwards The one after it.
    /// @param data The coefficients of 32 bytes; zeros may be missing at the end.
    /// @param openings Or, if they are in blobs, an opening of 128 bytes for each: value, commitment and
    /// proof.
    /// @return blobs The versioned hashes of the blobs.
    function check(
        bytes calldata evaluation,
        uint256 before,
        uint256 afterwards,
        bytes calldata data,
        bytes calldata openings
    ) internal view returns (bytes32[] memory blobs) {
        uint256 count = countOf(data, openings);
        blobs = blobsOf(openings);
        uint256 x = pointOf(before, afterwards, blobs, data);
        uint256 stated = (uint256(uint64(bytes8(evaluation[8:]))) << 64) | uint64(bytes8(evaluation));
        if (stated != x) revert WrongPoint(stated, x);
        uint256 sum = blobs.length > 0 ? sumOfBlobs(x, blobs, openings) : sumOf(x, data);
        // What is missing at the end of the polynomial is zero.
        uint256 value = mulmod(sum, power(x, COEFFICIENTS - count), R);
        stated = valueOf(evaluation);
        // A value beyond the field's order is refused as well: what was computed is below.
        if (value != stated) revert WrongValue(value, stated);
    }

    /// @dev How many coefficients are published.
    function countOf(bytes calldata data, bytes calldata openings) private pure returns (uint256 count) {
        if (data.length > 0 && openings.length > 0) revert BothPublished(data.length, openings.length);
        if (data.length % COEFFICIENT != 0) revert DataLength(data.length, COEFFICIENT);
        if (openings.length % OPENING != 0) revert DataLength(openings.length, OPENING);
        count = data.length / COEFFICIENT + (openings.length / OPENING) * BLOB;
        if (count > COEFFICIENTS) revert TooMuchData(count, COEFFICIENTS);
    }

    /// @dev The versioned hashes of the transaction's first blobs, as many as there are openings.
    function blobsOf(bytes calldata openings) private view returns (bytes32[] memory blobs) {
        blobs = new bytes32[](openings.length / OPENING);
        for (uint256 i = 0; i < blobs.length; i++) {
            blobs[i] = blobhash(i);
            if (blobs[i] == 0) revert NoBlob(i);
        }
    }

    /// @dev The point for what is published. Without blobs their hashes take no bytes, and with them there
    /// are no data.
    function pointOf(uint256 before, uint256 afterwards, bytes32[] memory blobs, bytes calldata data)
        private
        pure
        returns (uint256)
    {
        bytes memory all = abi.encodePacked(before, afterwards, blobs.length, blobs, data);
        return uint256(keccak256(all)) & POINT;
    }

    /// @dev The value that an evaluation states.
    function valueOf(bytes calldata evaluation) private pure returns (uint256 value) {
        for (uint256 offset = 80; offset > 16; offset -= 32) {
            uint256 words = uint256(bytes32(evaluation[offset - 32:]));
            if (words & HIGH != 0) revert HalfTooLarge(words);
            for (uint256 i = 4; i > 0; i--) value = (value << 32) | Elements.part(words, i - 1);
        }
    }

    /// @dev The value of coefficients at a point, of which the last one stands at x^0.
    function sumOf(uint256 x, bytes calldata data) private pure returns (uint256 sum) {
        for (uint256 offset = 0; offset < data.length; offset += COEFFICIENT) {
            uint256 coefficient;
            assembly ("memory-safe") {
                coefficient := calldataload(add(data.offset, offset))
            }
            sum = addmod(mulmod(sum, x, R), coefficient, R);
        }
    }

    /// @dev The value of what is in blobs at a point, by their values there. The last coefficient of the
    /// last blob stands at x^0.
    function sumOfBlobs(uint256 x, bytes32[] memory blobs, bytes calldata openings)
        private
        view
        returns (uint256 sum)
    {
        uint256 step = power(x, BLOB);
        for (uint256 i = 0; i < blobs.length; i++) {
            bytes calldata opening = openings[i * OPENING:(i + 1) * OPENING];
            checkOpening(i, blobs[i], x, opening);
            sum = addmod(mulmod(sum, step, R), uint256(bytes32(opening)), R);
        }
    }

    /// @dev Refuses a value that a blob does not have at a point.
    function checkOpening(uint256 place, bytes32 blob, uint256 x, bytes calldata opening) private view {
        (bool isOpened, bytes memory answer) =
            POINT_EVALUATION.staticcall(abi.encodePacked(blob, x, opening));
        // A chain without the precompile answers nothing.
        if (!isOpened || keccak256(answer) != keccak256(abi.encode(BLOB, R))) {
            revert WrongOpening(place, blob);
        }
    }

    /// @dev A power in the field.
    function power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent > 0; exponent >>= 1) {
            if (exponent & 1 == 1) result = mulmod(result, base, R);
            base = mulmod(base, base, R);
        }
    }
}
