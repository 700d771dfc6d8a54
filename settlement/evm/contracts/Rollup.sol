// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Base} from "./Base.sol";
import {Data} from "./Data.sol";
import {Elements} from "./Elements.sol";
import {Head, Heads} from "./Heads.sol";
import {Hashes} from "./Hashes.sol";
import {ISettlementVerifier} from "./ISettlementVerifier.sol";
import {Queue} from "./Queue.sol";
import {Unwind} from "./Unwind.sol";
import {Verifiers} from "./Verifiers.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title A ledger of Shardfold on this chain
/// @notice Takes deposits and forced exits, moves from head to head by proofs, and pays withdrawals.
/// Nobody can pause it, and nobody can take a vault out but its owner.
contract Rollup is Withdrawals, Unwind, Verifiers {
    /// @notice How long the operator alone may settle after a settlement of its own.
    uint256 public constant WALKAWAY = 2 days;
    /// @notice How old a batch may be.
    uint256 public constant OLDEST = 24 hours;
    /// @notice How far ahead of this chain's clock a batch may be.
    uint256 public constant AHEAD = 15 minutes;

    /// @notice The state root with which the ledger started. Nothing stands behind what it held.
    uint256 public immutable genesisRoot;
    /// @notice How many batches are settled.
    uint64 public settledBatches;
    /// @notice When the operator settled last, or the contract was created. Settlements of others do not
    /// move it: else one of theirs in two days would lock everybody out.
    uint64 public operatorSettledAt;

    /// @notice A batch is settled: the head after it, what it owes, and what became of each record that
    /// changed, or the hashes of the blobs that say so. From these events, and the blobs, anybody makes
    /// state and claims.
    event Settled(uint256 indexed batch, bytes head, bytes withdrawals, bytes data, bytes32[] blobs);

    /// @notice A settler who has to wait for the operator.
    error OnlyOperator(address found, address expected, uint256 anybodyFrom);
    /// @notice A proof of another ledger.
    error WrongChainId(uint256 found, uint256 expected);
    /// @notice A batch of a time before that of the last one.
    error TimeRunsBack(uint256 found, uint256 leastExpected);
    /// @notice A batch that is too old: it has to be made anew.
    error TooOld(uint256 found, uint256 leastExpected);
    /// @notice A batch ahead of this chain's clock.
    error TooFarAhead(uint256 found, uint256 mostExpected);
    /// @notice The verifier says no.
    error ProofRefused();

    /// @param chainId The ledger's chain id.
    /// @param stateRoot The state root with which the ledger starts: that of the empty tree, if nothing
    /// is to be owed that was not paid in.
    /// @param price What an item of the queue costs at least, in wei.
    /// @param hashes_ What hashes as the ledger does.
    /// @param first The verifier.
    /// @param governor_ Who proposes verifiers and names the operator.
    /// @param operator_ The operator.
    constructor(
        uint64 chainId,
        uint256 stateRoot,
        uint256 price,
        Hashes hashes_,
        ISettlementVerifier first,
        address governor_,
        address operator_
    ) Base(chainId, hashes_) Queue(price) Verifiers(first, governor_, operator_) {
        Elements.check(stateRoot);
        genesisRoot = stateRoot;
        headDigest = Heads.genesisDigest(stateRoot);
        operatorSettledAt = uint64(block.timestamp);
    }

    /// @notice Moves the ledger to the head that a proof states.
    /// @param proof The settlement proof; it starts with the statement and the evaluation.
    /// @param withdrawals What the batch owes: entries of 48 bytes.
    /// @param data The differences of its records: coefficients of 32 bytes.
    /// @param openings Or what opens the transaction's blobs, which have them: 128 bytes for each.
    /// @param place The checkpoint up to which it takes the queue, if it takes some items but not all.
    function settle(
        bytes calldata proof,
        bytes calldata withdrawals,
        bytes calldata data,
        bytes calldata openings,
        uint256 place
    ) external alone whileOpen {
        _checkSettler();
        (Head memory before, Head memory afterwards) = _heads(proof);
        _checkTime(before.time, afterwards.time);
        _takeItems(before, afterwards, place);
        _oweWithdrawals(before, afterwards, withdrawals);
        bytes32[] memory blobs = Data.check(
            Heads.evaluation(proof), before.dataCommitment, afterwards.dataCommitment, data, openings
        );
        if (!verifier.verify(proof)) revert ProofRefused();
        _move(proof, withdrawals, data, blobs);
    }

    /// @dev Refuses who has to wait for the operator.
    function _checkSettler() private view {
        uint256 anybodyFrom = operatorSettledAt + WALKAWAY;
        if (msg.sender != operator && block.timestamp < anybodyFrom) {
            revert OnlyOperator(msg.sender, operator, anybodyFrom);
        }
    }

    /// @dev Reads the heads of a proof, which is one of this ledger and starts where the ledger is.
    function _heads(bytes calldata proof)
        private
        view
        returns (Head memory before, Head memory afterwards)
    {
        (uint256 chainId, bytes calldata headBefore, bytes calldata headAfter) = Heads.statement(proof);
        if (chainId != ledgerChainId) revert WrongChainId(chainId, ledgerChainId);
        if (keccak256(headBefore) != headDigest) revert WrongHead(keccak256(headBefore), headDigest);
        before = Heads.read(headBefore);
        afterwards = Heads.read(headAfter);
    }

    /// @dev Takes the items of the queue that a batch has taken.
    function _takeItems(Head memory before, Head memory afterwards, uint256 place) private {
        if (afterwards.queueCount != before.queueCount) {
            _take(afterwards.queueCount, afterwards.queueCommitment, place);
        } else if (afterwards.queueCommitment != before.queueCommitment) {
            revert WrongQueue(afterwards.queueCommitment, before.queueCommitment);
        }
    }

    /// @dev Notes what a batch owes.
    function _oweWithdrawals(Head memory before, Head memory afterwards, bytes calldata withdrawals) private {
        _owe(
            settledBatches,
            before.withdrawalCount,
            afterwards.withdrawalCount - before.withdrawalCount,
            before.withdrawalCommitment,
            afterwards.withdrawalCommitment,
            withdrawals
        );
    }

    /// @dev Moves to the head after a proof, and publishes what led there.
    function _move(
        bytes calldata proof,
        bytes calldata withdrawals,
        bytes calldata data,
        bytes32[] memory blobs
    ) private {
        (,, bytes calldata headAfter) = Heads.statement(proof);
        uint256 batch = settledBatches;
        headDigest = keccak256(headAfter);
        settledBatches = uint64(batch + 1);
        if (msg.sender == operator) operatorSettledAt = uint64(block.timestamp);
        emit Settled(batch, headAfter, withdrawals, data, blobs);
    }

    /// @dev Checks a batch's time against the last one's and this chain's.
    function _checkTime(uint256 before, uint256 found) private view {
        if (found < before) revert TimeRunsBack(found, before);
        if (found + OLDEST < block.timestamp) revert TooOld(found, block.timestamp - OLDEST);
        if (found > block.timestamp + AHEAD) revert TooFarAhead(found, block.timestamp + AHEAD);
    }
}
