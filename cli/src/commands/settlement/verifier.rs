//! `verifier`: the contracts that verify settlement proofs on a chain.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;
use shardfold_recursion::profile::Profile;
use shardfold_settlement::verifier::{artefact, data_creations, data_hash};

use super::verify::keys;
use crate::args::VerifierArgs;
use crate::commands::{allow, profile};
use crate::output::{Places, Printer, warn};

/// More than the hexadecimal digits of a contract's code.
const CODE_BYTES: u64 = 1 << 17;

/// Runs the command.
pub fn verifier(args: &VerifierArgs) -> Result<()> {
    let printer = Printer::new(args.json);
    let wanted: Option<Profile> = match &args.key {
        Some(_) => None,
        None => Some(profile(args.profile, args.unsound)?),
    };
    let key = keys(args.key.as_deref())?
        .into_iter()
        .find(|key| wanted.is_none_or(|profile| key.profile() == profile))
        .context("this build holds no settlement key of the profile: name one with --key")?;
    allow(key.profile(), args.unsound)?;
    if key.profile() == Profile::UnsoundTest {
        warn(format_args!(
            "warning: the profile `unsound-test` proves nothing"
        ));
    }
    let data = key.verifier_data().context("the key makes no verifier")?;
    let [first, second] = data_creations(&data)?;
    let verifier = artefact()?.creation;
    fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", args.output.display()))?;
    let mut places = Places::new(args.key.clone());
    let codes: [(&str, &[u8]); 3] = [
        ("first.hex", &first),
        ("second.hex", &second),
        ("verifier.hex", &verifier),
    ];
    for (name, code) in codes {
        let output = places.output(&args.output.join(name), CODE_BYTES)?;
        output.write(format!("0x{}\n", hex::encode(code)).as_bytes())?;
    }
    let report = Report {
        key: hex::encode(key.id()),
        profile: key.profile().name(),
        data_bytes: data.len(),
        data_hash: data_hash(&data).to_string(),
    };
    printer.line(format_args!(
        "{}: the verifier of the settlement key {} ({}), data of {} bytes",
        args.output.display(),
        report.key,
        report.profile,
        report.data_bytes
    ));
    printer.line(format_args!("dataHash() {}", report.data_hash));
    printer.object(&report)
}

#[derive(Serialize)]
struct Report {
    /// Of the settlement key.
    key: String,
    profile: &'static str,
    data_bytes: usize,
    data_hash: String,
}
