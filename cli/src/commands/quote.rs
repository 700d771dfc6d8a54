//! `quote`: what a swap would give.

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use shardfold_contracts::exchange::Pool;
use shardfold_contracts::exchange::route::{Given, Hop, RouteError, Stop, price_impact, route};
use shardfold_contracts::shown::{RecordKind, ratio};
use shardfold_protocol::head::Head;
use shardfold_protocol::record::{Asset, Index};
use shardfold_protocol::state::{State, StateFile};
use shardfold_protocol::text::integer::Integer;
use shardfold_store::View;

use super::input::{cannot_use, read_content};
use crate::args::QuoteArgs;
use crate::exit::usage;
use crate::output::Printer;

/// What `quote` prints for machines.
#[derive(Serialize)]
struct Quote {
    head: Head,
    asset_in: Asset,
    amount_in: Integer,
    asset_out: Asset,
    amount_out: Integer,
    /// Units received for one that is paid.
    price: Option<String>,
    /// By which part the swap moves prices against the trader, fees apart.
    price_impact: f64,
    hops: Vec<HopReport>,
}

#[derive(Serialize)]
struct HopReport {
    pool: Index,
    asset_in: Asset,
    amount_in: Integer,
    asset_out: Asset,
    amount_out: Integer,
    fee_millionths: u64,
    price_impact: f64,
}

/// Runs the command.
pub fn run(args: &QuoteArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let given = match (args.amount_in, args.amount_out) {
        (Some(amount), None) => Given::In(amount),
        (None, Some(amount)) => Given::Out(amount),
        // The command line does not get here.
        _ => {
            return Err(usage(
                "found no amount, or two: expected --amount-in or --amount-out",
            ));
        }
    };
    let state = state(args)?;
    let pools = args.pools.iter();
    let pools = pools
        .map(|&index| pool(&state, index))
        .collect::<Result<Vec<_>>>()?;
    let hops = route(&pools, args.asset_in, given).map_err(|error| match error {
        RouteError::Length { .. } | RouteError::Twice { .. } => usage(error.to_string()),
        error => error.into(),
    })?;
    let quote = Quote::new(*state.head(), &hops).context("found no pools")?;
    quote.print(printer)?;
    printer.object(&quote)
}

/// The state, or the part of it with the pools.
fn state(args: &QuoteArgs) -> Result<State> {
    let place = &args.state;
    if place.is_dir() {
        let view = View::open(place).with_context(|| cannot_use(place))?;
        let pools = args.pools.iter().copied();
        return view.part_of(pools).with_context(|| cannot_use(place));
    }
    let file: StateFile = read_content("state", place)?;
    State::try_from(&file).with_context(|| format!("{} holds no valid state", place.display()))
}

fn pool(state: &State, index: Index) -> Result<Stop> {
    let record = state.tree().get(index);
    let Some(pool) = Pool::of(&record) else {
        match RecordKind::of(&record) {
            Some(kind) => bail!("found a {} at index {index}, expected a pool", kind.name),
            None if record.is_empty() => bail!("found nothing at index {index}, expected a pool"),
            None => bail!("found a record of another kind at index {index}, expected a pool"),
        }
    };
    // A pool of another way of pricing differs from the record that its numbers make.
    ensure!(
        record == pool.clone().into(),
        "found a pool with another way of pricing at index {index}, expected mode 0"
    );
    Ok((index, pool))
}

impl Quote {
    fn new(head: Head, hops: &[Hop]) -> Option<Self> {
        let (first, last) = (hops.first()?, hops.last()?);
        Some(Self {
            head,
            asset_in: first.asset_in,
            amount_in: Integer(first.amount_in),
            asset_out: last.asset_out,
            amount_out: Integer(last.amount_out),
            price: ratio(last.amount_out, first.amount_in),
            price_impact: price_impact(hops),
            hops: hops.iter().map(HopReport::new).collect(),
        })
    }

    fn print(&self, printer: Printer) -> Result<()> {
        printer.answer(format_args!(
            "{} of asset {} for {} of asset {}, after transaction {}",
            self.amount_in.0, self.asset_in, self.amount_out.0, self.asset_out, self.head.tx_count
        ))?;
        for hop in &self.hops {
            printer.answer(format_args!(
                "  pool {}: {} of asset {} for {} of asset {}, fee {}%, price impact {:.4}%",
                hop.pool,
                hop.amount_in.0,
                hop.asset_in,
                hop.amount_out.0,
                hop.asset_out,
                ratio(hop.fee_millionths, 10_000).unwrap_or_default(),
                hop.price_impact * 100.0
            ))?;
        }
        let price = self.price.as_deref().unwrap_or("none");
        printer.answer(format_args!(
            "price {price}, price impact {:.4}%",
            self.price_impact * 100.0
        ))
    }
}

impl HopReport {
    fn new(hop: &Hop) -> Self {
        Self {
            pool: hop.pool,
            asset_in: hop.asset_in,
            amount_in: Integer(hop.amount_in),
            asset_out: hop.asset_out,
            amount_out: Integer(hop.amount_out),
            fee_millionths: hop.fee,
            price_impact: hop.price_impact(),
        }
    }
}
