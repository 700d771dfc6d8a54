// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISettlementVerifier} from "./ISettlementVerifier.sol";

/// @title Who verifies, who settles, and how slowly that changes
/// @notice There is exactly one verifier. Another takes its place 30 days after the governor has
/// proposed it, and nobody can make that shorter: time for an exit to be taken or the contract to be
/// frozen (14 days), and to leave.
abstract contract Verifiers {
    /// @notice From proposal to activation.
    uint256 public constant DELAY = 30 days;
    /// @notice How long a proposal may be activated; then it has lapsed, and nobody has to watch it for ever.
    uint256 public constant LAPSE = 30 days;
    /// @dev How the code of an account starts that has lent itself another's (EIP-7702): it can take yet
    /// another at any time.
    uint256 private constant DELEGATION = 0xef0100;

    /// @notice Who may propose a verifier and name the operator. It can do nothing else.
    address public immutable governor;
    /// @notice Who may settle at any time; everybody else may when the operator does not.
    address public operator;
    /// @notice The verifier of every proof.
    ISettlementVerifier public verifier;
    /// @notice The verifier that was proposed; the zero address if none was.
    ISettlementVerifier public proposedVerifier;
    /// @notice From when it may be activated.
    uint256 public activatableAt;
    /// @notice The hash of its code at the proposal, which is still its code when it is activated.
    bytes32 public proposedCode;

    /// @notice A verifier may take the other's place at a time.
    event VerifierProposed(ISettlementVerifier indexed proposed, uint256 activatableAt);
    /// @notice It will not.
    event ProposalCancelled(ISettlementVerifier indexed proposed);
    /// @notice It has.
    event VerifierActivated(ISettlementVerifier indexed verifier);
    /// @notice The operator is another.
    event OperatorNamed(address indexed operator);

    /// @notice A caller who is not the governor.
    error NotGovernor(address found, address expected);
    /// @notice A verifier without code of its own.
    error NoVerifier(address found);
    /// @notice No verifier is proposed.
    error NothingProposed();
    /// @notice A verifier is proposed already: cancel that first.
    error AlreadyProposed(ISettlementVerifier found);
    /// @notice An activation before its time.
    error TooEarly(uint256 found, uint256 expected);
    /// @notice An activation after its time: the proposal has to be cancelled, and made anew.
    error TooLate(uint256 found, uint256 mostExpected);

    /// @notice A proposed verifier whose code is no longer that of the proposal.
    error OtherCode(bytes32 found, bytes32 expected);

    constructor(ISettlementVerifier first, address governor_, address operator_) {
        _checkCode(address(first));
        verifier = first;
        governor = governor_;
        operator = operator_;
    }

    /// @dev Only the governor.
    modifier onlyGovernor() {
        if (msg.sender != governor) revert NotGovernor(msg.sender, governor);
        _;
    }

    /// @notice Proposes another verifier; only the governor may.
    /// @param proposed The verifier.
    function proposeVerifier(ISettlementVerifier proposed) external onlyGovernor {
        _checkCode(address(proposed));
        if (address(proposedVerifier) != address(0)) revert AlreadyProposed(proposedVerifier);
        proposedVerifier = proposed;
        proposedCode = address(proposed).codehash;
        activatableAt = block.timestamp + DELAY;
        emit VerifierProposed(proposed, activatableAt);
    }

    /// @notice Takes a proposal back; only the governor may.
    function cancelVerifier() external onlyGovernor {
        emit ProposalCancelled(_takeProposal());
    }

    /// @notice Puts the proposed verifier in the other's place. Anybody may, from 30 days after the
    /// proposal until 60 days after it.
    function activateVerifier() external {
        uint256 from = activatableAt;
        bytes32 expected = proposedCode;
        verifier = _takeProposal();
        bytes32 found = address(verifier).codehash;
        if (found != expected) revert OtherCode(found, expected);
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);
        if (block.timestamp > from + LAPSE) revert TooLate(block.timestamp, from + LAPSE);
        emit VerifierActivated(verifier);
    }

    /// @notice Names the operator; only the governor may.
    /// @param named Who it is.
    function nameOperator(address named) external onlyGovernor {
        operator = named;
        emit OperatorNamed(named);
    }

    /// @dev Refuses an account without code of its own.
    function _checkCode(address account) private view {
        uint256 start;
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(account, 0, 0, 3)
            start := shr(232, mload(0))
        }
        if (account.code.length == 0 || start == DELEGATION) revert NoVerifier(account);
    }

    /// @dev Removes the proposal.
    function _takeProposal() private returns (ISettlementVerifier proposed) {
        proposed = proposedVerifier;
        if (address(proposed) == address(0)) revert NothingProposed();
        proposedVerifier = ISettlementVerifier(address(0));
        activatableAt = 0;
        proposedCode = 0;
    }
}
