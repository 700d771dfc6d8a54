//! Digests the code that determines the circuits: its tokens, without comments and tests.
//!
//! The build script includes this file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use sha2::{Digest as _, Sha256};

/// Returns SHA-256 of the code in these folders, which are relative to `root`, and of the
/// locked versions of the libraries that prove.
///
/// # Errors
/// Fails if a file cannot be read, or a source file is not Rust.
pub fn digest(root: &Path, folders: &[&str], lock: &str) -> io::Result<[u8; 32]> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut files)?;
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
    add(&libraries(lock));
    Ok(digest.finalize().into())
}

/// Adds all Rust files below a folder but those of tests.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
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
    Ok(strip(tokens).to_string())
}

/// Removes documentation, and items under `#[cfg(test)]`, at every depth.
fn strip(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
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
                let is_end = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    _ => false,
                };
                // The item that follows, up to its body or semicolon.
                let _ = tokens.by_ref().find(is_end);
            }
            continue;
        }
        kept.push(Group::new(group.delimiter(), strip(group.stream())).into());
    }
    kept.into_iter().collect()
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
fn libraries(lock: &str) -> String {
    let packages = lock.split("[[package]]\n").skip(1);
    let proving = packages.filter(|package| {
        package.starts_with("name = \"plonky2") || package.starts_with("name = \"p3-")
    });
    let identified = proving.flat_map(|package| package.lines().take(4));
    identified.fold(String::new(), |text, line| text + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::{code, digest, libraries};
    use std::fs;

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
        assert_eq!(libraries(&lock("1", "1")), libraries(&lock("1", "2")));
        assert_ne!(libraries(&lock("1", "1")), libraries(&lock("2", "1")));
    }

    #[test]
    fn a_folder_counts_but_for_its_tests() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        let digest = || digest(root.path(), &["chip"], "").unwrap();
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
