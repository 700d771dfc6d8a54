//! The contract's functions, events and errors, as Solidity has them.
#![allow(missing_docs, reason = "the contract documents them")]

use alloy_sol_types::sol;

sol! {
    /// Of the contract that hashes as the ledger does.
    #[derive(Debug, PartialEq, Eq)]
    interface IHashes {
        error Length(uint256 found, uint256 partBytes);
        error NotCanonical(uint256 found);

        function owner(uint256 chainId, uint64[5] key, address exitAddress) external pure returns (uint256);
        function depositItem(uint64 chainId, uint64 baseChain, uint64 position, uint64 asset, uint64 amount, uint64 fee, uint256 ownerDigest) external pure returns (uint256);
        function exitItem(uint64 chainId, uint64 baseChain, uint64 position, uint64 index, uint256 ownerDigest, address to) external pure returns (uint256);
        function chain(uint256 commitment, bytes blocks) external pure returns (uint256);
        function withdrawals(uint64 chainId, uint256 commitment, bytes entries) external pure returns (uint256);
        function stateRoot(uint32 index, uint256[2] record, uint256[32] siblings) external pure returns (uint256);
        function compress(uint256 left, uint256 right) external pure returns (uint256);
    }

    /// Of the contract that settles a ledger.
    #[derive(Debug, PartialEq, Eq)]
    interface IRollup {
        struct Waiting {
            uint64 position;
            uint32 asset;
            uint64 amount;
            uint64 fee;
            uint256 commitment;
        }

        event AssetRegistered(uint256 indexed asset, address indexed token, uint256 digits);
        event Deposited(uint256 indexed position, uint256 indexed owner, uint256 asset, uint256 amount, uint256 fee);
        event ExitRequested(uint256 indexed position, uint256 indexed owner, uint256 index, address to);
        event Checkpoint(uint256 indexed place, uint256 count);
        event Settled(uint256 indexed batch, bytes head, bytes withdrawals, bytes data, bytes32[] blobs);
        event Claimed(uint256 indexed number, address indexed to, uint256 asset, uint256 amount);
        event Frozen(uint256 waitingSince);
        event Escaped(uint256 indexed index, address indexed to, uint256 asset, uint256 amount);
        event Reclaimed(uint256 indexed position, address indexed to, uint256 asset, uint256 amount);
        event Repaid(uint256 indexed position, address indexed collateralTo, uint256 asset, uint256 amount);
        event VerifierProposed(address indexed proposed, uint256 activatableAt);
        event ProposalCancelled(address indexed proposed);
        event VerifierActivated(address indexed verifier);
        event OperatorNamed(address indexed operator);

        error AlreadyOut(uint256 index);
        error AlreadyPaid(uint256 number);
        error AlreadyProposed(address found);
        error AmountTooLarge(uint256 found, uint256 limit);
        error BothPublished(uint256 dataBytes, uint256 openingsBytes);
        error ChainIdTooLarge(uint256 found, uint256 limit);
        error DataLength(uint256 found, uint256 partBytes);
        error EntriesLength(uint256 found, uint256 entryBytes);
        error FeeTooLarge(uint256 found, uint256 limit);
        error HalfTooLarge(uint256 found);
        error IndexTooLarge(uint256 found, uint256 limit);
        error IsFrozen(uint256 since);
        error IsNotFrozen();
        error NoAddress(uint256 a, uint256 b, uint256 c);
        error NoBlob(uint256 place);
        error NoCheckpoint(uint256 place, uint256 count, uint256 commitment);
        error NotCanonical(uint256 found);
        error NotGovernor(address found, address expected);
        error NotOverdue(uint256 found, uint256 expected);
        error NotOwed(bytes32 found, bytes32 expected);
        error NotWaiting(uint256 position, uint256 taken, uint256 count);
        error NothingNew(uint256 count);
        error NothingProposed();
        error NoToken(address found);
        error NoShares(uint256 asset);
        error NotOpened(uint256 index, uint256 foundKind, uint256 expectedKind);
        error NoVault(uint256 kind);
        error NoVerifier(address found);
        error OtherCode(bytes32 found, bytes32 expected);
        error OnlyOperator(address found, address expected, uint256 anybodyFrom);
        error OtherChain(uint256 found, uint256 expected);
        error PaymentFailed(address token, address to, uint256 amount);
        error ProofLength(uint256 found, uint256 leastExpected);
        error ProofRefused();
        error Reentered();
        error TimeRunsBack(uint256 found, uint256 leastExpected);
        error TooEarly(uint256 found, uint256 expected);
        error TooFarAhead(uint256 found, uint256 mostExpected);
        error TooLate(uint256 found, uint256 mostExpected);
        error TooLittlePaid(uint256 found, uint256 expected);
        error TooMuchData(uint256 found, uint256 mostExpected);
        error TooOld(uint256 found, uint256 leastExpected);
        error TooSoon(uint256 found, uint256 expected);
        error UnitTooLarge(uint256 found, uint256 limit);
        error UnknownAsset(uint256 found, uint256 count);
        error UnknownLink(uint256 count, uint256 commitment);
        error WrongChainId(uint256 found, uint256 expected);
        error WrongHead(bytes32 found, bytes32 expected);
        error WrongOpening(uint256 place, bytes32 blob);
        error WrongOwner(uint256 found, uint256 expected);
        error WrongPayment(uint256 found, uint256 expected);
        error WrongPoint(uint256 found, uint256 expected);
        error WrongQueue(uint256 found, uint256 expected);
        error WrongReceipt(uint256 found, uint256 expected);
        error WrongRoot(uint256 found, uint256 expected);
        error WrongValue(uint256 found, uint256 expected);
        error WrongWithdrawalCount(uint256 found, uint256 expected);
        error WrongWithdrawals(uint256 found, uint256 expected);

        function registerAsset(address token, uint8 digits) external returns (uint32 asset);
        function deposit(uint32 asset, uint64 amount, uint64 fee, uint256 owner) external payable;
        function requestExit(uint32 index, uint64[5] key) external payable;
        function checkpoint() external;
        function collect() external;
        function settle(bytes proof, bytes withdrawals, bytes data, bytes openings, uint256 place) external;
        function claim(uint256 batch, uint64 number, bytes entry, bytes32[] path) external;
        function freeze() external;
        function escape(bytes head, uint32 index, uint256[2] record, uint256[32] siblings, uint64[5] key, address to) external;
        function showLink(uint256 count, uint256 commitment, bytes items, uint256 place) external;
        function reclaim(Waiting waiting, bytes items, uint256 place, uint64[5] key, address to) external;
        function open(bytes head, uint32 index, uint256[2] record, uint256[32] siblings) external;
        function payDue(uint256 asset, address to) external;
        function redeem(uint256 asset, address to) external;
        function repay(uint32 index, uint64[5] key, address to) external payable;
        function refundPayout(uint32 index, uint64[5] key, address to) external;
        function proposeVerifier(address proposed) external;
        function cancelVerifier() external;
        function activateVerifier() external;
        function nameOperator(address named) external;

        function PLACES() external view returns (uint256);
        function INTERVAL() external view returns (uint256);
        function GROUP() external view returns (uint256);
        function PATIENCE() external view returns (uint256);
        function itemPrice() external view returns (uint256);
        function queue() external view returns (uint48 count, uint48 taken, uint48 atCheckpoint, uint32 checkpoints, uint40 oldestAt, uint40 checkpointAt);
        function queueCommitment() external view returns (uint256);
        function checkpoints(uint256 place) external view returns (uint256);
        function pot() external view returns (uint256);
        function earned(address settler) external view returns (uint256);
        function isPaid(uint256 number) external view returns (bool);
        function withdrawalRoots(uint256 batch) external view returns (bytes32);
        function headDigest() external view returns (bytes32);
        function genesisRoot() external view returns (uint256);
        function frozenAt() external view returns (uint64);
        function due(address owner, uint256 asset) external view returns (uint256);
        function drawn(address owner, uint256 asset) external view returns (uint256);
        function repaid(uint256 market) external view returns (uint256);
        function links(bytes32 link) external view returns (bool);
        function settledBatches() external view returns (uint64);
        function operatorSettledAt() external view returns (uint64);
        function verifier() external view returns (address);
        function proposedVerifier() external view returns (address);
        function activatableAt() external view returns (uint256);
        function proposedCode() external view returns (bytes32);
        function operator() external view returns (address);
        function governor() external view returns (address);
        function hashes() external view returns (address);
        function ledgerChainId() external view returns (uint64);
        function baseChain() external view returns (uint32);
        function assetCount() external view returns (uint32);
        function assets(uint256 asset) external view returns (address token, uint8 digits, bool isRegistered);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy_primitives::{hex, keccak256};
    use alloy_sol_types::SolInterface;
    use serde_json::Value;

    use super::*;
    use crate::artefact::{Artefact, HASHES, ROLLUP};

    /// The type of a parameter as a selector has it.
    fn type_name(parameter: &Value) -> String {
        let name = parameter["type"].as_str().expect("it has a type");
        match parameter["components"].as_array() {
            Some(parts) => {
                let parts: Vec<_> = parts.iter().map(type_name).collect();
                name.replacen("tuple", &format!("({})", parts.join(",")), 1)
            }
            None => name.to_owned(),
        }
    }

    /// The selectors of an artefact's functions or errors.
    fn selectors(artefact: &str, kind: &str) -> BTreeSet<[u8; 4]> {
        let artefact = Artefact::parse(artefact).expect("it is one");
        let entries = artefact.abi.as_array().expect("a list").clone();
        let entries = entries.iter().filter(|entry| entry["type"] == kind);
        let selector = |entry: &Value| {
            let inputs: Vec<_> = entry["inputs"]
                .as_array()
                .expect("a list")
                .iter()
                .map(type_name)
                .collect();
            let name = entry["name"].as_str().expect("a name");
            let digest = keccak256(format!("{name}({})", inputs.join(",")));
            [digest[0], digest[1], digest[2], digest[3]]
        };
        entries.map(selector).collect()
    }

    /// All of `found` is in `expected`.
    fn check(found: impl IntoIterator<Item = [u8; 4]>, expected: &BTreeSet<[u8; 4]>) {
        for selector in found {
            assert!(expected.contains(&selector), "{}", hex::encode(selector));
        }
    }

    #[test]
    fn functions_errors_and_events_are_those_of_the_contracts() {
        check(
            IHashes::IHashesCalls::selectors(),
            &selectors(HASHES, "function"),
        );
        check(
            IHashes::IHashesErrors::selectors(),
            &selectors(HASHES, "error"),
        );
        check(
            IRollup::IRollupCalls::selectors(),
            &selectors(ROLLUP, "function"),
        );
        check(
            IRollup::IRollupErrors::selectors(),
            &selectors(ROLLUP, "error"),
        );
        let events = IRollup::IRollupEvents::SELECTORS
            .iter()
            .map(|topic| [topic[0], topic[1], topic[2], topic[3]]);
        check(events, &selectors(ROLLUP, "event"));
        // And no error or event of the contract is missing here.
        let errors: BTreeSet<_> = IRollup::IRollupErrors::selectors().collect();
        check(selectors(ROLLUP, "error"), &errors);
    }
}
