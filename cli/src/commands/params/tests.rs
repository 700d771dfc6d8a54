//! The tables of `docs/security.md` are those that this code makes. With `SHARDFOLD_BLESS=1`
//! they are written anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contracts;
use shardfold_recursion::plonk::PlonkParameters;
use shardfold_recursion::security::StarkSize;
use shardfold_recursion::security::plonk::base_field_bits;

use super::*;

/// The profiles that claim something.
const CLAIMED: [Profile; 2] = [Profile::Proven100, Profile::Conjectured100];

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security.md")
}

/// The text with what stands between the markers of this name replaced. Panics if they are
/// not there.
fn with_table(text: &str, name: &str, table: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).expect("the marker starts");
    let (_, after) = rest.split_once(&end).expect("the marker ends");
    format!("{before}{start}\n{table}\n{end}{after}")
}

fn table(titles: &str, rows: impl IntoIterator<Item = String>) -> String {
    let columns = titles.matches('|').count() - 1;
    let mut text = format!("{titles}\n|{}\n", " --- |".repeat(columns));
    for row in rows {
        text += &row;
        text += "\n";
    }
    text
}

fn figures() -> String {
    let rows = CLAIMED.into_iter().flat_map(|profile| {
        let report = Report::new(profile).expect("the parameters are sound");
        let total = format!(
            "| **{}** | | | | | **{:.1}** | {:.1} | {:.1} | **{:.1}** | |",
            report.profile,
            report.proven_bits,
            report.proven_bits_as_printed,
            report.proven_bits_by_dkt26,
            report.conjectured_bits
        );
        [total]
            .into_iter()
            .chain(report.layers.iter().map(row))
            .collect::<Vec<_>>()
    });
    table(
        "| layer | blow-up | queries | grinding | unique decoding | BCHKS25 | BCHKS25 as printed | \
         DKT26 | conjectured | claimed; bound by |",
        rows,
    )
}

fn row(layer: &Layer) -> String {
    format!(
        "| {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {}; {} |",
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
    )
}

fn sizes() -> String {
    let profile = Profile::Proven100;
    let rows = profile.shapes().iter().map(|shape| {
        let stark =
            ShardStark::new(contracts(), *shape, profile.stark(shape)).expect("a known shape");
        let StarkSize {
            log_height,
            batched_openings,
            constraints,
            constraint_degree,
            messages,
            message_width,
        } = stark.stark().size();
        format!(
            "| {} | 2^{log_height} | {batched_openings} | {constraints} | {constraint_degree} | \
             {messages} | {message_width} |",
            shape.transactions()
        )
    });
    table(
        "| transactions | tallest table | openings | constraints | their degree | messages | \
         elements of the widest |",
        rows,
    )
}

fn challenges() -> String {
    let rows = [1, 2, 3].map(|challenges| {
        let parameters = PlonkParameters {
            challenges,
            ..Profile::Proven100.plonk()
        };
        let (copies, constraints) = base_field_bits(&parameters, Profile::Proven100.degree_bits());
        format!("| {challenges} | {copies:.1} | {constraints:.1} |")
    });
    table(
        "| challenges | copy constraints | combination of constraints |",
        rows,
    )
}

fn default_of_plonky2() -> String {
    let parameters = PlonkParameters {
        challenges: 2,
        queries: 28,
        query_grinding: 16,
        grinding: shardfold_recursion::plonk::Grinding::default(),
        ..PlonkParameters::PROVEN_100
    };
    let bits = plonk_bits(&parameters, Profile::Proven100.degree_bits());
    let row = format!(
        "| {} | {} | {:.1} | {:.1} | {:.1} |",
        parameters.queries,
        parameters.challenges,
        bits.unique_decoding.bits,
        bits.johnson.bits,
        bits.conjectured.bits
    );
    table(
        "| queries | challenges | unique decoding | BCHKS25 | conjectured |",
        [row],
    )
}

#[test]
fn the_figures_of_the_document_are_those_of_the_code() {
    let path = document();
    let found = fs::read_to_string(&path).expect("the document is there");
    let tables = [
        ("figures", figures()),
        ("sizes", sizes()),
        ("challenges", challenges()),
        ("plonky2's default", default_of_plonky2()),
    ];
    let expected = tables.iter().fold(found.clone(), |text, (name, table)| {
        with_table(&text, name, table)
    });
    if std::env::var_os("SHARDFOLD_BLESS").is_some() {
        fs::write(&path, &expected).expect("the document can be written");
        return;
    }
    assert!(
        found == expected,
        "docs/security.md is not what the code computes; run this test with SHARDFOLD_BLESS=1. \
         Expected:\n{expected}"
    );
}

#[test]
fn every_layer_and_shape_of_proven_100_keeps_100_bits_by_the_named_theorem() {
    let report = Report::new(Profile::Proven100).unwrap();
    assert_eq!(report.layers.len(), Profile::Proven100.shapes().len() + 7);
    for layer in &report.layers {
        let claimed = match layer.theorem.as_str() {
            "unique decoding" => layer.unique_decoding_bits,
            "BCHKS25" => layer.johnson_bits,
            other => panic!("{other} is no theorem"),
        };
        assert!(claimed >= 100.0, "{}: {claimed}", layer.layer);
        // At the least multiplicity the two readings differ by the radius alone: by nothing.
        assert!(layer.johnson_bits_as_printed <= layer.johnson_bits + 0.001);
        // The newer theorem gives more, until the lookups bind, charged for its largest list.
        assert!(layer.johnson_bits_by_dkt26 >= layer.johnson_bits.min(100.0));
    }
    assert!(report.proven_bits >= 100.0);
}
