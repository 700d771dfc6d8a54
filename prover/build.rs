//! Digests the code that determines the circuits, so that circuits cached by one version of
//! the code are never used by another.

#[path = "src/cache/code.rs"]
mod code;

use std::fs;
use std::io;
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let lock = root.join("../Cargo.lock");
    for path in code::PLACES.into_iter().chain(["../Cargo.lock"]) {
        println!("cargo:rerun-if-changed={path}");
    }
    let digest = code::digest(&root, &code::PLACES, &fs::read_to_string(lock)?)?;
    println!(
        "cargo:rustc-env=SHARDFOLD_CODE_DIGEST={}",
        hex::encode(digest)
    );
    Ok(())
}
