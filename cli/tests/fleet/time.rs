//! How long scenarios wait, and how long their outages last.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest wait for anything: slow machines prove a batch of tests in minutes.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Between two looks at something that is waited for.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Whether the scenarios run at the length that the figures in `docs/` are of.
fn is_full() -> bool {
    std::env::var("SHARDFOLD_SCENARIOS").is_ok_and(|value| value == "full")
}

/// How long a server is away.
pub fn outage() -> Duration {
    Duration::from_secs(if is_full() { 60 } else { 4 })
}

/// How many processes the long run kills.
pub fn kills() -> usize {
    if is_full() { 50 } else { 5 }
}

/// Looks until something is there, and gives it; panics with its name when patience ends.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(PAUSE);
    }
}
