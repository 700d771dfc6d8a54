//! The house as ARCHITECTURE.md shows it: which crate imports which, no circles among the modules
//! of a crate, files that fit a reader's patience.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 14] = [
    "protocol",
    "contracts",
    "executor",
    "store",
    "circuits",
    "recursion",
    "prover",
    "aggregator",
    "settlement",
    "submitter",
    "fleet",
    "cli",
    "benches",
    "examples/escrow",
];
/// The most lines of a file that is no test.
const MOST_LINES: usize = 600;
/// Lines from which a file is named.
const MANY_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crates of the workspace that each crate imports, tests apart.
fn imports(name: &str) -> BTreeSet<String> {
    let manifest: toml::Table = read(&root().join(name).join("Cargo.toml"))
        .parse()
        .expect("a manifest");
    let dependencies = manifest["dependencies"].as_table().expect("a table");
    let own = dependencies
        .keys()
        .filter_map(|key| key.strip_prefix("shardfold-"));
    own.map(str::to_owned).collect()
}

/// The column "may import" of ARCHITECTURE.md by crate, with "all above" spelled out.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = read(&root().join("ARCHITECTURE.md"));
    let mut above = BTreeSet::new();
    let mut table = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, folder, _, may_import, _] = cells.as_slice() else {
            continue;
        };
        let Some(name) = folder
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix("/`"))
        else {
            continue;
        };
        let names = match *may_import {
            "all above" => above.clone(),
            names => names.split(", ").map(str::to_owned).collect(),
        };
        above.insert(name.to_owned());
        table.insert(name.to_owned(), names);
    }
    table
}

#[test]
fn crates_import_what_the_architecture_says() {
    let allowed = allowed();
    for name in CRATES {
        let imports = imports(name);
        println!("{name}: {imports:?}");
        let allowed = allowed
            .get(name)
            .unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{name}/`"));
        let others: Vec<_> = imports.difference(allowed).collect();
        assert!(others.is_empty(), "{name} imports {others:?}");
    }
}

/// The source files of a crate that are no tests, by the path of their module.
fn modules(name: &str) -> BTreeMap<Vec<String>, String> {
    let sources = root().join(name).join("src");
    let mut modules = BTreeMap::new();
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if matches!(
                stem,
                None | Some("tests" | "testing" | "fixture" | "together")
            ) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inner = path
                    .strip_prefix(&sources)
                    .expect("below")
                    .with_extension("");
                let mut module: Vec<String> = inner
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned())
                    .collect();
                if module
                    .last()
                    .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
                {
                    module.pop();
                }
                modules.insert(module, read(&path));
            }
        }
    }
    modules
}

#[test]
fn files_fit_a_reader() {
    for name in CRATES {
        for (module, text) in modules(name) {
            let lines = text.lines().count();
            let place = format!("{name}: {}", module.join("::"));
            if lines > MANY_LINES {
                println!("{place} has {lines} lines");
            }
            assert!(lines <= MOST_LINES, "{place} has {lines} lines");
        }
    }
}

/// The only file that may have what the compiler does not check: its argument stands beside it.
const UNSAFE: [(&str, &str); 1] = [("recursion", "permutation::avx512")];

#[test]
fn unsafe_code_is_in_one_file() {
    let mut found = BTreeSet::new();
    for name in CRATES {
        for (module, text) in modules(name) {
            if text.contains("(unsafe_code)") {
                found.insert((name, module.join("::")));
            }
        }
    }
    let expected = UNSAFE.map(|(name, module)| (name, module.to_owned()));
    assert_eq!(found, BTreeSet::from(expected));
}

/// The paths that the `use` statements of a file name, from the crate's root.
fn used_paths(module: &[String], text: &str) -> Vec<Vec<String>> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let code: String = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let mut paths = Vec::new();
    for statement in code.split("use ").skip(1) {
        let tree = statement.split(';').next().unwrap_or_default();
        expand(tree.trim(), &[], &mut paths);
    }
    paths
        .into_iter()
        .filter_map(|path| from_root(module, &path))
        .collect()
}

/// Spells out the braces of a `use` statement.
fn expand(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let words = |text: &str| -> Vec<String> {
        let path = text.split(" as ").next().unwrap_or_default();
        path.split("::")
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let Some((before, rest)) = tree.split_once('{') else {
        paths.push([prefix, &words(tree)].concat());
        return;
    };
    let prefix = [prefix, &words(before)].concat();
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut start) = (0, 0);
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(inner[start..at].trim(), &prefix, paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = inner[start..].trim();
    if !last.is_empty() {
        expand(last, &prefix, paths);
    }
}

/// A path from the crate's root; `None` if it leads into another crate.
fn from_root(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?.as_str();
    let mut base = match first {
        "crate" => Vec::new(),
        "super" | "self" => module.to_vec(),
        _ => return None,
    };
    let mut rest = path;
    if first == "crate" {
        rest = &rest[1..];
    }
    while let Some(word) = rest
        .first()
        .filter(|word| ["super", "self"].contains(&word.as_str()))
    {
        if word == "super" {
            base.pop();
        }
        rest = &rest[1..];
    }
    Some([base.as_slice(), rest].concat())
}

/// What each module uses of the others; a module, those above it and those below it are one room.
fn graph(modules: &BTreeMap<Vec<String>, String>) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let mut graph = BTreeMap::new();
    for (module, text) in modules {
        let used = used_paths(module, text).into_iter().filter_map(|path| {
            let lengths = (0..=path.len()).rev();
            lengths
                .map(|length| path[..length].to_vec())
                .find(|prefix| modules.contains_key(prefix))
        });
        let others = used.filter(|other| !other.starts_with(module) && !module.starts_with(other));
        graph.insert(module.clone(), others.collect());
    }
    graph
}

/// Every module that can be reached from one.
fn reachable(
    graph: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
    from: &Vec<String>,
) -> BTreeSet<Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Vec<String>> = graph[from].iter().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module.clone()) {
            next.extend(&graph[module]);
        }
    }
    reached
}

#[test]
fn modules_have_no_circles() {
    let mut circles = Vec::new();
    for name in CRATES {
        let graph = graph(&modules(name));
        for module in graph.keys() {
            if reachable(&graph, module).contains(module) {
                circles.push(format!("{name}: {}", module.join("::")));
            }
        }
    }
    assert!(circles.is_empty(), "on a circle: {circles:#?}");
}

#[test]
fn a_circle_would_be_found() {
    let module = |name: &str, text: &str| (vec![name.to_owned()], text.to_owned());
    let modules = BTreeMap::from([
        module("a", "use super::b::{self, Thing};\n"),
        module("b", "use crate::c::{One, inner::{Two, Three}};\n"),
        module("c", "// use crate::b;\npub use crate::a::Four;\n"),
        module("d", "use crate::{a, c::One};\n"),
    ]);
    let graph = graph(&modules);
    let on_circle: Vec<_> = graph
        .keys()
        .filter(|module| reachable(&graph, module).contains(*module))
        .map(|module| module.join("::"))
        .collect();
    assert_eq!(on_circle, ["a", "b", "c"]);
}
