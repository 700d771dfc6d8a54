//! Transactions a second as a plot.

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Measured;
use crate::measure::Variant;
use crate::tables::name;

const PIXELS: (u32, u32) = (960, 480);
/// The part of a workload's place that bars take.
const FILLED: f64 = 0.8;
/// What the executor is meant to reach.
const GOAL: f64 = 100_000.0;

/// One group of bars for each workload, one bar for each executor and number of threads.
pub fn svg(measured: &[Measured]) -> anyhow::Result<String> {
    let mut text = String::new();
    draw(&mut text, measured).map_err(|error| anyhow!("cannot plot: {error}"))?;
    Ok(text)
}

fn draw(text: &mut String, measured: &[Measured]) -> Result<(), Box<dyn std::error::Error>> {
    let all = measured.iter().flat_map(rates);
    let top = all.map(|(_, rate)| rate).fold(GOAL, f64::max) * 1.3;
    let font = ("sans-serif", 16);
    let root = SVGBackend::with_string(text, PIXELS).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .y_label_area_size(84)
        // Space for the names below zero.
        .build_cartesian_2d(0.0..measured.len() as f64, -0.06 * top..top)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .y_desc("transactions a second")
        .label_style(font)
        .y_label_formatter(&|value| format!("{value:.0}"))
        .x_labels(0)
        .draw()?;
    let goal = [(0.0, GOAL), (measured.len() as f64, GOAL)];
    chart.draw_series([PathElement::new(goal, BLACK)])?;
    let count = measured
        .first()
        .map_or(0, |workload| workload.timings.len());
    for number in 0..count {
        let color = Palette99::pick(number).mix(0.8);
        let bars = measured.iter().enumerate().filter_map(|(place, workload)| {
            let (_, rate) = rates(workload).nth(number)?;
            let width = FILLED / count as f64;
            let left = place as f64 + (1.0 - FILLED) / 2.0 + number as f64 * width;
            Some(Rectangle::new(
                [(left, 0.0), (left + width, rate)],
                color.filled(),
            ))
        });
        let variant = measured.first().and_then(|w| rates(w).nth(number));
        let label = variant.map_or_else(String::new, |(variant, _)| label(variant));
        chart
            .draw_series(bars)?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], color.filled()));
    }
    let center = Pos::new(HPos::Center, VPos::Top);
    let style = font.into_text_style(&root).pos(center);
    chart.draw_series(measured.iter().enumerate().map(|(place, workload)| {
        let at = (place as f64 + 0.5, -0.015 * top);
        Text::new(workload.name.clone(), at, style.clone())
    }))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font(font)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    drop(chart);
    root.present()?;
    Ok(())
}

/// Transactions a second of each variant.
fn rates(workload: &Measured) -> impl Iterator<Item = (Variant, f64)> {
    let rate = |took: f64| workload.transactions as f64 / took;
    let timings = workload.timings.iter();
    timings.map(move |(variant, timing)| (*variant, rate(timing.total().as_secs_f64())))
}

fn label(Variant { mode, threads }: Variant) -> String {
    let plural = if threads == 1 { "" } else { "s" };
    format!("{}, {threads} thread{plural}", name(mode))
}
