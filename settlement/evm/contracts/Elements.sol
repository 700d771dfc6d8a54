// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title Elements of the field of Goldilocks, four in a word
/// @notice p = 2^64 - 2^32 + 1. The first element is in the highest 64 bits.
library Elements {
    /// @notice A word with an element of p or more: it would count as another one.
    /// @param found The word.
    error NotCanonical(uint256 found);

    /// @notice The field's order.
    uint256 internal constant P = 0xffffffff00000001;
    /// @dev The lower half of each element.
    uint256 private constant LOW = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    /// @dev One in each element.
    uint256 private constant ONE = 0x0000000000000001000000000000000100000000000000010000000000000001;
    /// @dev Bit 32 of each element.
    uint256 private constant CARRY = 0x0000000100000000000000010000000000000001000000000000000100000000;

    /// @notice Says whether all four elements are below p.
    /// @dev An element is p or more exactly if its upper half is 2^32 - 1 and its lower half is not 0.
    /// @param word Four elements.
    /// @return Whether they are.
    function areCanonical(uint256 word) internal pure returns (bool) {
        unchecked {
            uint256 isFull = ((word >> 32) & LOW) + ONE;
            uint256 isSome = (word & LOW) + LOW;
            return isFull & isSome & CARRY == 0;
        }
    }

    /// @notice Refuses a word with an element of p or more.
    /// @param word Four elements.
    function check(uint256 word) internal pure {
        if (!areCanonical(word)) revert NotCanonical(word);
    }

    /// @notice Puts four elements of 64 bits into a word.
    /// @return The word.
    function pack(uint256 a, uint256 b, uint256 c, uint256 d) internal pure returns (uint256) {
        return (a << 192) | (b << 128) | (c << 64) | d;
    }

    /// @notice Takes an element out of a word.
    /// @param word Four elements.
    /// @param place Which, from 0.
    /// @return The element.
    function part(uint256 word, uint256 place) internal pure returns (uint64) {
        return uint64(word >> (192 - 64 * place));
    }

    /// @notice The three elements of an address: its bytes 0 to 6, 7 to 13 and 14 to 19, little-endian.
    /// @param who The address.
    /// @return a The first element.
    /// @return b The second one.
    /// @return c The third one.
    function ofAddress(address who) internal pure returns (uint256 a, uint256 b, uint256 c) {
        // The first byte becomes the lowest.
        uint256 bytesUp = reversed(uint256(uint160(who)) << 96);
        a = bytesUp & 0xffffffffffffff;
        b = (bytesUp >> 56) & 0xffffffffffffff;
        c = bytesUp >> 112;
    }

    /// @notice The address of three elements, if there is one.
    /// @return isOne Whether there is.
    /// @return who The address.
    function toAddress(uint256 a, uint256 b, uint256 c) internal pure returns (bool isOne, address who) {
        isOne = a < 1 << 56 && b < 1 << 56 && c < 1 << 48;
        if (isOne) who = address(uint160(reversed(a | (b << 56) | (c << 112)) >> 96));
    }

    /// @dev A word with its bytes in the other order.
    function reversed(uint256 x) private pure returns (uint256) {
        uint256 mask = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        x = ((x >> 8) & mask) | ((x & mask) << 8);
        mask = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        x = ((x >> 16) & mask) | ((x & mask) << 16);
        x = ((x >> 32) & LOW) | ((x & LOW) << 32);
        mask = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        x = ((x >> 64) & mask) | ((x & mask) << 64);
        return (x >> 128) | (x << 128);
    }
}
