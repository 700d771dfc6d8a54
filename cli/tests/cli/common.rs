//! A folder to work in, and the command started in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The profile of every proof here.
pub const PROFILE: &str = "unsound-test";

/// The variable without which nothing is proven or verified in that profile.
pub const ALLOW_UNSOUND: &str = "SHARDFOLD_ALLOW_UNSOUND";
/// The exit codes, as `shardfold --help` says.
pub const INVALID: i32 = 1;
pub const USAGE: i32 = 2;
pub const CANNOT: i32 = 3;

/// Where all tests keep their circuits, built once.
pub fn cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("circuits");
        let built = Command::new(env!("CARGO_BIN_EXE_shardfold"))
            .args(["setup", "--profile", PROFILE, "--cache"])
            .arg(&cache)
            .env(ALLOW_UNSOUND, "1")
            .output()
            .expect("the binary starts");
        assert!(built.status.success(), "setup failed: {built:?}");
        cache
    })
}

/// The verification key of the profile, as `shardfold key` writes it.
pub fn key() -> &'static Path {
    static KEY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = KEY.get_or_init(|| {
        let folder = TempDir::new().expect("a folder for temporary files");
        let path = folder.path().join("test.key");
        let place = path.to_str().expect("plain names");
        Sandbox::new().ok(&["key", "-o", place, "--profile", PROFILE]);
        (folder, path)
    });
    path
}

/// The arguments that prove batch.bin.
pub fn prove_arguments(output: &str) -> [&str; 6] {
    ["prove", "batch.bin", "-o", output, "--profile", PROFILE]
}

/// The command, not yet started, with the shared circuits.
pub fn shardfold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardfold"));
    command
        .env("SHARDFOLD_CACHE", cache())
        .env(ALLOW_UNSOUND, "1")
        .env_remove("RUST_LOG");
    command
}

/// What a command that ended well has printed.
#[derive(Debug)]
pub struct Printed {
    pub out: String,
    pub err: String,
}

impl Printed {
    /// The object in the last line of standard output.
    pub fn json(&self) -> Value {
        let last = self.out.lines().last().expect("a line");
        serde_json::from_str(last).expect("one JSON object")
    }

    /// How many lines of either stream contain a text.
    pub fn count(&self, text: &str) -> usize {
        let lines = self.out.lines().chain(self.err.lines());
        lines.filter(|line| line.contains(text)).count()
    }
}

