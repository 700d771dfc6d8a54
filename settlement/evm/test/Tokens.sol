// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title A token as most are
contract Token {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    /// @notice Makes tokens out of nothing.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice Lets another one spend.
    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    /// @notice Pays.
    function transfer(address to, uint256 amount) external virtual returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    /// @notice Pays from another one's balance.
    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) internal virtual {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title A token that keeps a hundredth of each payment
contract FeeToken is Token {
    function _move(address from, address to, uint256 amount) internal override {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
    }
}

/// @title A token whose transfers return nothing, as some old ones do
contract SilentToken {
    mapping(address => uint256) public balanceOf;

    /// @notice Makes tokens out of nothing.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice Pays.
    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice Pays from another one's balance, of whom it does not ask leave.
    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @title A token that says no by returning false, once it is told to
contract RefusingToken is Token {
    bool public refuses;

    /// @notice Refuses from now on, or no longer.
    function setRefuses(bool does) external {
        refuses = does;
    }

    /// @notice Pays, or returns false.
    function transfer(address to, uint256 amount) external override returns (bool) {
        if (refuses) return false;
        _move(msg.sender, to, amount);
        return true;
    }
}

/// @title A token whose balances can shrink, as a rebasing one's do
contract ShrinkingToken is Token {
    /// @notice Takes a part of what somebody holds away.
    function shrink(address who, uint256 amount) external {
        balanceOf[who] -= amount;
    }
}

/// @title A contract that calls on behalf of whoever asks
contract Forwarder {
    /// @notice Calls, with the coin that comes along.
    function forward(address target, bytes calldata data) external payable returns (bytes memory) {
        (bool isDone, bytes memory answer) = target.call{value: msg.value}(data);
        if (isDone) return answer;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

/// @title A token or receiver that calls back when it is asked to pay, or paid
contract CallingToken is Token, Forwarder {
    address private target;
    bytes private data;
    /// @notice What the call back returned or reverted with.
    bytes public answer;
    /// @notice Whether the call back went through.
    bool public went;

    /// @notice Says what is called during the next payment.
    function callDuringPayment(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function _move(address from, address to, uint256 amount) internal override {
        _callBack();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice Is paid coin.
    receive() external payable {
        _callBack();
    }

    function _callBack() private {
        if (target == address(0)) return;
        (address target_, bytes memory data_) = (target, data);
        target = address(0);
        (went, answer) = target_.call(data_);
    }
}

/// @title A receiver that takes no coin
contract NoReceiver is Forwarder {
    /// @notice Always refuses.
    receive() external payable {
        revert("no coin");
    }
}
