// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.sol";

/// @notice The parts of ERC-20 that are used. A transfer may return nothing: so it is not declared here.
interface IERC20Balance {
    /// @notice What an account holds.
    function balanceOf(address account) external view returns (uint256);
}

/// @title The register of assets, and payments in them
/// @notice Amounts of the ledger are units of 10^digits of a token's smallest part, and below 2^62.
abstract contract Assets is Base {
    /// @notice A token and its unit. The zero address is the chain's own coin.
    struct Asset {
        address token;
        uint8 digits;
        bool isRegistered;
    }

    /// @notice How many assets there are: the number of the next one.
    uint32 public assetCount;
    /// @notice The assets by number. An entry never changes.
    mapping(uint256 asset => Asset) public assets;

    /// @notice An asset has a number now.
    event AssetRegistered(uint256 indexed asset, address indexed token, uint256 digits);

    /// @notice A unit so large that amounts would not fit a word.
    error UnitTooLarge(uint256 found, uint256 limit);
    /// @notice A token without code.
    error NoToken(address found);
    /// @notice An asset without a number.
    error UnknownAsset(uint256 found, uint256 count);
    /// @notice A token that handed over something else than the amount: it keeps a part, say.
    error WrongReceipt(uint256 found, uint256 expected);
    /// @notice A token or receiver refused a payment.
    error PaymentFailed(address token, address to, uint256 amount);

    /// @dev 2^62 units of 10^36 are below 2^182.
    uint256 private constant MOST_DIGITS = 36;

    /// @notice Gives a token and a unit a number. Anybody may; a token may have several units, each an
    /// asset of its own.
    /// @param token The token; the zero address for the chain's own coin.
    /// @param digits A unit is 10^digits of the token's smallest part.
    /// @return asset The number.
    function registerAsset(address token, uint8 digits) external returns (uint32 asset) {
        if (digits > MOST_DIGITS) revert UnitTooLarge(digits, MOST_DIGITS);
        if (token != address(0) && token.code.length == 0) revert NoToken(token);
        asset = assetCount;
        assetCount = asset + 1;
        assets[asset] = Asset(token, digits, true);
        emit AssetRegistered(asset, token, digits);
    }

    /// @dev The token of an asset, and how much of it so many units are.
    function _inToken(uint256 asset, uint256 units) internal view returns (address token, uint256 amount) {
        Asset memory entry = assets[asset];
        if (!entry.isRegistered) revert UnknownAsset(asset, assetCount);
        return (entry.token, units * 10 ** entry.digits);
    }

    /// @dev Takes tokens from the caller, and measures that they came. The caller holds the lock, so
    /// nothing else that is measured can happen in between.
    function _collect(address token, uint256 amount) internal {
        uint256 before = IERC20Balance(token).balanceOf(address(this));
        bytes memory call = abi.encodeWithSignature(
            "transferFrom(address,address,uint256)", msg.sender, address(this), amount
        );
        if (!_callToken(token, call)) revert PaymentFailed(token, address(this), amount);
        uint256 received = IERC20Balance(token).balanceOf(address(this)) - before;
        if (received != amount) revert WrongReceipt(received, amount);
    }

    /// @dev Pays units of an asset.
    function _pay(uint256 asset, address to, uint256 units) internal {
        (address token, uint256 amount) = _inToken(asset, units);
        if (token == address(0)) return _payCoin(to, amount);
        bytes memory call = abi.encodeWithSignature("transfer(address,uint256)", to, amount);
        if (!_callToken(token, call)) revert PaymentFailed(token, to, amount);
    }

    /// @dev Pays the chain's own coin.
    function _payCoin(address to, uint256 amount) internal {
        bool isPaid;
        // What the receiver returns is not even copied.
        assembly ("memory-safe") {
            isPaid := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!isPaid) revert PaymentFailed(address(0), to, amount);
    }

    /// @dev Calls a token; success is no revert, and either nothing or true returned.
    function _callToken(address token, bytes memory data) private returns (bool isDone) {
        assembly ("memory-safe") {
            isDone := call(gas(), token, 0, add(data, 32), mload(data), 0, 32)
            switch returndatasize()
            case 0 { isDone := and(isDone, gt(extcodesize(token), 0)) }
            default { isDone := and(isDone, and(gt(returndatasize(), 31), eq(mload(0), 1))) }
        }
    }
}
