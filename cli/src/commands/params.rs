//! `params`: the parameters of a security profile and the bits that they give.

use anyhow::Result;
use serde::Serialize;
use shardfold_protocol::shape::Shape;
use shardfold_prover::ShardStark;
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::{Bits, plonk_bits, stark_bits};

use super::profile;
use crate::args::ParamsArgs;
use crate::output::Say;

/// The degree of plonky2 circuit for which the bits are stated. Circuits of more rows are
/// not built if the promise of the profile would be broken.
const PLONK_DEGREE_BITS: usize = 16;

/// The bits of a profile: of each shape's STARK, of plonky2, and the weakest of all.
pub struct ProfileBits {
    /// By shape.
    pub starks: Vec<(Shape, Bits)>,
    /// Of shard circuits and folds.
    pub plonk: Bits,
    /// The weakest figures.
    pub total: Bits,
}

/// Computes the bits of a profile whose circuits have `2^degree_bits` rows.
pub fn bits(profile: Profile, degree_bits: usize) -> Result<ProfileBits> {
    let plonk = plonk_bits(&profile.plonk(), degree_bits);
    let mut total = plonk.clone();
    let mut starks = Vec::new();
    for shape in profile.shapes() {
        let stark = ShardStark::new(*shape, profile.stark(shape))?;
        let bits = stark_bits(stark.parameters(), &stark.size());
        total = total.weaker(&bits);
        starks.push((*shape, bits));
    }
    Ok(ProfileBits {
        starks,
        plonk,
        total,
    })
}

/// Runs the command.
pub fn run(args: &ParamsArgs) -> Result<()> {
    let say = Say::new(args.json);
    let profiles = match args.profile {
        Some(chosen) => vec![profile(chosen)],
        None => Profile::ALL.to_vec(),
    };
    let mut reports = Vec::new();
    for profile in profiles {
        let report = Report::new(profile)?;
        report.say(say);
        reports.push(report);
    }
    say.object(&reports)
}

#[derive(Serialize)]
struct Report {
    profile: &'static str,
    proven_bits: f64,
    conjectured_bits: f64,
    layers: Vec<Layer>,
}

/// One layer: the STARK of a shape, or plonky2.
#[derive(Serialize)]
struct Layer {
    layer: String,
    log_blowup: usize,
    queries: usize,
    query_grinding: usize,
    other_grinding: usize,
    challenges: usize,
    unique_decoding_bits: f64,
    johnson_bits: f64,
    proven_by: &'static str,
    conjectured_bits: f64,
    conjectured_by: &'static str,
}

impl Report {
    fn new(profile: Profile) -> Result<Self> {
        let bits = bits(profile, PLONK_DEGREE_BITS)?;
        let starks = bits.starks.iter().map(|(shape, bits)| {
            let parameters = profile.stark(shape);
            Layer {
                layer: format!("STARK, {} transactions", shape.transactions()),
                log_blowup: parameters.log_blowup,
                queries: parameters.queries,
                query_grinding: parameters.query_grinding,
                other_grinding: parameters.fold_grinding,
                challenges: 1,
                ..Layer::of(bits)
            }
        });
        let plonk = profile.plonk();
        let plonk = Layer {
            layer: format!("plonky2, 2^{PLONK_DEGREE_BITS} rows"),
            log_blowup: plonk.log_blowup,
            queries: plonk.queries,
            query_grinding: plonk.grinding as usize,
            other_grinding: 0,
            challenges: plonk.challenges,
            ..Layer::of(&bits.plonk)
        };
        Ok(Self {
            profile: profile.name(),
            proven_bits: bits.total.proven(),
            conjectured_bits: bits.total.conjectured,
            layers: starks.chain([plonk]).collect(),
        })
    }

    fn say(&self, say: Say) {
        say.line(format_args!(
            "{}: {:.1} bits proven, {:.1} conjectured",
            self.profile, self.proven_bits, self.conjectured_bits
        ));
        say.line(format_args!(
            "  {:<28} {:>8} {:>8} {:>9} {:>8} {:>8} {:>12}",
            "layer", "blow-up", "queries", "grinding", "unique", "Johnson", "conjectured"
        ));
        for layer in &self.layers {
            say.line(format_args!(
                "  {:<28} {:>8} {:>8} {:>9} {:>8.1} {:>8.1} {:>12.1}",
                layer.layer,
                1 << layer.log_blowup,
                layer.queries,
                format!("{}/{}", layer.query_grinding, layer.other_grinding),
                layer.unique_decoding_bits,
                layer.johnson_bits,
                layer.conjectured_bits
            ));
        }
    }
}

impl Layer {
    fn of(bits: &Bits) -> Self {
        Self {
            layer: String::new(),
            log_blowup: 0,
            queries: 0,
            query_grinding: 0,
            other_grinding: 0,
            challenges: 0,
            unique_decoding_bits: bits.unique_decoding,
            johnson_bits: bits.johnson,
            proven_by: bits.proven_binding,
            conjectured_bits: bits.conjectured,
            conjectured_by: bits.conjectured_binding,
        }
    }
}
