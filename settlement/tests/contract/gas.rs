//! What each function costs, printed for the README:
//! `cargo test -p shardfold-settlement gas -- --ignored --nocapture`.

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolValue};
use revm::primitives::hardfork::SpecId;
use shardfold_contracts::transfer::Transfer;
use shardfold_protocol::data::{GROUP, GROUP_BLOCKS};
use shardfold_protocol::transaction::Transaction;
use shardfold_settlement::artefact::{Artefact, HASHES, ROLLUP};
use shardfold_settlement::data::{BLOB_COEFFICIENTS, DataMode};
use shardfold_settlement::interface::IRollup::{
    activateVerifierCall, checkpointCall, collectCall, freezeCall, payDueCall, proposeVerifierCall,
    redeemCall, registerAssetCall, repayCall, settleCall, showLinkCall, verifierCall,
};

use crate::common::chain::{Chain, FORKS};
use crate::common::world::{
    COIN, FREE, GOVERNOR, OPERATOR, World, account, coin, key, owner, signed, user,
};
use crate::data::case::Case;
use crate::freeze::escape_of;
use crate::reclaim::{chain_word, digests, reclaim_of};
use crate::scene::{DEBTOR, MARKET, MARKET_SHARES, POOL, POOL_SHARES, Scene};
use crate::test_artefact;
use crate::tokens::token;

