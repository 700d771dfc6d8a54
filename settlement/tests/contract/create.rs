//! What a contract can be created with.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue;
use shardfold_protocol::field::MODULUS;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::encoding::{head_digest, word};
use shardfold_settlement::interface::IRollup::{
    ChainIdTooLarge, NoVerifier, NotCanonical, baseChainCall, genesisRootCall, governorCall,
    hashesCall, headDigestCall, ledgerChainIdCall, operatorCall, operatorSettledAtCall,
};

use crate::common::chain::{Chain, FORKS, Failed};
use crate::common::world::{GOVERNOR, LEDGER, OPERATOR, World, user};
use crate::test_artefact;

/// An account that has lent itself a verifier's code (EIP-7702).
const DELEGATED: Address = Address::repeat_byte(0x77);

/// Creates a contract on a chain of this id.
fn create(
    chain_id: u64,
    ledger: u64,
    root: U256,
    verifier: Option<Address>,
) -> Result<(Chain, Address), Failed> {
    let mut chain = Chain::new(FORKS[0]);
    chain.chain_id = chain_id;
    let artefact = |text| Artefact::parse(text).expect("it is an artefact");
    let hashes = chain.deploy(&artefact(HASHES), &[]);
    let takes_all = chain.deploy(&test_artefact!("StatementVerifier"), &[]);
    chain.delegate(DELEGATED, takes_all);
    let verifier = verifier.unwrap_or(takes_all);
    let arguments = (
        ledger,
        root,
        U256::ONE,
        hashes,
        verifier,
        GOVERNOR,
        OPERATOR,
    );
    let created = chain.try_deploy(&artefact(ROLLUP), &arguments.abi_encode_params());
    created.map(|(rollup, _)| (chain, rollup))
}

#[test]
fn only_what_proofs_can_state_is_taken() {
    let root = U256::from(7);
    let last = (1 << 32) - 1;
    let (chain, rollup) = create(last, MODULUS - 1, root, None).expect("they are elements");
    assert_eq!(chain.ask(rollup, &baseChainCall {}), u32::MAX);
    assert_eq!(chain.ask(rollup, &ledgerChainIdCall {}), MODULUS - 1);
    assert_eq!(chain.ask(rollup, &genesisRootCall {}), root);
    let ledger = create(1, MODULUS, root, None).expect_err("p is no element");
    assert_eq!(ledger.error::<ChainIdTooLarge>().found, U256::from(MODULUS));
    let base = create(last + 1, LEDGER, root, None).expect_err("items have 32 bits for it");
    assert_eq!(base.error::<ChainIdTooLarge>().found, U256::from(last + 1));
    let no_root = create(1, LEDGER, U256::from(MODULUS), None).expect_err("p is no element");
    no_root.error::<NotCanonical>();
    let nobody = create(1, LEDGER, root, Some(user(3))).expect_err("nobody is there");
    assert_eq!(nobody.error::<NoVerifier>().found, user(3));
    let lent = create(1, LEDGER, root, Some(DELEGATED)).expect_err("its code is another's");
    assert_eq!(lent.error::<NoVerifier>().found, DELEGATED);
}

#[test]
fn it_starts_at_the_head_of_the_genesis() {
    for fork in FORKS {
        let world = World::new(fork);
        let head = world.state.head();
        assert_eq!(world.ask(&headDigestCall {}), head_digest(head));
        assert_eq!(world.ask(&genesisRootCall {}), word(&head.state_root));
        assert_eq!(world.ask(&operatorSettledAtCall {}), world.chain.time);
        assert_eq!(world.ask(&operatorCall {}), OPERATOR);
        assert_eq!(world.ask(&governorCall {}), GOVERNOR);
        assert_eq!(world.ask(&hashesCall {}), world.hashes);
    }
}
