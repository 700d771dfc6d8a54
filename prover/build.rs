//! Digests the sources that determine the circuits, so that circuits cached by one version of
//! the code are never used by another.

use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut files = Vec::new();
    for folder in [
        "src",
        "../aggregator/src",
        "../circuits/src",
        "../protocol/src",
        "../recursion/src",
    ] {
        println!("cargo:rerun-if-changed={folder}");
        collect(&root.join(folder), &mut files)?;
    }
    println!("cargo:rerun-if-changed=../Cargo.lock");
    files.push(root.join("../Cargo.lock"));
    files.sort();

    let mut digest = Sha256::new();
    for file in files {
        let content = fs::read(&file)?;
        let name = file
            .strip_prefix(&root)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        for part in [name.as_bytes(), &content] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    println!(
        "cargo:rustc-env=SHARDFOLD_SOURCE_DIGEST={}",
        hex::encode(digest.finalize())
    );
    Ok(())
}

/// All Rust files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
