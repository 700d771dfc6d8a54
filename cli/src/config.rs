//! Where the fleet is and how a worker works: flags first, then the environment, then a TOML
//! file, then defaults.

use std::env;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::de::{Deserialize, Deserializer, Error as _};
use shardfold_fleet::queue::model::Kind;

use crate::args::{CacheArgs, FleetArgs, Profile, WorkerArgs, parse_kind, parse_size};
use crate::exit::usage;
use crate::output::folder_of;

/// The file's name, here or in ~/.config/shardfold.
const FILE_NAME: &str = "shardfold.toml";
/// How long jobs at hand may go on after SIGTERM, unless configured.
const DRAIN: Duration = Duration::from_secs(120);

/// The fleet's database and object store.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The database's URL, which may have a password in it: print it by [`redact`] only.
    pub database: String,
    /// The object store's URL, or a folder.
    pub store: String,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("database", &redact(&self.database))
            .field("store", &redact(&self.store))
            .finish()
    }
}

/// What is configured.
#[derive(Debug)]
pub struct Config {
    /// Where the fleet is.
    pub place: Place,
    worker: WorkerTable,
}

/// How a worker works.
#[derive(Debug)]
pub struct WorkerSettings {
    /// The file of its secret key.
    pub key: PathBuf,
    /// At most so many jobs at once.
    pub jobs: NonZeroUsize,
    /// The kinds of jobs that it takes, each once.
    pub kinds: Vec<Kind>,
    /// How much memory it may use, in bytes, if that is not to be found out.
    pub memory: Option<u64>,
    /// Where it serves metrics and probes, if at all.
    pub metrics: Option<SocketAddr>,
    /// The security profile.
    pub profile: Profile,
    /// The circuit cache.
    pub cache: CacheArgs,
    /// How long jobs at hand may go on after SIGTERM.
    pub drain: Duration,
}

/// A configuration file.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(deny_unknown_fields)]
struct File {
    database: Option<String>,
    store: Option<String>,
    #[serde(default)]
    worker: WorkerTable,
}

/// Its table `[worker]`: one key for each flag that belongs to the machine.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
struct WorkerTable {
    key: Option<PathBuf>,
    jobs: Option<NonZeroUsize>,
    #[serde(deserialize_with = "kinds")]
    kinds: Vec<Kind>,
    #[serde(deserialize_with = "size")]
    memory: Option<u64>,
    metrics: Option<SocketAddr>,
    #[serde(deserialize_with = "profile")]
    profile: Option<Profile>,
    cache: Option<PathBuf>,
    drain: Option<u64>,
}

/// The value of an environment variable that is set and not empty.
type Variables<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

impl Config {
    /// Returns what flags, environment and file say.
    ///
    /// # Errors
    /// If the file cannot be read or has a key or value that is not known, or if a value is
    /// omitted whose default needs a home folder and there is none.
    pub fn load(args: &FleetArgs) -> Result<Self> {
        Self::load_from(args, Path::new(""), &|name| {
            let value = env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        })
    }

    /// Looks for the default file in the folder `here`. `args` has flags and environment.
    fn load_from(args: &FleetArgs, here: &Path, variables: Variables<'_>) -> Result<Self> {
        let mut file = find(args, here, variables).map_or(Ok(File::default()), |p| read(&p))?;
        file.worker.cache = variables("SHARDFOLD_CACHE").or(file.worker.cache);
        let place = Place {
            database: given(&args.database)
                .or(file.database)
                .map_or_else(|| default_database(variables), Ok)?,
            store: given(&args.store)
                .or(file.store)
                .map_or_else(|| default_store(variables), Ok)?,
        };
        let worker = file.worker;
        Ok(Self { place, worker })
    }

