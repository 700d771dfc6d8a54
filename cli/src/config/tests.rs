//! Tests of what is configured where.

use std::collections::HashMap;

use clap::Parser;

use super::*;

/// A command line of `worker` alone.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    worker: WorkerArgs,
}

/// Flags, with no environment behind them.
fn flags(database: Option<&str>, config: Option<&Path>) -> FleetArgs {
    FleetArgs {
        database: database.map(str::to_owned),
        store: None,
        config: config.map(Path::to_owned),
    }
}

fn worker_flags(line: &[&str]) -> WorkerArgs {
    Line::parse_from([&["worker"], line].concat()).worker
}

/// Loads with these variables, and the default file looked for in `here`.
fn load(args: &FleetArgs, here: &Path, variables: &[(&str, &Path)]) -> Result<Config> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Config::load_from(args, here, &|name| {
        variables.get(name).map(|value| (*value).to_owned())
    })
}

fn folder_with(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::create_dir_all(folder_of(&path)).expect("a folder");
    fs::write(&path, text).expect("a file");
    (folder, path)
}

fn failure(text: &str) -> String {
    let (_folder, path) = folder_with("fleet.toml", text);
    let error = read(&path).expect_err("a bad file");
    format!("{error:#}")
}

#[test]
fn flags_go_before_the_file_and_the_file_before_defaults() {
    let (folder, path) = folder_with("fleet.toml", "database = 'postgres://db/fleet'");
    let home = ("HOME", folder.path());
    let from_file = load(&flags(None, Some(&path)), Path::new(""), &[home]).expect("config");
    assert_eq!(from_file.place.database, "postgres://db/fleet");
    let store = folder.path().join(".local/share/shardfold/objects");
    assert_eq!(Path::new(&from_file.place.store), store);
    let args = flags(Some("sqlite://x.db"), Some(&path));
    let from_flag = load(&args, Path::new(""), &[home]).expect("config");
    assert_eq!(from_flag.place.database, "sqlite://x.db");
}

#[test]
fn an_empty_variable_says_nothing() {
    let (folder, _) = folder_with("shardfold.toml", "database = 'sqlite://here.db'");
    let mut args = flags(Some(""), Some(Path::new("")));
    args.store = Some("objects".into());
    let config = load(&args, folder.path(), &[]).expect("config");
    assert_eq!(config.place.database, "sqlite://here.db");
}

#[test]
fn the_file_here_goes_before_the_one_in_the_home_folder() {
    let (home, at_home) = folder_with("shardfold/shardfold.toml", "database = 'sqlite://a.db'");
    let variables = [("XDG_CONFIG_HOME", home.path()), ("HOME", home.path())];
    let nowhere = Path::new("/nonexistent");
    let config = load(&flags(None, None), nowhere, &variables).expect("config");
    assert_eq!(config.place.database, "sqlite://a.db");
    let (here, _) = folder_with("shardfold.toml", "database = 'sqlite://b.db'");
    let config = load(&flags(None, None), here.path(), &variables).expect("config");
    assert_eq!(config.place.database, "sqlite://b.db");
    let config = load(&flags(None, Some(&at_home)), here.path(), &variables).expect("config");
    assert_eq!(config.place.database, "sqlite://a.db");
}

#[test]
fn a_named_file_must_be_there_and_a_default_one_need_not() {
    let missing = Path::new("/nonexistent/fleet.toml");
    let home = [("HOME", Path::new("/home/me"))];
    let error = load(&flags(None, Some(missing)), Path::new(""), &home).expect_err("no file");
    assert!(error.to_string().contains("/nonexistent/fleet.toml"));
    let here = Path::new("/nonexistent");
    assert!(load(&flags(None, None), here, &home).is_ok());
}

#[test]
fn defaults_are_in_the_data_folder_and_escaped() {
    let nowhere = Path::new("/nonexistent");
    let home = [("HOME", Path::new("/home/50% ?#"))];
    let place = load(&flags(None, None), nowhere, &home)
        .expect("config")
        .place;
    let escaped = "sqlite:///home/50%25 %3F%23/.local/share/shardfold/fleet.db";
    assert_eq!(place.database, escaped);
    assert_eq!(place.store, "/home/50% ?#/.local/share/shardfold/objects");
    let data = [
        ("XDG_DATA_HOME", Path::new("/data")),
        ("HOME", Path::new("/h")),
    ];
    let place = load(&flags(None, None), nowhere, &data)
        .expect("config")
        .place;
    assert_eq!(place.database, "sqlite:///data/shardfold/fleet.db");
    let error = load(&flags(None, None), nowhere, &[]).expect_err("no home");
    assert!(error.to_string().contains("--database"), "{error}");
}

#[test]
fn unknown_keys_are_errors_that_name_the_known_ones() {
    let text = failure("database = 'x'\ndatabse = 'y'\n");
    assert!(text.contains("line 2"), "{text}");
    assert!(text.contains("databse"), "{text}");
    for known in ["`database`", "`store`", "`worker`"] {
        assert!(text.contains(known), "{text}");
    }
    let text = failure("[worker]\nthread = 2\n");
    for known in [
        "key", "jobs", "kinds", "memory", "metrics", "profile", "cache", "drain",
    ] {
        assert!(text.contains(&format!("`{known}`")), "{text}");
    }
}

