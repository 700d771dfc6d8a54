//! What each chip costs: cells that the prover commits to, per transaction.

use std::fmt::Write as _;

use shardfold_contracts::set::standard;
use shardfold_prover::ShardStark;
use shardfold_recursion::profile::Profile;

/// One line for each chip, one column for each shape of the profile.
pub fn table(report: &mut String, profile: Profile) -> anyhow::Result<()> {
    let starks = profile
        .shapes()
        .iter()
        .map(|shape| ShardStark::new(standard(), *shape, profile.stark(shape)))
        .collect::<Result<Vec<_>, _>>()?;
    writeln!(report, "\n## Cells per transaction of a full shard\n")?;
    writeln!(
        report,
        "Rows x (main + permutation + quotient columns) / transactions, in elements of the base\n\
         field and before blow-up. Heights depend on the shape, widths do not.\n"
    )?;
    write!(report, "| chip | main | permutation | quotient |")?;
    for stark in &starks {
        write!(report, " {} transactions |", stark.shape().transactions())?;
    }
    writeln!(report, "\n| --- |{}", " ---: |".repeat(3 + starks.len()))?;
    let Some(first) = starks.first() else {
        return Ok(());
    };
    let first = first.stark();
    for (chip, width) in first.chips().iter().zip(first.widths()) {
        let (main, permutation, quotient) = (width.main, width.permutation, width.quotient);
        write!(
            report,
            "| {} | {main} | {permutation} | {quotient} |",
            chip.name()
        )?;
        for stark in &starks {
            write!(report, " {:.1} |", cells(stark, Some(chip.name())))?;
        }
        writeln!(report)?;
    }
    write!(report, "| all | | | |")?;
    for stark in &starks {
        write!(report, " {:.1} |", cells(stark, None))?;
    }
    Ok(writeln!(report)?)
}

/// Cells per transaction of the tables of a chip, or of all.
fn cells(stark: &ShardStark, name: Option<&str>) -> f64 {
    let transactions = stark.shape().transactions() as f64;
    let stark = stark.stark();
    let widths = stark.widths().into_iter().zip(stark.log_heights());
    let tables = stark.chips().iter().zip(widths);
    let of_chip = tables.filter(|(chip, _)| name.is_none_or(|name| name == chip.name()));
    let cells = of_chip.map(|(_, (width, log_height))| width.total() << log_height);
    cells.sum::<usize>() as f64 / transactions
}
