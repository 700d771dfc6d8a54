//! Where the database is: a file of SQLite, or a server of PostgreSQL.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{Dialect, QueueError};

/// Parameters of a PostgreSQL URL. Another one may be the end of a password with a `?` in it.
const PARAMETERS: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[",
];

/// A place that was read from a URL.
#[derive(Debug)]
pub struct Place {
    /// The URL in the form that is connected with; it never makes a file.
    pub url: String,
    /// The engine.
    pub dialect: Dialect,
    /// SQLite's file.
    file: Option<DatabaseFile>,
}

impl Place {
    /// Reads `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    ///
    /// # Errors
    /// If the URL is none, or its password has characters that end a password.
    pub fn of(url: &str) -> Result<Self, QueueError> {
        match Dialect::of(url)? {
            Dialect::Sqlite => sqlite(url),
            Dialect::Postgres => postgres(url),
        }
    }

    /// Makes SQLite's file if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make(&self) -> Result<(), QueueError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::make)
    }

    /// Checks that SQLite's file is there, and the same as at the first time.
    ///
    /// # Errors
    /// If it is not.
    pub fn check(&self) -> Result<(), QueueError> {
        match &self.file {
            Some(file) => file.check().map_err(|error| match error {
                FileState::Absent => self.no_queue(),
                FileState::Other(error) => error,
            }),
            None => Ok(()),
        }
    }

    /// Returns the error of a place where no tables are.
    pub fn no_queue(&self) -> QueueError {
        QueueError::NoQueue {
            place: self.name().into(),
        }
    }

    /// The place without user, password and parameters, to be shown.
    fn name(&self) -> String {
        if let Some(file) = &self.file {
            return format!("sqlite://{}", file.path.display());
        }
        let Ok(mut url) = Url::parse(&self.url) else {
            return "this URL".to_owned();
        };
        // These fail for URLs without a host, which have no user.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.into()
    }
}

/// SQLite's file. A process that has it open goes on writing into it when it was removed, and
/// beside it when another file has taken its place: both are lost.
#[derive(Debug)]
struct DatabaseFile {
    path: PathBuf,
    /// Device and inode of the file that was found first.
    first: OnceLock<(u64, u64)>,
}

/// What is wrong with a file.
enum FileState {
    /// It is not there, and never was.
    Absent,
    Other(QueueError),
}

impl DatabaseFile {
    fn make(&self) -> Result<(), QueueError> {
        // SQLite takes an empty file for a new database.
        let file = File::options().append(true).create(true).open(&self.path);
        match file {
            // Then it is SQLite that says so, if it wants to write.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && self.path.exists() => {
                Ok(())
            }
            file => file.map(drop).map_err(|source| self.failed(source)),
        }
    }

    fn check(&self) -> Result<(), FileState> {
        let data = match fs::metadata(&self.path) {
            Ok(data) => data,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(match self.first.get() {
                    None => FileState::Absent,
                    Some(_) => FileState::Other(QueueError::Gone {
                        path: self.path.clone(),
                    }),
                });
            }
            Err(source) => return Err(FileState::Other(self.failed(source))),
        };
        let found = (data.dev(), data.ino());
        if *self.first.get_or_init(|| found) == found {
            return Ok(());
        }
        Err(FileState::Other(QueueError::Replaced {
            path: self.path.clone(),
        }))
    }

    fn failed(&self, source: std::io::Error) -> QueueError {
        QueueError::File {
            path: self.path.clone(),
            source,
        }
    }
}

/// `sqlite:PATH` or `sqlite://PATH`, where the path is percent-encoded and may be relative.
fn sqlite(url: &str) -> Result<Place, QueueError> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|error| malformed(&format!("has a path that is not UTF-8: {error}")))?;
    let path = std::path::absolute(Path::new(&*path))
        .map_err(|error| malformed(&format!("has no path: {error}")))?;
    let plain = Url::from_file_path(&path).map_err(|()| malformed("has no absolute path"))?;
    // Only `make` makes the file.
    let parameters = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty() && *parameter != "mode=rwc");
    let parameters: Vec<_> = parameters.collect();
    let mut url = plain.as_str().replacen("file:", "sqlite:", 1);
    if !parameters.is_empty() {
        url = format!("{url}?{}", parameters.join("&"));
    }
    Ok(Place {
        url,
        dialect: Dialect::Sqlite,
        file: Some(DatabaseFile {
            path,
            first: OnceLock::new(),
        }),
    })
}