#[test]
fn bad_values_are_told_with_their_line() {
    for (value, says) in [
        ("jobs = 0", "nonzero"),
        (
            "kinds = ['shard', 'prove']",
            "there are shard, aggregate, finish",
        ),
        ("memory = 'lots'", "write 8G or 500M"),
        ("metrics = 'localhost'", "socket address"),
        ("profile = 'fast'", "proven-100"),
        ("drain = -1", "-1"),
    ] {
        let text = failure(&format!("[worker]\n{value}\n"));
        assert!(text.contains("line 2"), "{text}");
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_password_in_a_broken_file_is_not_printed() {
    for text in [
        "database = 'postgres://me:hunter2@db/fleet",
        "worker = 'postgres://me:hunter2@db/fleet'",
        "databse = 'postgres://me:hunter2@db/fleet'",
        "[worker]\nmemory = 'postgres://me:hunter2@db/fleet'",
    ] {
        let text = failure(text);
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn the_workers_flags_go_before_its_table() {
    let table = "\
[worker]
key = 'keys/worker.key'
jobs = 3
kinds = ['finish', 'aggregate', 'aggregate']
memory = '12G'
metrics = '127.0.0.1:9464'
profile = 'conjectured-100'
cache = '/cache'
drain = 30
";
    let (folder, path) = folder_with("fleet.toml", table);
    let home = ("HOME", folder.path());
    let load = |variables: &[_]| load(&flags(None, Some(&path)), Path::new(""), variables);
    let from_file = load(&[home])
        .and_then(|config| config.worker(&worker_flags(&[])))
        .expect("settings");
    assert_eq!(from_file.key, folder.path().join("keys/worker.key"));
    assert_eq!(from_file.jobs.get(), 3);
    assert_eq!(from_file.kinds, [Kind::Aggregate, Kind::Finish]);
    assert_eq!(from_file.memory, Some(12 << 30));
    assert_eq!(from_file.metrics, "127.0.0.1:9464".parse().ok());
    assert_eq!(from_file.profile, Profile::Conjectured100);
    assert_eq!(from_file.cache.cache, Some("/cache".into()));
    assert_eq!(from_file.drain, Duration::from_secs(30));
    let line = [
        "--key=other.key",
        "--jobs=1",
        "--kinds=shard,aggregate",
        "--memory=1G",
        "--profile=proven-100",
        "--drain=5",
    ];
    let variables = [home, ("SHARDFOLD_CACHE", Path::new("/other"))];
    let from_flags = load(&variables)
        .and_then(|config| config.worker(&worker_flags(&line)))
        .expect("settings");
    assert_eq!(from_flags.key, Path::new("other.key"));
    assert_eq!(from_flags.jobs.get(), 1);
    assert_eq!(from_flags.kinds, [Kind::Shard, Kind::Aggregate]);
    assert_eq!(from_flags.memory, Some(1 << 30));
    assert_eq!(from_flags.profile, Profile::Proven100);
    assert_eq!(from_flags.cache.cache, Some("/other".into()));
    assert_eq!(from_flags.drain, Duration::from_secs(5));
}

#[test]
fn a_worker_takes_all_kinds_but_needs_a_key() {
    let home = [("HOME", Path::new("/home/me"))];
    let load = || load(&flags(None, None), Path::new("/nonexistent"), &home).expect("config");
    let settings = load()
        .worker(&worker_flags(&["--key=worker.key"]))
        .expect("settings");
    assert_eq!(settings.kinds, Kind::ALL);
    assert_eq!(settings.profile, Profile::Proven100);
    let error = load().worker(&worker_flags(&[])).expect_err("no key");
    assert!(error.to_string().contains("--key"), "{error}");
}

#[test]
fn passwords_are_not_printed() {
    for (url, printed) in [
        (
            "postgres://me:hunter2@db/fleet",
            "postgres://me:***@db/fleet",
        ),
        (
            "postgres://me:h@un:t/er?2@db/fleet",
            "postgres://me:***@db/fleet",
        ),
        (
            "postgres://me@db/fleet?sslmode=verify-full",
            "postgres://me@db/fleet?sslmode=verify-full",
        ),
        (
            "postgres://db/fleet?password=hunter2&sslmode=require",
            "postgres://db/fleet?password=***&sslmode=require",
        ),
        (
            "s3://bucket/prefix?aws_secret_access_key=hunter2",
            "s3://bucket/prefix?aws_secret_access_key=***",
        ),
        ("postgres:me:hunter2@db", "postgres:***@db"),
        ("/var/lib/objects", "/var/lib/objects"),
        ("sqlite:///home/me/fleet.db", "sqlite:///home/me/fleet.db"),
    ] {
        assert_eq!(redact(url), printed);
    }
    let place = Place {
        database: "postgres://me:hunter2@db/fleet".into(),
        store: "s3://me:hunter2@bucket".into(),
    };
    assert!(!format!("{place:?}").contains("hunter2"));
}
