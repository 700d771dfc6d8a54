// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Base} from "./Base.sol";
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
    /// changed. From these events alone anybody makes state and claims.
    event Settled(uint256 indexed batch, bytes head, bytes withdrawals, bytes data);

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
    /// @notice Data with another chain than the batch says.
    error WrongData(uint256 found, uint256 expected);
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
    /// @param proof The settlement proof; it starts with the statement.
    /// @param withdrawals What the batch owes: entries of 48 bytes.
    /// @param data The differences of its records: elements of 8 bytes, big-endian.
    /// @param place The checkpoint up to which it takes the queue, if it takes some items but not all.
    function settle(
        bytes calldata proof,
        bytes calldata withdrawals,
        bytes calldata data,
        uint256 place
    ) external alone whileOpen {
        uint256 anybodyFrom = operatorSettledAt + WALKAWAY;
        if (msg.sender != operator && block.timestamp < anybodyFrom) {
            revert OnlyOperator(msg.sender, operator, anybodyFrom);
        }
        (uint256 chainId, bytes calldata headBefore, bytes calldata headAfter) = Heads.statement(proof);
        if (chainId != ledgerChainId) revert WrongChainId(chainId, ledgerChainId);
        if (keccak256(headBefore) != headDigest) revert WrongHead(keccak256(headBefore), headDigest);
        uint256 batch = settledBatches;
        _checkStep(batch, Heads.read(headBefore), Heads.read(headAfter), withdrawals, data, place);
        if (!verifier.verify(proof)) revert ProofRefused();
        headDigest = keccak256(headAfter);
        settledBatches = uint64(batch + 1);
        if (msg.sender == operator) operatorSettledAt = uint64(block.timestamp);
        emit Settled(batch, headAfter, withdrawals, data);
    }

    /// @dev Checks what a proof cannot know of two heads, and notes what follows.
    function _checkStep(
        uint256 batch,
        Head memory before,
        Head memory afterwards,
        bytes calldata withdrawals,
        bytes calldata data,
        uint256 place
    ) private {
        _checkTime(before.time, afterwards.time);
        if (afterwards.queueCount != before.queueCount) {
            _take(afterwards.queueCount, afterwards.queueCommitment, place);
        } else if (afterwards.queueCommitment != before.queueCommitment) {
            revert WrongQueue(afterwards.queueCommitment, before.queueCommitment);
        }
        _owe(
            batch,
            before.withdrawalCount,
            afterwards.withdrawalCount - before.withdrawalCount,
            before.withdrawalCommitment,
            afterwards.withdrawalCommitment,
            withdrawals
        );
        uint256 found = hashes.chain(before.dataCommitment, data);
        if (found != afterwards.dataCommitment) revert WrongData(found, afterwards.dataCommitment);
    }

    /// @dev Checks a batch's time against the last one's and this chain's.
    function _checkTime(uint256 before, uint256 found) private view {
        if (found < before) revert TimeRunsBack(found, before);
        if (found + OLDEST < block.timestamp) revert TooOld(found, block.timestamp - OLDEST);
        if (found > block.timestamp + AHEAD) revert TooFarAhead(found, block.timestamp + AHEAD);
    }
}
