//! What the command's exit code says, decided in one place from the error and its causes.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};

use shardfold_fleet::embedded::EmbeddedError;
use shardfold_fleet::fetch::FetchError;
use shardfold_fleet::keys::KeyError;
use shardfold_fleet::objects::ObjectsError;
use shardfold_fleet::queue::QueueError;
use shardfold_fleet::submit::SubmitError;
use shardfold_fleet::worker::WorkerError;
use shardfold_protocol::files::FileError;
use shardfold_store::StoreError;
use shardfold_submitter::anvil::AnvilError;
use shardfold_submitter::endpoints::EndpointError;
use shardfold_submitter::key::KeyError as SettlerKeyError;
use shardfold_submitter::settle::SettleError;
use shardfold_submitter::snapshot::SnapshotError;
use shardfold_submitter::waiting::WaitingError;

/// Why a command did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A proof, a file or a batch is wrong: the same again fails again.
    Invalid = 1,
    /// The command line asks for what cannot be.
    Usage = 2,
    /// A file, the network, memory, space or a permission is missing: the same may work later
    /// or elsewhere.
    Cannot = 3,
}

/// A message that says itself which exit code it has.
#[derive(Debug)]
struct Marked {
    exit: Exit,
    text: String,
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Marked {}

/// Returns an error of the command line.
pub fn usage(text: impl Into<String>) -> anyhow::Error {
    marked(Exit::Usage, text.into())
}

/// Returns an error of what is around the command.
pub fn cannot(text: impl Into<String>) -> anyhow::Error {
    marked(Exit::Cannot, text.into())
}

fn marked(exit: Exit, text: String) -> anyhow::Error {
    Marked { exit, text }.into()
}

/// Returns the exit code of an error: that of the outermost cause that has one, [`Exit::Invalid`]
/// if none has.
pub fn code(error: &anyhow::Error) -> Exit {
    error.chain().find_map(of_cause).unwrap_or(Exit::Invalid)
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<Exit> {
    cause
        .downcast_ref::<Marked>()
        .map(|marked| marked.exit)
        .or_else(|| cause.downcast_ref().map(of_io))
        .or_else(|| cause.downcast_ref().map(of_file))
        .or_else(|| cause.downcast_ref().map(of_store))
        .or_else(|| cause.downcast_ref().map(of_queue))
        .or_else(|| cause.downcast_ref().map(of_objects))
        .or_else(|| cause.downcast_ref().map(of_submit))
        .or_else(|| cause.downcast_ref().map(of_fetch))
        .or_else(|| cause.downcast_ref().map(of_worker))
        .or_else(|| cause.downcast_ref().map(of_embedded))
        .or_else(|| cause.downcast_ref().map(of_key))
        .or_else(|| cause.downcast_ref().map(of_endpoint))
        .or_else(|| cause.downcast_ref().map(of_settle))
        .or_else(|| cause.downcast_ref().map(of_waiting))
        .or_else(|| cause.downcast_ref().map(of_snapshot))
        .or_else(|| cause.downcast_ref().map(of_settler_key))
        .or_else(|| cause.downcast_ref().map(|_: &AnvilError| Exit::Cannot))
}

/// A file that ends too early or holds something else was read, and is wrong.
fn of_io(error: &io::Error) -> Exit {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Exit::Invalid,
        _ => Exit::Cannot,
    }
}

fn of_file(error: &FileError) -> Exit {
    match error {
        FileError::Io { source, .. } => of_io(source),
        _ => Exit::Invalid,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::NoState { .. } | StoreError::NotEmpty { .. } | StoreError::InUse { .. } => {
            Exit::Cannot
        }
        error => error.io_error().map_or(Exit::Invalid, of_io),
    }
}

fn of_queue(error: &QueueError) -> Exit {
    if error.is_damage() {
        Exit::Invalid
    } else if let QueueError::Url { .. } = error {
        Exit::Usage
    } else {
        Exit::Cannot
    }
}

fn of_objects(error: &ObjectsError) -> Exit {
    match error {
        ObjectsError::Altered { .. } | ObjectsError::TooLarge { .. } => Exit::Invalid,
        ObjectsError::Url { .. } => Exit::Usage,
        ObjectsError::Missing { .. }
        | ObjectsError::Unavailable { .. }
        | ObjectsError::Foreign { .. } => Exit::Cannot,
    }
}

fn of_submit(error: &SubmitError) -> Exit {
    match error {
        SubmitError::Queue(error) => of_queue(error),
        SubmitError::Objects(error) => of_objects(error),
        _ => Exit::Invalid,
    }
}

fn of_fetch(error: &FetchError) -> Exit {
    match error {
        FetchError::Queue(error) => of_queue(error),
        FetchError::Objects(error) => of_objects(error),
        FetchError::Manifest(error) => of_submit(error),
        FetchError::NotProven | FetchError::NotAsked => Exit::Cannot,
        FetchError::Circuits { .. } | FetchError::Invalidated(_) => Exit::Invalid,
    }
}

fn of_worker(error: &WorkerError) -> Exit {
    match error {
        WorkerError::Queue(error) => of_queue(error),
        WorkerError::Heartbeat(_) | WorkerError::NoHeartbeat => Exit::Cannot,
    }
}

fn of_embedded(error: &EmbeddedError) -> Exit {
    match error {
        EmbeddedError::Io { .. }
        | EmbeddedError::Foreign { .. }
        | EmbeddedError::NotUtf8 { .. }
        | EmbeddedError::Unfinished { .. } => Exit::Cannot,
        EmbeddedError::Queue(error) => of_queue(error),
        EmbeddedError::Objects(error) => of_objects(error),
        EmbeddedError::Submit(error) => of_submit(error),
        EmbeddedError::Worker(error) => of_worker(error),
        EmbeddedError::Fetch(error) => of_fetch(error),
        EmbeddedError::Key(error) => of_key(error),
        EmbeddedError::Job { .. } | EmbeddedError::Engine(_) => Exit::Invalid,
    }
}

fn of_key(error: &KeyError) -> Exit {
    match error {
        KeyError::Format { .. } | KeyError::PublicKey { .. } | KeyError::Signature { .. } => {
            Exit::Invalid
        }
        KeyError::Io { .. }
        | KeyError::Readable { .. }
        | KeyError::Randomness(_)
        | KeyError::Encode(_) => Exit::Cannot,
    }
}

const fn of_endpoint(error: &EndpointError) -> Exit {
    match error {
        EndpointError::None | EndpointError::Url { .. } => Exit::Usage,
        EndpointError::Silent { .. } | EndpointError::Chains(_) | EndpointError::Heads(_) => {
            Exit::Cannot
        }
    }
}

/// Another node may have what this one lacks.
const fn of_snapshot(error: &SnapshotError) -> Exit {
    match error {
        SnapshotError::Endpoint(error) => of_endpoint(error),
        SnapshotError::BaseChain(_) | SnapshotError::Contract { .. } => Exit::Usage,
        SnapshotError::Behind { .. }
        | SnapshotError::Missing { .. }
        | SnapshotError::Queue { .. }
        | SnapshotError::Code(_)
        | SnapshotError::Published(_)
        | SnapshotError::Events(_) => Exit::Cannot,
    }
}

const fn of_settle(error: &SettleError) -> Exit {
    match error {
        SettleError::Endpoint(error) => of_endpoint(error),
        error if error.may_pass() => Exit::Cannot,
        _ => Exit::Invalid,
    }
}

const fn of_waiting(error: &WaitingError) -> Exit {
    match error {
        WaitingError::Endpoint(error) => of_endpoint(error),
        WaitingError::Ahead { .. } | WaitingError::NoEnd { .. } | WaitingError::Missing(_) => {
            Exit::Cannot
        }
        _ => Exit::Invalid,
    }
}

const fn of_settler_key(error: &SettlerKeyError) -> Exit {
    match error {
        SettlerKeyError::Form { .. } => Exit::Invalid,
        SettlerKeyError::Io { .. } | SettlerKeyError::Readable { .. } => Exit::Cannot,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};
    use shardfold_protocol::envelope::EnvelopeError;

    use super::*;

    #[test]
    fn the_outermost_cause_that_knows_decides() {
        let io = |kind| anyhow::Error::new(io::Error::from(kind));
        let cases = [
            (anyhow!("the proof is wrong"), Exit::Invalid),
            (usage("two outputs"), Exit::Usage),
            (usage("two outputs").context("prove"), Exit::Usage),
            (io(ErrorKind::NotFound).context("file"), Exit::Cannot),
            (io(ErrorKind::StorageFull), Exit::Cannot),
            (io(ErrorKind::UnexpectedEof).context("file"), Exit::Invalid),
            (cannot("no space").context("a").context("b"), Exit::Cannot),
            (
                anyhow::Error::new(EmbeddedError::Queue(QueueError::Silent)),
                Exit::Cannot,
            ),
            (
                anyhow::Error::new(FileError::Envelope(EnvelopeError::TruncatedHeader {
                    found: 3,
                })),
                Exit::Invalid,
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(code(&error), expected, "{error:#}");
        }
        let failed: Result<(), _> = Err(io::Error::from(ErrorKind::PermissionDenied));
        let error = failed.context("cannot write").unwrap_err();
        assert_eq!(code(&error), Exit::Cannot);
    }
}
