// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Elements} from "./Elements.sol";
import {Escape} from "./Escape.sol";

/// @title What becomes of pools, markets, positions and payouts when the contract is frozen
/// @notice Their records are opened once, for everybody. Shares of a pool are given back for both of its
/// reserves; those of a market for their part of what was not lent and of what is repaid; collateral
/// against the debt; the rest of a payout goes back to who paid it. All of it is noted as due, and paid
/// asset by asset, so that a token that fails holds up nothing else.
abstract contract Unwind is Escape {
    /// @notice How long only a position's owner gets its collateral for the debt.
    uint256 public constant GRACE = 30 days;

    uint256 private constant POOL = 2;
    uint256 private constant MARKET = 3;
    uint256 private constant TERMS = 4;
    uint256 private constant POSITION = 5;
    uint256 private constant PAYOUT = 7;
    /// @dev Shares of a market's debt that nobody owes (contracts/src/lending).
    uint256 private constant VIRTUAL_SHARES = 1024;

    /// @dev Records that were shown to be in the last settled state.
    mapping(uint256 index => uint256[2]) private opened;
    /// @notice What was given for shares of a market so far, by owner and asset of the shares.
    mapping(address owner => mapping(uint256 asset => uint256)) public drawn;
    /// @notice What was repaid to a market, in units of its loan asset.
    mapping(uint256 market => uint256) public repaid;

    /// @notice A debt was repaid.
    event Repaid(uint256 indexed position, address indexed collateralTo, uint256 asset, uint256 amount);

    /// @notice A record that is not opened, or is of another kind.
    error NotOpened(uint256 index, uint256 foundKind, uint256 expectedKind);
    /// @notice An asset that is no share of anything.
    error NoShares(uint256 asset);
    /// @notice Coin that is not exactly the debt.
    error WrongPayment(uint256 found, uint256 expected);

    /// @notice Shows that a record is in the last settled state. Anybody may, for everybody.
    /// @param head The last settled head: 192 bytes.
    /// @param index Where the record lies.
    /// @param record Its eight elements.
    /// @param siblings The nodes beside the path, from the leaf's up to a child of the root.
    function open(
        bytes calldata head,
        uint32 index,
        uint256[2] calldata record,
        uint256[32] calldata siblings
    ) external whileFrozen {
        _checkRecord(head, index, record, siblings);
        opened[index] = record;
    }

    /// @notice Pays what is due of an asset of the base chain. Anybody may.
    /// @param asset The asset.
    /// @param to Whom it is due.
    function payDue(uint256 asset, address to) external alone whileFrozen {
        uint256 amount = due[to][asset];
        due[to][asset] = 0;
        _pay(asset, to, amount);
    }

    /// @notice Gives shares back, whose pool or market is opened. Anybody may. Shares of a market may be
    /// given back again when more is repaid: they keep their part.
    /// @param asset The shares: 2^32 and the index of the pool or market.
    /// @param to Whose they are.
    function redeem(uint256 asset, address to) external alone whileFrozen {
        if (asset >> 32 != 1) revert NoShares(asset);
        uint256 index = uint32(asset);
        uint256[2] memory record = opened[index];
        uint256 shares = due[to][asset];
        if (shares == 0) return;
        if (record[0] >> 192 == POOL) {
            due[to][asset] = 0;
            uint256 all = Elements.part(record[1], 1);
            due[to][Elements.part(record[0], 1)] += Elements.part(record[0], 3) * shares / all;
            due[to][Elements.part(record[0], 2)] += Elements.part(record[1], 0) * shares / all;
        } else {
            record = _opened(index, MARKET);
            // Supplied, less borrowed, and what came back; of that the part of the shares.
            uint256 there = Elements.part(record[0], 1) - Elements.part(record[0], 3) + repaid[index];
            uint256 part = there * shares / Elements.part(record[0], 2);
            due[to][Elements.part(record[1], 2)] += part - drawn[to][asset];
            drawn[to][asset] = part;
        }
    }

    /// @notice Repays a position's debt at the frozen totals, without interest, for its collateral. For 30
    /// days that goes to the owner, then to whoever pays. Where nothing is owed it goes to the owner.
    /// @param index Where the position lies; it, its market and the market's terms are opened.
    /// @param key The owner's public key; of no meaning if the collateral goes to the caller.
    /// @param to The exit address in the owner; likewise.
    function repay(uint32 index, uint64[5] calldata key, address to) external payable alone whileFrozen {
        uint256[2] memory position = _opened(index, POSITION);
        uint256 marketAt = Elements.part(position[0], 1);
        uint256 debt = Elements.part(position[0], 3);
        if (debt > 0 && block.timestamp > frozenAt + GRACE) to = msg.sender;
        else _checkOwner(position[1], key, to);
        if (!_leave(index)) revert AlreadyOut(index);
        uint256 collateral = Elements.part(_opened(marketAt + 1, TERMS)[0], 1);
        due[to][collateral] += Elements.part(position[0], 2);
        (uint256 loan, uint256 owed) = _owed(marketAt, debt);
        repaid[marketAt] += owed;
        emit Repaid(index, to, loan, owed);
        if (owed > 0) _receive(loan, owed);
        // Where nothing is owed, the loan asset may be anything, shares too: nobody asks what it is.
        else if (msg.value != 0) revert WrongPayment(msg.value, 0);
    }

    /// @notice Gives the rest of a payout back to who paid it. Anybody may, once.
    /// @param index Where the payout lies; it and the vault that paid it are opened.
    /// @param key The public key of that vault's owner.
    /// @param to The exit address in the owner.
    function refundPayout(uint32 index, uint64[5] calldata key, address to)
        external
        alone
        whileFrozen
    {
        uint256[2] memory payout = _opened(index, PAYOUT);
        uint256[2] memory payer = _opened(Elements.part(payout[0], 3), VAULT);
        _checkOwner(payer[1], key, to);
        if (!_leave(index)) revert AlreadyOut(index);
        due[to][Elements.part(payout[0], 1)] += Elements.part(payout[0], 2);
    }

    /// @dev What so many shares of a market's debt are, rounded up, and in which asset.
    function _owed(uint256 marketAt, uint256 debt) private view returns (uint256 loan, uint256 owed) {
        uint256[2] memory market = _opened(marketAt, MARKET);
        uint256 assets = uint256(Elements.part(market[0], 3)) + 1;
        uint256 shares = Elements.part(market[1], 0) + VIRTUAL_SHARES;
        loan = Elements.part(market[1], 2);
        owed = (debt * assets + shares - 1) / shares;
    }

    /// @dev Takes units of an asset of the base chain from the caller: exactly so many.
    function _receive(uint256 asset, uint256 units) private {
        (address token, uint256 amount) = _inToken(asset, units);
        uint256 coin = token == address(0) ? amount : 0;
        if (msg.value != coin) revert WrongPayment(msg.value, coin);
        if (token != address(0)) _collect(token, amount);
    }

    /// @dev An opened record of a kind.
    function _opened(uint256 index, uint256 kind) private view returns (uint256[2] memory record) {
        record = opened[index];
        if (record[0] >> 192 != kind) revert NotOpened(index, record[0] >> 192, kind);
    }
}
