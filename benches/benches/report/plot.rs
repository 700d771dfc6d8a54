//! Seconds by stage as a plot.

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Measured;
use crate::page::STAGES;

const WIDTH: u32 = 960;
/// Of a bar and the space around it.
const HEIGHT: u32 = 56;
/// The part of a bar's place that it takes.
const FILLED: f64 = 0.7;

/// A bar for each batch, cut by stage, as parts of the whole.
pub fn svg(measured: &[Measured]) -> anyhow::Result<String> {
    let mut text = String::new();
    draw(&mut text, measured).map_err(|error| anyhow!("cannot plot: {error}"))?;
    Ok(text)
}

fn draw(text: &mut String, measured: &[Measured]) -> Result<(), Box<dyn std::error::Error>> {
    let count = measured.len() as f64;
    let font = ("sans-serif", 16);
    let height = HEIGHT * u32::try_from(measured.len())? + 120;
    let root = SVGBackend::with_string(text, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(32)
        // The names stand left of zero, the legend right of all bars.
        .build_cartesian_2d(-0.27..1.35, 0.0..count)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .disable_y_axis()
        .x_desc("part of all stages' seconds")
        .x_labels(0)
        .label_style(font)
        .draw()?;
    for (number, (key, label)) in STAGES.iter().enumerate() {
        let color = Palette99::pick(number).mix(0.8);
        let bars = measured.iter().enumerate().map(|(place, one)| {
            let (from, to) = part(one, number, key);
            let bottom = count - 1.0 - place as f64 + (1.0 - FILLED) / 2.0;
            Rectangle::new([(from, bottom), (to, bottom + FILLED)], color.filled())
        });
        chart
            .draw_series(bars)?
            .label(*label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], color.filled()));
    }
    let style = font
        .into_text_style(&root)
        .pos(Pos::new(HPos::Right, VPos::Center));
    chart.draw_series(measured.iter().enumerate().map(|(place, one)| {
        let label = format!("{}, {:.0} s", one.name, one.run.summary.seconds);
        let middle = count - 0.5 - place as f64;
        Text::new(label, (-0.01, middle), style.clone())
    }))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .label_font(font)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    drop(chart);
    root.present()?;
    Ok(())
}

/// Where a stage's part of a bar begins and ends.
fn part(one: &Measured, number: usize, key: &str) -> (f64, f64) {
    let stages = &one.run.summary.stages;
    let seconds = |key: &str| stages.get(key).copied().unwrap_or(0.0);
    let all: f64 = STAGES.iter().map(|(key, _)| seconds(key)).sum();
    let before: f64 = STAGES[..number].iter().map(|(key, _)| seconds(key)).sum();
    (before / all, (before + seconds(key)) / all)
}
