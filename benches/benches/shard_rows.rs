//! Rows of the shard circuit of each shape, before padding: 2^16 less some 500 are there.
//!
//! `cargo bench -p shardfold-benches --bench shard_rows`

use shardfold_contracts::set::standard;
use shardfold_prover::{ShardCircuit, ShardStark};
use shardfold_recursion::profile::Profile;

fn main() -> anyhow::Result<()> {
    for profile in [Profile::Proven100, Profile::Conjectured100] {
        for shape in profile.shapes() {
            let parameters = profile.stark(shape);
            let stark = ShardStark::new(standard(), *shape, parameters)?;
            let (rows, cost) = ShardCircuit::cost(&stark, &profile.plonk())?;
            println!(
                "{} {:>6} transactions: {} queries, {rows} rows, {} permutations",
                profile.name(),
                shape.transactions(),
                parameters.queries,
                cost.permutations
            );
        }
    }
    Ok(())
}
