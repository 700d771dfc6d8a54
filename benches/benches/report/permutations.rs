//! Permutations proven a second: the STARK against plonky2 alone.

use std::fmt::Write as _;
use std::time::Instant;

use shardfold_benches::{PermutationStark, Reference};
use shardfold_recursion::profile::Profile;

use crate::end_to_end::Run;

const LOG_ROWS: u32 = 14;

/// Measures both, and what the batch's permutations would take in plonky2 alone.
pub fn compare(report: &mut String, profile: Profile, run: &Run) -> anyhow::Result<()> {
    let reference = Reference::new(LOG_ROWS);
    let seconds = median(|| {
        reference.prove(1, LOG_ROWS);
        Ok(())
    })?;
    let plonky2 = Reference::permutations(LOG_ROWS) as f64 / seconds;
    drop(reference);
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
    let alone = run.permutations as f64 / plonky2;
    let ratio = alone / run.stark_seconds;
    let Run {
        permutations,
        stark_seconds,
    } = run;
    writeln!(
        report,
        "\nThe batch's shards ask for {permutations} permutations. plonky2 alone would take {alone:.1} s for\n\
         these; traces and STARKs, which prove signatures and rules as well, took {stark_seconds:.1} s: a\n\
         ratio of {ratio:.2}."
    )?;
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
