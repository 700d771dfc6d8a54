//! `params`: the parameters of a security profile and the bits that they give.

use crate::contracts;
use anyhow::Result;
use serde::Serialize;
use shardfold_prover::{ShardStark, Stark, data_stark};
use shardfold_recursion::config::StarkParameters;
use shardfold_recursion::plonk::PlonkParameters;
use shardfold_recursion::profile::Profile;
use shardfold_recursion::security::{Bits, plonk_bits, stark_bits};

use crate::args::ParamsArgs;
use crate::output::Printer;

#[cfg(test)]
mod tests;

/// The bits of a profile: of each shape's STARK, of that over data, and of each kind of circuit.
pub struct ProfileBits {
    /// By name.
    starks: Vec<(StarkKind, Bits)>,
    /// Of shard circuits and aggregations, of the last circuit, and of those of a settlement proof.
    circuits: Vec<(CircuitKind, Bits)>,
}

/// STARKs of one shape, or over data.
struct StarkKind {
    name: String,
    parameters: StarkParameters,
}

/// Circuits of one size and one set of parameters.
struct CircuitKind {
    name: &'static str,
    parameters: PlonkParameters,
    degree_bits: usize,
}

impl CircuitKind {
    fn all(profile: Profile) -> [Self; 6] {
        let kind = |name, parameters, degree_bits| Self {
            name,
            parameters,
            degree_bits,
        };
        [
            kind("plonky2", profile.plonk(), profile.degree_bits()),
            kind("last proof", profile.last(), profile.last_degree_bits()),
            kind("data proof", profile.plonk(), profile.data_degree_bits()),
            kind("joint proof", profile.joint(), profile.joint_degree_bits()),
            kind(
                "narrow proof",
                profile.narrow(),
                profile.narrow_degree_bits(),
            ),
            kind(
                "settlement proof",
                profile.outer(),
                profile.outer_degree_bits(),
            ),
        ]
    }
}

/// Computes the bits of a profile.
pub fn bits(profile: Profile) -> Result<ProfileBits> {
    let mut starks = Vec::new();
    let mut add = |name: String, stark: &Stark| {
        let parameters = *stark.parameters();
        let bits = stark_bits(&parameters, &stark.size());
        starks.push((StarkKind { name, parameters }, bits));
    };
    for shape in profile.shapes() {
        let stark = ShardStark::new(contracts(), *shape, profile.stark(shape))?;
        let name = format!("STARK, {} transactions", shape.transactions());
        add(name, stark.stark());
    }
    add("STARK over data".to_owned(), &data_stark(profile)?);
    Ok(ProfileBits {
        starks,
        circuits: CircuitKind::all(profile)
            .into_iter()
            .map(|kind| {
                let bits = plonk_bits(&kind.parameters, kind.degree_bits);
                (kind, bits)
            })
            .collect(),
    })
}

impl ProfileBits {
    /// Returns the proven bits of a batch: those of the weakest layer, each by unique decoding or
    /// by BCHKS25.
    pub fn proven(&self) -> f64 {
        self.weakest(Bits::proven)
    }

    /// Returns the conjectured bits of a batch.
    pub fn conjectured(&self) -> f64 {
        self.weakest(|bits| bits.conjectured.bits)
    }

    fn weakest(&self, figure: impl Fn(&Bits) -> f64) -> f64 {
        let starks = self.starks.iter().map(|(_, bits)| bits);
        let layers = starks.chain(self.circuits.iter().map(|(_, bits)| bits));
        layers.map(figure).fold(f64::INFINITY, f64::min)
    }
}

/// Runs the command.
pub fn run(args: &ParamsArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let profiles = match args.profile {
        Some(chosen) => vec![chosen.into()],
        None => Profile::ALL.to_vec(),
    };
    let mut reports = Vec::new();
    for profile in profiles {
        let report = Report::new(profile)?;
        report.print(printer);
        reports.push(report);
    }
    printer.object(&reports)
}

#[derive(Serialize)]
struct Report {
    profile: &'static str,
    /// Claimed: the weakest layer, each by unique decoding or by BCHKS25.
    proven_bits: f64,
    /// The same if BCHKS25 held as printed only.
    proven_bits_as_printed: f64,
    /// The same if DKT26 held.
    proven_bits_by_dkt26: f64,
    conjectured_bits: f64,
    layers: Vec<Layer>,
}

/// One layer: the STARK of a shape, or a kind of circuit.
#[derive(Serialize)]
struct Layer {
    layer: String,
    log_blowup: usize,
    queries: usize,
    grinding: Grinding,
    challenges: usize,
    unique_decoding_bits: f64,
    johnson_bits: f64,
    johnson_bits_as_printed: f64,
    johnson_bits_by_dkt26: f64,
    /// The better of unique decoding and BCHKS25, which is claimed.
    proven_bits: f64,
    /// The theorem that is claimed.
    theorem: String,
    /// The term that binds it.
    proven_by: &'static str,
    conjectured_bits: f64,
    conjectured_by: &'static str,
}

