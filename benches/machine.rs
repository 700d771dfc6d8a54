//! Where and when a figure was measured.

use std::fs;
use std::process::Command;

/// The processor's name, as Linux gives it.
#[must_use]
pub fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or_else(
            || format!("{}, model unknown", std::env::consts::ARCH),
            |(_, name)| name.trim().to_owned(),
        )
}

/// How many threads can run at once.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// All memory, in bytes.
#[must_use]
pub fn memory_bytes() -> Option<u64> {
    bytes_in("/proc/meminfo", "MemTotal:")
}

/// The most memory that this process has held at once so far, in bytes.
#[must_use]
pub fn peak_memory_bytes() -> Option<u64> {
    bytes_in("/proc/self/status", "VmHWM:")
}

/// Today, as `2026-01-31 12:00 UTC`.
#[must_use]
pub fn date() -> Option<String> {
    output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"])
}

/// The commit that is checked out.
#[must_use]
pub fn commit() -> Option<String> {
    output_of("git", &["describe", "--always", "--dirty"])
}

/// A field that the kernel gives in kibibytes.
fn bytes_in(path: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(field))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn output_of(command: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(command).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The load averages of the last 1, 5 and 15 minutes.
#[must_use]
pub fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    Some(averages.join(", "))
}