/// A row of the table.
type Row = (&'static str, u64);

/// The gas of a call that works.
#[track_caller]
fn gas<C: SolCall>(world: &mut World, from: Address, wei: U256, call: &C) -> u64 {
    let result = world.chain.send(from, world.rollup, wei, call);
    result.expect("it works").1.gas
}

fn deployments(fork: SpecId) -> Vec<Row> {
    let mut chain = Chain::new(fork);
    let artefact = |text| Artefact::parse(text).expect("it is an artefact");
    let deployed = chain.try_deploy(&artefact(HASHES), &[]);
    let (hashes, hashes_gas) = deployed.expect("it has no arguments");
    let verifier = chain.deploy(&test_artefact!("StatementVerifier"), &[]);
    let arguments = (
        1_u64,
        U256::ZERO,
        U256::ZERO,
        hashes,
        verifier,
        GOVERNOR,
        OPERATOR,
    );
    let deployed = chain.try_deploy(&artefact(ROLLUP), &arguments.abi_encode_params());
    vec![
        ("create Hashes", hashes_gas),
        ("create Rollup", deployed.expect("they are its arguments").1),
    ]
}

fn queue(fork: SpecId) -> Vec<Row> {
    let mut world = World::new(fork);
    let register = registerAssetCall {
        token: Address::ZERO,
        digits: 0,
    };
    let registered = gas(&mut world, user(1), U256::ZERO, &register);
    let (_, asset) = token(&mut world, &test_artefact!("Token"), 0);
    for _ in 0..3 {
        world.deposit(1, 1, 0);
    }
    let of_coin = world.deposit_as(1, COIN, 5, 1, owner(1));
    world.deposit_as(1, asset, 5, 1, owner(1));
    let of_token = world.deposit_as(1, asset, 5, 1, owner(1));
    let exit = world.request_exit(1, 3);
    world.wait(300);
    let with_checkpoint = world.request_exit(1, 3);
    world.wait(300);
    let checkpoint = gas(&mut world, user(1), U256::ZERO, &checkpointCall {});
    vec![
        ("registerAsset", registered),
        ("deposit of coin", of_coin),
        ("deposit of a token", of_token),
        ("requestExit", exit),
        ("requestExit that makes a checkpoint", with_checkpoint),
        ("checkpoint", checkpoint),
    ]
}

/// Settles so many transactions that a closure makes, on a world with 300 vaults.
fn settle_of(fork: SpecId, make: impl Fn(&World) -> Vec<Transaction>) -> u64 {
    let mut world = World::new(fork);
    for i in 0..150 {
        world.deposit(i, 1_000, 0);
    }
    world.settle((0..150).map(|i| world.taking(i, i as u32)).collect());
    // The slots of what was earned and of the first root are not new then.
    world.settle(vec![world.withdrawing(0, 0, 1, 0)]);
    let batch = world.execute(make(&world));
    world.try_settle(&batch).expect("it is settled")
}

fn settle(fork: SpecId) -> Vec<Row> {
    let transfers = |count: u8| {
        settle_of(fork, |_| {
            let transfer = |i: u8| {
                let body = Transfer {
                    from: i.into(),
                    to: u32::from(i) + 75,
                    to_owner: owner(i + 75),
                    asset: COIN.into(),
                    amount: 1,
                    fee: FREE,
                    nonce: u64::from(i == 0),
                };
                signed(&account(i), &body)
            };
            (0..count).map(transfer).collect()
        })
    };
    let withdrawals = |count: u64| {
        settle_of(fork, |world| {
            (0..count)
                .map(|i| world.withdrawing(0, 0, 1, 1 + i))
                .collect()
        })
    };
    let (few, many) = (transfers(1), transfers(71));
    let (owed, owed_more) = (withdrawals(1), withdrawals(71));
    vec![
        ("settle of 2 changed vaults, nothing owed", few),
        ("each further changed vault", (many - few) / 140),
        ("settle of 1 changed vault, 1 withdrawal", owed),
        (
            "each further withdrawal of the same vault",
            (owed_more - owed) / 70,
        ),
    ]
}

/// Settles full blobs, of any differences.
fn blobs(fork: SpecId) -> Vec<Row> {
    let [one, six] = [1, 6].map(|blobs| {
        let blocks = blobs * BLOB_COEFFICIENTS / GROUP * GROUP_BLOCKS;
        let case = Case::large(fork, DataMode::Blobs, blocks);
        assert_eq!(case.blobs.len(), blobs);
        case.settle().expect("it is settled").gas
    });
    vec![
        ("settle of 1 full blob (7,936 changed vaults)", one),
        ("settle of 6 full blobs (47,616 changed vaults)", six),
    ]
}

/// What a proof of 100 kB costs before anything looks at it, and more data beside it.
fn long_proof(fork: SpecId) -> Vec<Row> {
    let [few, many] = [1, 1_241].map(|blocks| {
        let mut case = Case::large(fork, DataMode::Calldata, blocks);
        lengthen(&mut case.world, &mut case.call);
        case.settle().expect("it is settled").gas
    });
    vec![
        (
            "settle of 2 changed vaults, with a proof of 100 kB that nothing reads",
            few,
        ),
        (
            "each further changed vault beside such a proof",
            (many - few) / 2 / 1_240,
        ),
    ]
}

/// Makes a proof 100 kB long, for a verifier that takes it.
fn lengthen(world: &mut World, call: &mut settleCall) {
    let time = world.chain.time;
    let proposed = world.chain.deploy(&test_artefact!("LongVerifier"), &[]);
    let propose = proposeVerifierCall { proposed };
    gas(world, GOVERNOR, U256::ZERO, &propose);
    world.wait(30 * 24 * 3_600);
    gas(world, user(1), U256::ZERO, &activateVerifierCall {});
    // The batch is as young as it was.
    world.chain.time = time;
    let mut proof = call.proof.to_vec();
    proof.resize(100_000, 0xab);
    call.proof = proof.into();
}

fn claims(fork: SpecId) -> Vec<Row> {
    let mut world = World::new(fork);
    world.deposit(1, 10_000, 0);
    world.settle(vec![world.taking(0, 0)]);
    let batch = world.settle((0..64).map(|i| world.withdrawing(1, 0, 1, i)).collect());
    let claims = [0, 1].map(|place| world.claim(1, &batch, place));
    let [first, later] = claims.map(|claim| gas(&mut world, user(9), U256::ZERO, &claim));
    let collected = gas(&mut world, OPERATOR, U256::ZERO, &collectCall {});
    vec![
        ("claim, the first of 256", first),
        ("claim of coin, one of 64 in the batch", later),
        ("collect", collected),
    ]
}

fn frozen(fork: SpecId) -> Vec<Row> {
    let mut scene = Scene::new(fork);
    for _ in 0..101 {
        scene.world.deposit(1, 5, 0);
    }
    let first = scene.world.items.len() - 101;
    let world = &mut scene.world;
    world.wait(14 * 24 * 3_600 + 1);
    let freeze = gas(world, user(1), U256::ZERO, &freezeCall {});
    let escape = escape_of(world, 1, 1);
    let escape = gas(world, user(9), U256::ZERO, &escape);
    let end = world.items.len();
    let [near, far] = [end - 1, first].map(|position| {
        let call = reclaim_of(world, position, 1, end);
        gas(world, user(9), U256::ZERO, &call)
    });
    let link = showLinkCall {
        count: U256::from(first),
        commitment: chain_word(world, first),
        items: digests(world, first..end),
        place: U256::from(4_000),
    };
    let link = gas(world, user(9), U256::ZERO, &link);
    let mut rows = vec![
        ("freeze", freeze),
        ("escape of a vault of coin", escape),
        ("reclaim of the newest deposit", near),
        ("each item after the deposit", (far - near) / 100),
        ("showLink over 101 items", link),
    ];
    rows.extend(unwound(&mut scene));
    rows
}

fn unwound(scene: &mut Scene) -> Vec<Row> {
    for index in [POOL + 1, MARKET + 3] {
        scene.escape(index, 1);
    }
    let opened = scene.open(&[POOL]);
    scene.open(&[MARKET, MARKET + 1, DEBTOR]);
    let world = &mut scene.world;
    let redeem = |asset| redeemCall {
        asset: U256::from(asset),
        to: user(1),
    };
    let of_pool = gas(world, user(9), U256::ZERO, &redeem(POOL_SHARES));
    let of_market = gas(world, user(9), U256::ZERO, &redeem(MARKET_SHARES));
    let repay = repayCall {
        index: DEBTOR,
        key: key(3),
        to: user(3),
    };
    let repaid = gas(world, user(3), coin(45_000), &repay);
    let due = payDueCall {
        asset: U256::from(COIN),
        to: user(1),
    };
    let paid = gas(world, user(9), U256::ZERO, &due);
    vec![
        ("open", opened),
        ("redeem of a pool's shares", of_pool),
        ("redeem of a market's shares", of_market),
        ("repay", repaid),
        ("payDue of coin", paid),
    ]
}

fn verifiers(fork: SpecId) -> Vec<Row> {
    let mut world = World::new(fork);
    let proposed = world.ask(&verifierCall {});
    let propose = gas(
        &mut world,
        GOVERNOR,
        U256::ZERO,
        &proposeVerifierCall { proposed },
    );
    world.wait(30 * 24 * 3_600);
    let activate = gas(&mut world, user(1), U256::ZERO, &activateVerifierCall {});
    vec![("proposeVerifier", propose), ("activateVerifier", activate)]
}

#[test]
#[ignore = "prints a table"]
fn gas_of_each_function() {
    let sections = [
        deployments,
        queue,
        settle,
        blobs,
        long_proof,
        claims,
        frozen,
        verifiers,
    ];
    let [osaka, amsterdam] = FORKS.map(|fork| {
        sections
            .iter()
            .flat_map(|section| section(fork))
            .collect::<Vec<_>>()
    });
    println!("| function | Osaka | Amsterdam |\n| --- | --- | --- |");
    for ((name, osaka), (_, amsterdam)) in osaka.iter().zip(&amsterdam) {
        println!("| {name} | {osaka} | {amsterdam} |");
        assert!(osaka > &0 && amsterdam > &0);
    }
}
