//! A process that is watched by its lines, and that signals are sent to.

use std::io::{BufRead, BufReader, PipeReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

use crate::fleet::disk::LARGE_DISK;
use crate::fleet::time::wait_for;

/// The lines of both streams, each with the time since the start.
type Lines = Arc<Mutex<Vec<(Duration, String)>>>;

/// A running process. It is killed when dropped, and its lines are printed if that is because
/// a test fails.
pub struct Process {
    name: String,
    child: Child,
    lines: Lines,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a command with both streams in one log. The log is a pipe, so that no limit on
    /// the size of its files breaks it.
    pub fn start(name: &str, mut command: Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        command
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().expect("a handle"))
            .stderr(writer);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        // The command holds the writing end: the reader ends when nobody does.
        drop(command);
        let lines = Lines::default();
        let reader = thread::spawn({
            let lines = Arc::clone(&lines);
            move || read(reader, &lines)
        });
        Self {
            name: name.to_owned(),
            child,
            lines,
            reader: Some(reader),
        }
    }

    /// Writes a line to its standard input.
    pub fn send(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{line}").expect("it reads");
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// Waits for a line with a text in it, old or new, and gives it. Panics if the process ends
    /// without one.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        let what = format!("{text:?} of {}", self.name);
        wait_for(&what, || {
            let has_ended = self.has_ended();
            if has_ended {
                self.read_to_end();
            }
            let found = self.lines().into_iter().find(|line| line.contains(text));
            assert!(found.is_some() || !has_ended, "it ended without {what}");
            found
        })
    }

    /// The events so far of a process that logs in JSON.
    pub fn events(&self) -> Vec<Value> {
        let lines = self.lines();
        let events = lines.iter().map(|line| serde_json::from_str(line));
        events.filter_map(Result::ok).collect()
    }

    /// Waits for an event that fits, old or new, and gives the first. Panics if the process
    /// ends without one.
    pub fn wait_for_event(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let what = format!("{what} of {}", self.name);
        wait_for(&what, || {
            let has_ended = self.has_ended();
            if has_ended {
                self.read_to_end();
            }
            let found = self.events().into_iter().find(&fits);
            assert!(found.is_some() || !has_ended, "it ended without {what}");
            found
        })
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its own child").is_some()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        let status = wait_for(&what, || self.child.try_wait().expect("its own child"));
        self.read_to_end();
        status
    }

    /// Sends a signal to a process that runs.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Lets its files grow to so many bytes at most, as if the disk was full then, or again as
    /// far as when it was started with a [`LARGE_DISK`].
    pub fn limit_files(&self, bytes: Option<u64>) {
        let pid = Some(Pid::from_child(&self.child));
        let maximum = Some(u64::from(LARGE_DISK) << 10);
        let limit = Rlimit {
            current: bytes.or(maximum),
            maximum,
        };
        prlimit(pid, Resource::Fsize, limit).expect("it runs");
    }

    /// `kill -9`, and waits for the end. Panics if it has ended by itself.
    pub fn kill(&mut self) {
        assert!(!self.has_ended(), "{} has ended by itself", self.name);
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Stops it from running until [`wake`](Self::wake), without its knowledge.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    /// Reads what is left of the log of a process that has ended.
    fn read_to_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            for (time, line) in lines.iter() {
                eprintln!("{} {:8.3} {line}", self.name, time.as_secs_f64());
            }
        }
    }
}

/// Keeps the lines of a log until all its writers are gone.
fn read(log: PipeReader, lines: &Lines) {
    let start = Instant::now();
    for line in BufReader::new(log).split(b'\n') {
        let line = line.expect("a pipe is read");
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((start.elapsed(), line));
    }
}
