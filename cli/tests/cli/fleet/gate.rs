//! A gate in front of a server: it passes bytes, holds them, or cuts connections off.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::fleet::time::{PAUSE, RETRY_TIME, wait_for};

/// A port of 127.0.0.1 behind which is another. All connections end when it is dropped.
pub struct Gate {
    port: u16,
    state: Arc<State>,
}

/// What the gate does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Passes so many more bytes from clients to the server, and then holds all in both
    /// directions.
    HoldAfter(usize),
    /// Ends all connections.
    ShardedBatch,
    /// Ends all connections and the gate.
    Closed,
}

struct State {
    mode: Mutex<Mode>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Gate {
    /// A gate that passes everything to a port of 127.0.0.1.
    pub fn new(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State {
            mode: Mutex::new(Mode::Pass),
            changed: Condvar::new(),
        });
        thread::spawn({
            let state = Arc::clone(&state);
            move || accept(&listener, server, &state)
        });
        Self { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Passes everything, also what was held.
    pub fn pass(&self) {
        self.state.set(Mode::Pass);
    }

    /// Holds everything: connections stay open and are silent.
    pub fn hold(&self) {
        self.hold_after(0);
    }

    /// Holds everything once clients have sent so many more bytes.
    pub fn hold_after(&self, bytes: usize) {
        self.state.set(Mode::HoldAfter(bytes));
    }

    /// Waits until the bytes of [`hold_after`](Self::hold_after) have passed.
    pub fn wait_until_held(&self) {
        let mode = self.state.lock();
        let (mode, wait) = self
            .state
            .changed
            .wait_timeout_while(mode, RETRY_TIME, |mode| *mode != Mode::HoldAfter(0))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!wait.timed_out(), "the gate is at {mode:?}");
    }

    /// Ends all connections, and new ones at once.
    pub fn cut(&self) {
        self.state.set(Mode::ShardedBatch);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.set(Mode::Closed);
        // The listener is told by a last client.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mode: Mode) {
        *self.lock() = mode;
        self.changed.notify_all();
    }

    /// Fails if connections must end.
    fn check(&self) -> io::Result<()> {
        match *self.lock() {
            Mode::ShardedBatch | Mode::Closed => Err(ErrorKind::ConnectionAborted.into()),
            Mode::Pass | Mode::HoldAfter(_) => Ok(()),
        }
    }

    /// Waits until bytes may pass: how many of so many. Fails if the connection must end.
    fn admit(&self, bytes: usize, direction: Direction) -> io::Result<usize> {
        let mut mode = self.lock();
        loop {
            match (&mut *mode, direction) {
                (Mode::ShardedBatch | Mode::Closed, _) => {
                    return Err(ErrorKind::ConnectionAborted.into());
                }
                (Mode::HoldAfter(0), _) => {}
                (Mode::HoldAfter(left), Direction::Up) => {
                    let admitted = bytes.min(*left);
                    *left -= admitted;
                    self.changed.notify_all();
                    return Ok(admitted);
                }
                (Mode::HoldAfter(_), Direction::Down) | (Mode::Pass, _) => return Ok(bytes),
            }
            mode = self
                .changed
                .wait(mode)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Serves clients until the gate is closed.
fn accept(listener: &TcpListener, server: u16, state: &Arc<State>) {
    for client in listener.incoming() {
        let mode = *state.lock();
        if mode == Mode::Closed {
            return;
        }
        let Ok(client) = client else { continue };
        if mode == Mode::ShardedBatch {
            continue;
        }
        let state = Arc::clone(state);
        thread::spawn(move || {
            // A server that is away ends the client's connection.
            if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                join(&client, &server, &state);
            }
        });
    }
}

/// Moves bytes both ways until both sides have ended or the gate cuts them off.
fn join(client: &TcpStream, server: &TcpStream, state: &State) {
    thread::scope(|scope| {
        for (from, to, direction) in [
            (client, server, Direction::Up),
            (server, client, Direction::Down),
        ] {
            scope.spawn(move || {
                let is_whole = pump(from, to, state, direction).is_ok();
                // The end of one direction is passed on; a cut ends both. Either side may have
                // left before.
                let _ = to.shutdown(Shutdown::Write);
                if !is_whole {
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.shutdown(Shutdown::Both);
                }
            });
        }
    });
}

/// Moves bytes one way, until their end.
fn pump(
    mut from: &TcpStream,
    mut to: &TcpStream,
    state: &State,
    direction: Direction,
) -> io::Result<()> {
    // Between two looks at the gate, while the sender is silent.
    from.set_read_timeout(Some(PAUSE))?;
    let mut buffer = [0; 1 << 14];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                state.check()?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut left = &buffer[..read];
        while !left.is_empty() {
            let (admitted, rest) = left.split_at(state.admit(left.len(), direction)?);
            to.write_all(admitted)?;
            left = rest;
        }
    }
}

/// A server that sends everything back.
fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || io::copy(&mut &client, &mut &client));
        }
    });
    port
}

/// Long enough for bytes to come through this machine.
const MOMENT: Duration = Duration::from_millis(300);

#[test]
fn a_gate_holds_bytes_and_passes_them_later() {
    let gate = Gate::new(echo());
    let mut client = TcpStream::connect(("127.0.0.1", gate.port())).expect("it is open");
    let mut answer = [0; 5];
    client.write_all(b"first").expect("it passes");
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"first");

    gate.hold();
    client.write_all(b"later").expect("it is held");
    client.set_read_timeout(Some(MOMENT)).expect("a timeout");
    let silence = client.read(&mut answer).expect_err("nothing passes");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);
    gate.pass();
    client
        .set_read_timeout(Some(RETRY_TIME))
        .expect("a timeout");
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"later");
}

#[test]
fn a_gate_stops_an_upload_in_its_middle() {
    let server = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let gate = Gate::new(server.local_addr().expect("it is bound").port());
    gate.hold_after(1_000);
    let mut client = TcpStream::connect(("127.0.0.1", gate.port())).expect("it is open");
    client.write_all(&[7; 5_000]).expect("it is held");
    gate.wait_until_held();

    let (mut upload, _) = server.accept().expect("the gate connects");
    upload.set_read_timeout(Some(MOMENT)).expect("a timeout");
    let mut received = Vec::new();
    upload
        .read_to_end(&mut received)
        .expect_err("it does not end");
    assert_eq!(received.len(), 1_000);
}

#[test]
fn a_gate_cuts_clients_off_and_lets_them_in_again() {
    let gate = Gate::new(echo());
    let connect = || TcpStream::connect(("127.0.0.1", gate.port())).expect("it is open");
    let is_answered = |mut client: &TcpStream| {
        client
            .set_read_timeout(Some(RETRY_TIME))
            .expect("a timeout");
        client.write_all(b"x").is_ok() && matches!(client.read(&mut [0]), Ok(1))
    };
    let old = connect();
    assert!(is_answered(&old));
    gate.cut();
    assert!(!is_answered(&connect()));
    wait_for("the cut", || (!is_answered(&old)).then_some(()));
    gate.pass();
    assert!(is_answered(&connect()));
    assert!(!is_answered(&old));
}
