//! How long scenarios wait, and how long their outages last.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// The longest wait for anything: slow machines prove a batch of tests in minutes.
pub const RETRY_TIME: Duration = Duration::from_secs(300);

/// Between two looks at something that is waited for.
pub const PAUSE: Duration = Duration::from_millis(20);

/// Whether the scenarios run at the length that the figures in `docs/` are of.
pub fn is_full() -> bool {
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
        assert!(start.elapsed() < RETRY_TIME, "waited too long for {what}");
        sleep(PAUSE);
    }
}

/// Scenarios at the same time.
const TURNS: usize = 2;

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(TURNS), Condvar::new());

/// The right of one scenario to run: each wants two cores for itself. When it is dropped, it
/// says how long that took.
pub struct Turn {
    start: Instant,
}

impl Turn {
    /// Waits for a scenario to end if too many run.
    pub fn take() -> Self {
        let (free, changed) = &FREE;
        let free = free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = changed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        let start = Instant::now();
        Self { start }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (free, changed) = &FREE;
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        changed.notify_one();
        let (seconds, thread) = (self.start.elapsed().as_secs_f64(), thread::current());
        let how = if thread::panicking() { "FAILS" } else { "ends" };
        let name = thread.name().unwrap_or("?").to_owned();
        eprintln!("{name} {how} after {seconds:.1} s");
    }
}