/// A URL of PostgreSQL. One whose password has a `#`, `?` or `/` in it is another URL than its
/// author means, or none; no part of it is quoted, since any may be of the password.
fn postgres(url: &str) -> Result<Place, QueueError> {
    let parsed = Url::parse(url).map_err(|error| malformed(&format!("cannot be read: {error}")))?;
    if parsed.fragment().is_some() {
        return Err(malformed("has a # in it"));
    }
    let name = parsed.path().strip_prefix('/').unwrap_or(parsed.path());
    if name.contains(['/', '@']) {
        return Err(malformed("has a / or an @ in the database's name"));
    }
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    if !parsed.query_pairs().all(|(name, _)| is_known(&name)) {
        return Err(malformed(
            "has a ? and after it a parameter that is not known",
        ));
    }
    Ok(Place {
        url: url.to_owned(),
        dialect: Dialect::Postgres,
        file: None,
    })
}

fn malformed(why: &str) -> QueueError {
    QueueError::Malformed { why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_as_it_is_meant_or_refused_with_how_to_write_it() {
        // As `make-secrets.sh` may write them, and with what ends a password in a URL.
        for (url, is_taken) in [
            ("postgres://me:secret@db/fleet?sslmode=verify-full", true),
            ("postgres://me:s%23e%3Fc%2Fr%40e%25t@db/fleet", true),
            ("postgres://me:sec@ret@db/fleet", true),
            ("postgres://me:sec%ret@db/fleet", true),
            ("postgres://db/fleet?user=me&password=s%23cret", true),
            ("postgres://postgres@localhost/test?host=/tmp/x", true),
            ("postgres://db", true),
            ("postgres://me:sec#ret@db/fleet", false),
            ("postgres://me:12#ret@db/fleet", false),
            ("postgres://me:sec?ret@db/fleet", false),
            ("postgres://me:12?ret=secret@db/fleet", false),
            ("postgres://me:sec/ret@db/fleet", false),
            ("postgres://me:12/ret@db/fleet", false),
            ("postgres://me:1?sslmode@db/fleet", false),
            ("postgresql://me:secret@d b/fleet", false),
        ] {
            match Place::of(url) {
                Ok(place) => assert!(is_taken && place.url == url, "{url}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!is_taken, "{url}: {error}");
                    assert!(error.contains("# as %23"), "{error}");
                    assert!(!error.contains("ret"), "{url}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_place_is_shown_without_user_password_and_parameters() {
        for (url, shown) in [
            (
                "postgres://me:secret@db:5433/fleet?password=secret",
                "postgres://db:5433/fleet",
            ),
            (
                "sqlite:///var/lib/fleet%20%231.db?mode=rwc",
                "sqlite:///var/lib/fleet #1.db",
            ),
        ] {
            let error = Place::of(url).expect("a place").no_queue().to_string();
            assert!(
                error.starts_with(&format!("there is no queue at {shown}: ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_url_of_a_file_never_makes_it_and_keeps_its_name() {
        for (url, expected) in [
            ("sqlite:///a/b.db", "sqlite:///a/b.db"),
            ("sqlite:/a/b.db?mode=rwc", "sqlite:///a/b.db"),
            (
                "sqlite:///a/b.db?mode=ro&cache=private",
                "sqlite:///a/b.db?mode=ro&cache=private",
            ),
            ("sqlite:///a b/c#d%3F.db", "sqlite:///a%20b/c%23d%3F.db"),
        ] {
            assert_eq!(Place::of(url).expect("a place").url, expected);
        }
        let relative = Place::of("sqlite://fleet.db").expect("a place").url;
        assert!(relative.starts_with("sqlite:///") && relative.ends_with("/fleet.db"));
    }
}