    /// Returns how the worker works that these arguments start.
    ///
    /// # Errors
    /// If no key is named.
    pub fn worker(self, args: &WorkerArgs) -> Result<WorkerSettings> {
        let file = self.worker;
        let mut kinds = args.kinds.clone();
        if kinds.is_empty() {
            kinds = file.kinds;
        }
        if kinds.is_empty() {
            kinds = Kind::ALL.to_vec();
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(WorkerSettings {
            key: args.key.clone().or(file.key).ok_or_else(|| {
                usage(
                    "no worker key: name its file with --key, or with `key` in [worker] of the \
                     configuration file; `shardfold worker-key FILE` makes one",
                )
            })?,
            jobs: args.jobs.or(file.jobs).unwrap_or(NonZeroUsize::MIN),
            kinds,
            memory: args.memory.or(file.memory),
            metrics: args.metrics.or(file.metrics),
            profile: args.profile.or(file.profile).unwrap_or(Profile::Proven100),
            cache: CacheArgs {
                cache: args.cache.cache.clone().or(file.cache),
            },
            drain: args.drain.or(file.drain).map_or(DRAIN, Duration::from_secs),
        })
    }
}

/// Returns a URL, or a message that quotes one, fit for printing: without password, and without
/// what looks like a secret among its parameters. It rather hides too much than too little.
#[must_use]
pub fn redact(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // A password may itself have an @ in it: the last one ends it.
    let place = match rest.rsplit_once('@') {
        Some((credentials, place)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:***@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let (place, query) = match place.split_once('?') {
        Some((place, query)) => (place, query),
        None => return scheme + &place,
    };
    let query: Vec<_> = query.split('&').map(redact_parameter).collect();
    format!("{scheme}{place}?{}", query.join("&"))
}

fn redact_parameter(parameter: &str) -> String {
    const SECRET: [&str; 6] = ["pass", "pwd", "secret", "token", "key", "sig"];
    match parameter.split_once('=') {
        Some((name, _)) if SECRET.iter().any(|s| name.to_lowercase().contains(s)) => {
            format!("{name}=***")
        }
        _ => parameter.to_owned(),
    }
}

/// A flag or environment variable that says something.
fn given(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

/// The configuration file: the one that is named, or else a default one that is there.
fn find(args: &FleetArgs, here: &Path, variables: Variables<'_>) -> Option<PathBuf> {
    let named = args.config.clone();
    if let Some(path) = named.filter(|path| !path.as_os_str().is_empty()) {
        return Some(path);
    }
    let home = home(variables, "XDG_CONFIG_HOME", ".config");
    let in_home = home.map(|folder| folder.join(FILE_NAME));
    let places = [Some(here.join(FILE_NAME)), in_home];
    places.into_iter().flatten().find(|path| path.exists())
}

/// Reads a configuration file. Paths in it start from its folder.
fn read(path: &Path) -> Result<File> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file {}", path.display()))?;
    let mut file: File = match toml::from_str(&text) {
        Ok(file) => file,
        // The error's own text quotes the line, which may have a password in it.
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|b| *b == b'\n').count();
            let message = redact(error.message());
            return Err(usage(format!("{} line {line}: {message}", path.display())));
        }
    };
    for entry in [&mut file.worker.key, &mut file.worker.cache] {
        *entry = entry.take().map(|entry| folder_of(path).join(entry));
    }
    Ok(file)
}

/// shardfold's folder below one of the user's XDG folders, which must be absolute to count.
fn home(variables: Variables<'_>, name: &str, default: &str) -> Option<PathBuf> {
    let folder = variables(name).filter(|folder| folder.is_absolute());
    folder
        .or_else(|| Some(variables("HOME")?.join(default)))
        .map(|folder| folder.join("shardfold"))
}

fn data_home(variables: Variables<'_>, flag: &str) -> Result<String> {
    let folder = home(variables, "XDG_DATA_HOME", ".local/share")
        .with_context(|| format!("there is no home folder for the fleet: give --{flag}"))?;
    let text = folder.to_str().map(str::to_owned);
    text.with_context(|| format!("{} is not UTF-8: give --{flag}", folder.display()))
}

fn default_database(variables: Variables<'_>) -> Result<String> {
    // In a URL these three would end the path or start an escape.
    let folder = data_home(variables, "database")?
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    Ok(format!("sqlite://{folder}/fleet.db"))
}

fn default_store(variables: Variables<'_>) -> Result<String> {
    Ok(data_home(variables, "store")? + "/objects")
}

fn kinds<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Kind>, D::Error> {
    let names = Vec::<String>::deserialize(source)?;
    let kinds: Result<_, _> = names.iter().map(|name| parse_kind(name)).collect();
    kinds.map_err(D::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(source)?;
    parse_size(&text).map(Some).map_err(D::Error::custom)
}

fn profile<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Profile>, D::Error> {
    let name = String::deserialize(source)?;
    Profile::from_str(&name, false).map(Some).map_err(|_| {
        D::Error::custom(format!(
            "`{name}` is no profile; there are proven-100 and conjectured-100"
        ))
    })
}

#[cfg(test)]
mod tests;
