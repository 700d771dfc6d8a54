//! Arguments of `cost`, and the price of a core.

use std::path::PathBuf;

use clap::Args;

use super::{CacheArgs, CutArgs, threads};

/// US dollars for an hour of one core, unless said otherwise: an eighth of the 0.34 dollars that
/// AWS's guide to EC2 Auto Scaling shows for an hour of a c5.2xlarge, an x86 machine of 8 virtual
/// cores, on demand in us-east-1 (as read on 2026-11-26). An example, to be replaced by what one
/// pays.
pub const USD_PER_CORE_HOUR: f64 = 0.0425;

/// What a core costs.
#[derive(Args, Clone, Copy, Debug)]
pub struct PriceArgs {
    /// What an hour of one core costs, in US dollars: the default is that of a virtual x86 core on
    /// demand, to be replaced by what you pay.
    #[arg(long, value_name = "USD", value_parser = parse_price, default_value_t = USD_PER_CORE_HOUR)]
    pub price: f64,
}

/// Arguments of `cost`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  shardfold cost run/batch.bin
  shardfold cost run/batch.bin --state ledger --profile conjectured-100 --price 0.02
  shardfold cost run/batch.bin --json > before.json
  shardfold cost run/batch.bin --diff before.json
Nothing is proven, and nothing is changed: a state database is only read. The last two say what a
change of contracts or parameters costs, with the build before it and the one after it. Seconds
are those that `prove` has measured on this machine, with the same circuits and as many threads.")]
pub struct CostArgs {
    /// The batch file, binary or JSON.
    pub batch: PathBuf,
    /// The state that the batch starts from: a file, or the folder of a state database; by default
    /// genesis.bin beside the batch.
    #[arg(long, value_name = "FILE|DIR")]
    pub state: Option<PathBuf>,
    /// How many threads would prove; by default $RAYON_NUM_THREADS, or else one for each core.
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<usize>,
    /// What it is cut with.
    #[command(flatten)]
    pub cut: CutArgs,
    /// What a core costs.
    #[command(flatten)]
    pub price: PriceArgs,
    /// Compare with what `cost --json` printed: of another build, profile or batch.
    #[arg(long, value_name = "OTHER")]
    pub diff: Option<PathBuf>,
    /// The circuit cache, where `prove` keeps what it has measured.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Print one JSON object as the last line of standard output.
    #[arg(long)]
    pub json: bool,
}

/// Parses a price in dollars.
fn parse_price(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(price) if price.is_finite() && price >= 0.0 => Ok(price),
        _ => Err(format!(
            "`{text}` is no price; write dollars for an hour of one core, as 0.04"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_a_number_of_dollars() {
        assert_eq!(parse_price("0.04"), Ok(0.04));
        assert_eq!(parse_price("0"), Ok(0.0));
        for wrong in ["", "-1", "inf", "NaN", "1e999", "4 cents"] {
            let error = parse_price(wrong).unwrap_err();
            assert!(error.contains("is no price; write dollars"), "{error}");
        }
    }
}
