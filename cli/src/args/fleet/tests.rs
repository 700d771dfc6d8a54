//! Tests of the fleet's command lines.

use clap::{CommandFactory, Parser};

use super::*;

#[derive(Parser, Debug)]
struct Line {
    #[command(subcommand)]
    command: FleetCommand,
}

fn parse(line: &str) -> Result<FleetCommand, clap::Error> {
    Line::try_parse_from(std::iter::once("shardfold").chain(line.split(' ')))
        .map(|line| line.command)
}

#[test]
fn the_command_lines_are_well_formed() {
    Line::command().debug_assert();
}

#[test]
fn the_examples_in_the_help_are_understood() {
    let mut examples = 0;
    for command in Line::command().get_subcommands() {
        let help = command.get_after_help().expect("an example").to_string();
        for line in help.lines().filter_map(|l| l.strip_prefix("  shardfold ")) {
            // Of a command in a command the outer one is looked at.
            let line = match (line.find("$("), line.rfind(')')) {
                (Some(start), Some(end)) => format!("{}3f9a{}", &line[..start], &line[end + 1..]),
                _ => line.to_owned(),
            };
            let parsed = parse(&line);
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
            examples += 1;
        }
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn an_id_may_be_shortened_but_must_be_hexadecimal() {
    let FleetCommand::Explain(args) = parse("explain 3F9a").expect("an id") else {
        panic!("another command");
    };
    assert_eq!(args.job, "3f9a");
    for id in ["", "batch.bin", &"a".repeat(65)] {
        let error = parse(&format!("cancel {id}")).expect_err("no id");
        assert!(error.to_string().contains("1 to 64"), "{error}");
    }
}

#[test]
fn kinds_are_listed_with_commas_and_checked() {
    let FleetCommand::Worker(args) = parse("worker --kinds aggregate,finish").expect("kinds")
    else {
        panic!("another command");
    };
    assert_eq!(args.kinds, [Kind::Aggregate, Kind::Finish]);
    let error = parse("worker --kinds fold,prove").expect_err("no kind");
    assert!(
        error.to_string().contains("shard, aggregate, finish"),
        "{error}"
    );
    let FleetCommand::Worker(args) = parse("worker --kinds fold").expect("the old name") else {
        panic!("another command");
    };
    assert_eq!(args.kinds, [Kind::Aggregate]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "worker --jobs 0",
        "worker --lease 1",
        "worker --metrics 9464",
        "fetch 3f9a",
        "register alpha",
        "dashboard --listen here",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn help_and_debug_output_keep_urls_to_themselves() {
    let url = "postgres://me:hunter2@db/fleet";
    let command = parse(&format!("status --database {url}")).expect("a URL");
    assert!(!format!("{command:?}").contains("hunter2"));
    for command in Line::command().get_subcommands_mut() {
        let arguments = command.get_arguments();
        for argument in arguments.filter(|a| a.get_id() == "database" || a.get_id() == "store") {
            assert!(argument.is_hide_env_values_set(), "{argument}");
        }
    }
}
