//! Digests the code that determines the circuits: its tokens, without comments and tests.
//!
//! The build script includes this file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use sha2::{Digest as _, Sha256};

/// The code from which circuits are built, and that which says of which keys and arity; relative to
/// this crate.
pub const PLACES: [&str; 8] = [
    "src",
    "../aggregator/src",
    "../circuits/src",
    "../contracts/src",
    "../fleet/src/engine.rs",
    "../fleet/src/settling.rs",
    "../protocol/src",
    "../recursion/src",
];

/// Returns SHA-256 of the code in these folders and files, which are relative to `root`, and of
/// the locked versions of the libraries that prove.
///
/// # Errors
/// Fails if a file cannot be read, or a source file is not Rust.
pub fn digest(root: &Path, places: &[&str], lock: &str) -> io::Result<[u8; 32]> {
    let mut files = Vec::new();
    for place in places {
        collect(&root.join(place), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file);
        add(&name.to_string_lossy());
        add(&code(&fs::read_to_string(&file)?)?);
    }
    add(&libraries(lock)?);
    Ok(digest.finalize().into())
}

/// Adds a file, or all Rust files below a folder but those of tests.
fn collect(place: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if place.is_file() {
        files.push(place.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        if matches!(name, Some("tests" | "testing")) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns the tokens of a source file without comments, documentation and tests.
fn code(source: &str) -> io::Result<String> {
    let tokens =
        TokenStream::from_str(source).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(strip(tokens)?.to_string())
}

/// Removes documentation, and modules under `#[cfg(test)]`, at every depth.
///
/// # Errors
/// Fails if something else than a module stands under `#[cfg(test)]`: where it ends depends on
/// what it is, and code after it must not be taken for a test.
fn strip(tokens: TokenStream) -> io::Result<TokenStream> {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let TokenTree::Group(group) = token else {
            kept.push(token);
            continue;
        };
        let text = group.stream().to_string().replace(' ', "");
        let is_attribute = group.delimiter() == Delimiter::Bracket && ends_in_hash(&kept);
        if is_attribute && (text.starts_with("doc=") || text == "cfg(test)") {
            while ends_in_hash(&kept) || ends_in(&kept, '!') {
                kept.pop();
            }
            if text == "cfg(test)" {
                skip_module(&mut tokens)?;
            }
            continue;
        }
        kept.push(Group::new(group.delimiter(), strip(group.stream())?).into());
    }
    Ok(kept.into_iter().collect())
}

/// Skips `[pub [(crate)]] mod NAME;` or `[pub [(crate)]] mod NAME { ... }`.
fn skip_module(tokens: &mut impl Iterator<Item = TokenTree>) -> io::Result<()> {
    let mut header = String::new();
    for token in tokens.by_ref() {
        header += &token.to_string();
        match token {
            TokenTree::Ident(word) if word == "mod" => {
                let is_end = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    _ => false,
                };
                return match tokens.find(is_end) {
                    Some(_) => Ok(()),
                    None => Err(io::Error::other("a module under cfg(test) does not end")),
                };
            }
            TokenTree::Ident(word) if word == "pub" => {}
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {}
            _ => break,
        }
    }
    Err(io::Error::other(format!(
        "found `{header}` under cfg(test), expected a module: other code cannot be told from what \
         determines the circuits"
    )))
}

fn ends_in(tokens: &[TokenTree], character: char) -> bool {
    matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Whether the next group is an attribute: `#[...]` or `#![...]`.
fn ends_in_hash(tokens: &[TokenTree]) -> bool {
    let before = match tokens {
        [before @ .., _] if ends_in(tokens, '!') => before,
        _ => tokens,
    };
    ends_in(before, '#')
}

/// Returns the names, versions and checksums of plonky2 and Plonky3 in a `Cargo.lock`.
///
/// # Errors
/// Fails if it names neither: then it was not understood.
fn libraries(lock: &str) -> io::Result<String> {
    let lock = lock.replace("\r\n", "\n");
    let packages = lock.split("[[package]]\n").skip(1);
    let proving = packages.filter(|package| {
        package.starts_with("name = \"plonky2") || package.starts_with("name = \"p3-")
    });
    let identified = proving.flat_map(|package| package.lines().take(4));
    let text = identified.fold(String::new(), |text, line| text + line + "\n");
    if text.is_empty() {
        return Err(io::Error::other("Cargo.lock names no proving library"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"p3-air\"\nversion = \"1\"\n";
    const SOURCE: &str = "//! Module.\n/// Says.\npub fn add(a: u8) -> u8 { a + 1 }\n";

    #[test]
    fn comments_and_tests_leave_the_code_as_it_is() {
        let plain = code(SOURCE).unwrap();
        let edited = [
            "//! Another module.\n//! Of two lines.\npub fn add(a: u8) -> u8 { a + 1 }\n"
                .to_owned(),
            SOURCE.replace("a + 1", "a + /* one */ 1 // more\n"),
            format!("{SOURCE}#[cfg(test)]\nmod tests {{ fn checks() {{}} }}\n"),
            format!("#[cfg(test)]\npub(crate) mod testing;\n{SOURCE}"),
            SOURCE.replace("{ a", "{\n        /// Inner.\n        a"),
        ];
        for source in edited {
            assert_eq!(code(&source).unwrap(), plain, "{source}");
        }
    }

    /// Whatever is kept in the cache is written where an edit is seen, with its whole crate.
    #[test]
    fn the_code_of_every_cached_circuit_is_looked_at() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let seen = PLACES.map(|place| fs::canonicalize(root.join(place)).unwrap());
        let mut circuits = 0;
        for folder in fs::read_dir(root.join("..")).unwrap() {
            let sources = folder.unwrap().path().join("src");
            let mut files = vec![];
            if sources.is_dir() {
                collect(&sources, &mut files).unwrap();
            }
            let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
            let cached = texts
                .filter(|text| text.contains("\nimpl Cached for "))
                .count();
            circuits += cached;
            if cached > 0 {
                assert!(
                    seen.contains(&fs::canonicalize(&sources).unwrap()),
                    "{sources:?}"
                );
            }
        }
        assert!(circuits >= 3, "found {circuits}");
    }

    #[test]
    fn an_edit_of_the_code_is_seen() {
        let plain = code(SOURCE).unwrap();
        let edited = [
            SOURCE.replace("a + 1", "a + 2"),
            SOURCE.replace("add", "sum"),
            format!("#[cfg(unix)]\n{SOURCE}"),
            format!("{SOURCE}#[cfg(test)]\nmod tests {{}}\nconst SIZE: u8 = 1;"),
            format!("{SOURCE}#[cfg(test)]\nmod testing;\nmod more {{}}"),
        ];
        for source in edited {
            assert_ne!(code(&source).unwrap(), plain, "{source}");
        }
    }

    #[test]
    fn only_the_proving_libraries_of_a_lock_file_count() {
        let package = |name: &str, version: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\n\
                 checksum = \"00\"\ndependencies = [\n \"anyhow\",\n]\n\n"
            )
        };
        let lock = |p3: &str, serde: &str| package("p3-air", p3) + &package("serde", serde);
        let of = |p3: &str, serde: &str| libraries(&lock(p3, serde)).unwrap();
        assert_eq!(of("1", "1"), of("1", "2"));
        assert_ne!(of("1", "1"), of("2", "1"));
        let windows = lock("1", "1").replace('\n', "\r\n");
        assert_eq!(libraries(&windows).unwrap(), of("1", "1"));
        assert!(libraries("").is_err());
    }

    #[test]
    fn only_modules_may_be_tests() {
        for item in [
            "use a::{b};",
            "const SIZE: u8 = 1;",
            "fn f() {}",
            "field: u8, other: u8",
        ] {
            assert!(
                code(&format!("#[cfg(test)]\n{item}\n{SOURCE}")).is_err(),
                "{item}"
            );
        }
    }

    #[test]
    fn a_folder_counts_but_for_its_tests() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        let digest = || digest(root.path(), &["chip"], LOCK).unwrap();
        fs::create_dir_all(root.path().join("chip/tests")).unwrap();
        write("chip/air.rs", SOURCE);
        write("chip/README.md", "words");
        write("chip/tests/cheats.rs", SOURCE);
        let before = digest();
        write("chip/README.md", "other words");
        write("chip/tests/cheats.rs", "");
        write("chip/tests.rs", SOURCE);
        assert_eq!(digest(), before);
        write("chip/trace.rs", SOURCE);
        assert_ne!(digest(), before);
    }
}