/// Bits of grinding by site.
#[derive(Serialize, Clone, Copy, Default)]
struct Grinding {
    queries: usize,
    batching: usize,
    folding: usize,
    point: usize,
    lookups: usize,
}

impl Grinding {
    /// In the order of the table's title.
    fn text(self) -> String {
        let Self {
            queries,
            batching,
            folding,
            point,
            lookups,
        } = self;
        format!("{queries}/{batching}/{folding}/{point}/{lookups}")
    }
}

impl Report {
    fn new(profile: Profile) -> Result<Self> {
        let bits = bits(profile)?;
        let starks = bits
            .starks
            .iter()
            .map(|(kind, bits)| Layer::of_stark(kind, bits));
        Ok(Self {
            profile: profile.name(),
            proven_bits: bits.proven(),
            proven_bits_as_printed: bits.weakest(Bits::proven_as_printed),
            proven_bits_by_dkt26: bits.weakest(Bits::proven_by_dkt26),
            conjectured_bits: bits.conjectured(),
            layers: starks
                .chain(
                    bits.circuits
                        .iter()
                        .map(|(kind, bits)| Layer::of_circuit(kind, bits)),
                )
                .collect(),
        })
    }

    fn print(&self, printer: Printer) {
        printer.line(format_args!(
            "{}: {:.1} bits proven (BCHKS25 as printed {:.1}, DKT26 {:.1}), {:.1} conjectured",
            self.profile,
            self.proven_bits,
            self.proven_bits_as_printed,
            self.proven_bits_by_dkt26,
            self.conjectured_bits
        ));
        printer.line(format_args!(
            "  {:<28} {:>7} {:>7} {:>14} {:>6} {:>7} {:>7} {:>6} {:>11}  {:<15}  bound by",
            "layer",
            "blow-up",
            "queries",
            "grinding",
            "unique",
            "BCHKS25",
            "printed",
            "DKT26",
            "conjectured",
            "proven by"
        ));
        for layer in &self.layers {
            printer.line(format_args!(
                "  {:<28} {:>7} {:>7} {:>14} {:>6.1} {:>7.1} {:>7.1} {:>6.1} {:>11.1}  {:<15}  {}",
                layer.layer,
                1 << layer.log_blowup,
                layer.queries,
                layer.grinding.text(),
                layer.unique_decoding_bits,
                layer.johnson_bits,
                layer.johnson_bits_as_printed,
                layer.johnson_bits_by_dkt26,
                layer.conjectured_bits,
                layer.theorem,
                layer.proven_by
            ));
        }
        printer.line(format_args!(
            "  grinding: bits before queries/batching/folding/out-of-domain point/lookups"
        ));
    }
}

impl Layer {
    fn of_stark(kind: &StarkKind, bits: &Bits) -> Self {
        let parameters = &kind.parameters;
        Self {
            layer: kind.name.clone(),
            log_blowup: parameters.log_blowup,
            queries: parameters.queries,
            grinding: Grinding {
                queries: parameters.query_grinding,
                batching: parameters.batch_grinding,
                folding: parameters.fold_grinding,
                point: parameters.point_grinding,
                lookups: parameters.lookup_grinding,
            },
            challenges: 1,
            ..Self::of(bits)
        }
    }

    fn of_circuit(kind: &CircuitKind, bits: &Bits) -> Self {
        let parameters = &kind.parameters;
        let grinding = parameters.grinding;
        Self {
            layer: format!("{}, 2^{} rows", kind.name, kind.degree_bits),
            log_blowup: parameters.log_blowup,
            queries: parameters.queries,
            grinding: Grinding {
                queries: parameters.query_grinding as usize,
                batching: grinding.batch as usize,
                folding: grinding.fold as usize,
                point: grinding.point as usize,
                lookups: 0,
            },
            challenges: parameters.challenges,
            ..Self::of(bits)
        }
    }

    fn of(bits: &Bits) -> Self {
        let (theorem, bound) = bits.claim();
        Self {
            layer: String::new(),
            log_blowup: 0,
            queries: 0,
            grinding: Grinding::default(),
            challenges: 0,
            unique_decoding_bits: bits.unique_decoding.bits,
            johnson_bits: bits.johnson.bits,
            johnson_bits_as_printed: bits.johnson_as_printed.bits,
            johnson_bits_by_dkt26: bits.johnson_dkt26.bits,
            proven_bits: bound.bits,
            theorem: theorem.to_string(),
            proven_by: bound.binding,
            conjectured_bits: bits.conjectured.bits,
            conjectured_by: bits.conjectured.binding,
        }
    }
}
