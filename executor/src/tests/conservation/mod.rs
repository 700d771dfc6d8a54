//! Value is conserved, to the unit: random transactions of every kind, and after each of them the sum
//! of every asset over all that it touched.

mod lending;
mod money;
mod world;

use std::collections::BTreeMap;

pub use world::held;

use world::World;

/// Kinds of the standard list, each of which must come.
const KINDS: usize = 23;

/// Plays until so many transactions were accepted.
fn play(accepted: u64) -> BTreeMap<&'static str, u64> {
    let mut world = World::new(7);
    let mut tried = 0_u64;
    while world.accepted < accepted {
        tried += 1;
        match world.below(400) {
            0 => world.later(),
            1..270 => money::play(&mut world),
            _ => lending::play(&mut world),
        }
        assert!(tried < 20 * accepted + 1_000_000, "{:?}", world.counts);
    }
    println!(
        "{tried} tried, {} accepted: {:?}",
        world.accepted, world.counts
    );
    world.check_all();
    world.counts
}

#[test]
fn no_transaction_makes_or_loses_a_unit() {
    let counts = play(60_000);
    assert_eq!(counts.len(), KINDS, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 400), "{counts:?}");
}

#[test]
#[ignore = "a minute: see scripts/long-checks.sh"]
fn no_transaction_of_a_million_makes_or_loses_a_unit() {
    let counts = play(1_040_000);
    assert_eq!(counts.len(), KINDS, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 20_000), "{counts:?}");
}