/// A folder of one test's own.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        Self { folder }
    }

    /// A folder with an import of so many transfers: genesis.bin and batch.bin.
    pub fn with_batch(transfers: usize) -> Self {
        let sandbox = Self::new();
        sandbox.write_trace();
        let limit = transfers.to_string();
        sandbox.ok(&["import", "trace.csv", "-o", ".", "--limit", &limit]);
        sandbox
    }

    /// Imports the first transfers of a trace of real traffic, without its swaps.
    pub fn import_transfers(&self, trace: &str, limit: usize) {
        let trace = fs::read_to_string(trace).expect("the trace is there");
        let lines = trace.lines().filter(|line| !line.contains(",swap,"));
        let transfers = lines.collect::<Vec<_>>().join("\n");
        self.write("transfers.csv", transfers.as_bytes());
        let limit = limit.to_string();
        self.ok(&["import", "transfers.csv", "-o", ".", "--limit", &limit]);
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    pub fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("the folder takes files");
    }

    pub fn exists(&self, name: impl AsRef<Path>) -> bool {
        self.path(name).exists()
    }

    /// Names and content of everything in the folder.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        files_in(self.folder.path())
    }

    /// Ten transfers of two assets and a swap; one transfer goes to its own sender.
    pub fn write_trace(&self) {
        let mut trace = "kind,from,to,asset_in,amount_in\n".to_owned();
        let address = |who: u8| format!("0x{}", hex::encode([who; 20]));
        for (number, (from, to)) in [1, 2, 3, 2, 4, 1, 5, 3, 1, 2]
            .into_iter()
            .zip([2, 3, 1, 2, 5, 4, 1, 4, 5, 1])
            .enumerate()
        {
            let asset = match number % 3 {
                0 => "eth",
                _ => "0xdac17f958d2ee523a2206206994597c13d831ec7",
            };
            let amount = 1_000_000_000_000_000_000 + number;
            let (from, to) = (address(from), address(to));
            trace += &format!("transfer,{from},{to},{asset},{amount}\n");
            if number == 4 {
                trace += &format!("swap,{from},{to},eth,77\n");
            }
        }
        self.write("trace.csv", trace.as_bytes());
    }

    /// The command in this folder, not yet started.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = shardfold();
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// Runs a command that must end well.
    pub fn ok(&self, arguments: &[&str]) -> Printed {
        let output = self.command(arguments).output().expect("it starts");
        let (code, printed) = printed(output);
        assert_eq!(code, Some(0), "{arguments:?}: {}", printed.err);
        printed
    }

    /// Runs `prove` on batch.bin, which must end well.
    pub fn prove(&self, output: &str, more: &[&str]) -> Printed {
        self.ok(&[&prove_arguments(output), more].concat())
    }

    /// Proves all parts of batch.bin into the folder `parts`, but cannot write the proof.
    pub fn leave_parts(&self) {
        let arguments = [&prove_arguments("/dev/full")[..], &["--work-dir", "parts"]].concat();
        let (code, printed) = printed(self.command(&arguments).output().expect("it starts"));
        assert_eq!(code, Some(CANNOT));
        assert_eq!(
            printed.count("error: cannot write /dev/full"),
            1,
            "{printed:?}"
        );
    }

    /// Paths of the proofs of parts in a work folder.
    pub fn parts(&self, folder: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let jobs = format!("{folder}/objects/part");
        for job in self.names(&jobs) {
            let place = format!("{jobs}/{job}");
            let names = self.names(&place).into_iter();
            // What a killed process has left of an object has a longer name.
            let whole = names.filter(|name| name.len() == 64);
            parts.extend(whole.map(|name| format!("{place}/{name}")));
        }
        parts
    }

    /// The names in a folder, sorted; none if it is not there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// Removes the queue of a work folder, so that only its objects are left.
    pub fn remove_queue(&self, folder: &str) {
        let names = self.names(folder).into_iter();
        for name in names.filter(|name| name.starts_with("fleet.db")) {
            fs::remove_file(self.path(format!("{folder}/{name}"))).expect("it is there");
        }
    }

    /// Verifies a proof under the shared key: the report.
    pub fn verify(&self, proof: &str) -> Value {
        let key = key().to_str().expect("plain names");
        self.ok(&["verify", proof, "--key", key, "--json"]).json()
    }

    /// Runs a command that must fail, clearly, without changing any file here: its error.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let error = refused(self.command(arguments));
        assert!(before == self.files(), "{arguments:?} changed files");
        error
    }
}

/// Runs a command that must fail with one line `error: ...`, which is returned.
pub fn refused(mut command: Command) -> String {
    let (code, printed) = printed(command.output().expect("it starts"));
    assert!(
        matches!(code, Some(INVALID | USAGE | CANNOT)),
        "{command:?} ended with {code:?}: {printed:?}"
    );
    let mut errors = printed
        .err
        .lines()
        .filter(|line| line.starts_with("error: "));
    let error = errors.next().unwrap_or_else(|| panic!("{printed:?}"));
    assert_eq!(errors.next(), None, "{command:?} gives two errors");
    error.to_owned()
}

/// The exit code and what was printed, in which no panic may be.
pub fn printed(output: Output) -> (Option<i32>, Printed) {
    let text = |bytes| String::from_utf8(bytes).expect("plain text");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked at"), "{err}");
    (output.status.code(), Printed { out, err })
}

/// Names and content of everything in a folder, sorted.
pub fn files_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            let content = if path.is_symlink() {
                let to = fs::read_link(&path).expect("a link");
                to.into_os_string().into_encoded_bytes()
            } else if path.is_dir() {
                Vec::new()
            } else {
                fs::read(&path).expect("a file")
            };
            (name.into_owned(), content)
        })
        .collect();
    files.sort();
    files
}
