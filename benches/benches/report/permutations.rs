//! Permutations proven a second: the STARK against plonky2 alone.

use std::fmt::Write as _;
use std::time::Instant;

use shardfold_benches::{PermutationStark, Reference};
use shardfold_recursion::profile::Profile;

const LOG_ROWS: u32 = 14;

/// plonky2 alone: what each figure stands beside.
pub struct Yardstick(Reference);

impl Yardstick {
    pub fn new() -> Self {
        Self(Reference::new(LOG_ROWS))
    }

    /// The median of three proofs' seconds.
    pub fn seconds(&self) -> anyhow::Result<f64> {
        median(|| {
            self.0.prove(1, LOG_ROWS);
            Ok(())
        })
    }
}

/// The STARK of the poseidon2 chip against the yardstick, which took so many seconds.
pub fn compare(report: &mut String, profile: Profile, yardstick: f64) -> anyhow::Result<()> {
    let plonky2 = Reference::permutations(LOG_ROWS) as f64 / yardstick;
    writeln!(report, "\n## Permutations proven per second\n")?;
    writeln!(
        report,
        "The median of three runs, witness included. Reference: Poseidon permutations in plonky2\n\
         alone, for about 100 conjectured bits.\n"
    )?;
    writeln!(report, "| prover | permutations | per second | ratio |")?;
    writeln!(report, "| --- | ---: | ---: | ---: |")?;
    let count = Reference::permutations(LOG_ROWS);
    writeln!(report, "| plonky2 alone | {count} | {plonky2:.0} | 1.00 |")?;
    for shape in profile.shapes() {
        let parameters = profile.stark(shape);
        let stark = PermutationStark::new(LOG_ROWS, &parameters)?;
        let seconds = median(|| stark.prove().map(drop))?;
        let rate = stark.permutations() as f64 / seconds;
        writeln!(
            report,
            "| STARK of the poseidon2 chip, {}, as in shards of {} | {} | {rate:.0} | {:.2} |",
            profile.name(),
            shape.transactions(),
            stark.permutations(),
            rate / plonky2
        )?;
    }
    Ok(())
}

/// The median of three times, in seconds.
fn median(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut times = [0.0; 3];
    for time in &mut times {
        let start = Instant::now();
        work()?;
        *time = start.elapsed().as_secs_f64();
    }
    times.sort_by(f64::total_cmp);
    Ok(times[1])
}
