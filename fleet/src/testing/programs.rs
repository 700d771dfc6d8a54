//! Programs of PostgreSQL for tests, here and of the command (`cli/tests/cli/fleet`).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Gives a folder to the user who runs the server.
pub fn give(folder: &Path) {
    if let Some((user, group)) = owner() {
        chown(folder, Some(user), Some(group)).expect("root may");
    }
}

/// A program that runs in a folder, by the user who runs the server.
pub fn as_owner(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = match owner() {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={user}"))
                .arg(format!("--regid={group}"))
                .arg("--clear-groups")
                .arg(program);
            command
        }
    };
    command.current_dir(folder);
    command
}

/// PostgreSQL does not run as root: the user and group of Debian's package, or else nobody's.
fn owner() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").expect("this is Linux").uid();
    if own != 0 {
        return None;
    }
    let mut users = ["postgres", "nobody"].into_iter();
    let owner = users.find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
    assert!(owner.is_some(), "found no user postgres or nobody");
    owner
}

/// What `id` prints.
fn id(option: &str, user: &str) -> Option<u32> {
    let output = Command::new("id").args([option, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A program of the newest version that Debian's packages have put beside the search path, or
/// else of that path.
pub fn find(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .map(|version| (version, format!("/usr/lib/postgresql/{version}/bin/{name}")))
        .filter(|(_, path)| Path::new(path).exists())
        .max();
    if let Some((_, path)) = newest {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "found no {name} in /usr/lib/postgresql or on the search path: these tests need \
             PostgreSQL, Debian's package `postgresql`"
        )
    })
}
