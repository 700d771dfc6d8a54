//! From a URL to a store.

use std::env;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreScheme, RetryConfig};
use shardfold_protocol::folder;
use url::Url;

use super::{Objects, ObjectsError, Root, UrlError};

/// How long a store may take to answer a call before it counts as unavailable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one transfer may take: the largest object at 1 MB/s.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(64);

/// Names and values of options, as in the environment.
pub type Options = Vec<(String, String)>;

/// Returns the options in the environment; what is not UTF-8 is none.
pub fn environment() -> Options {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Returns the store at a URL or path. A local folder is made if `makes`; nothing else is touched
/// yet.
pub fn connect(url: &str, options: &Options, makes: bool) -> Result<Objects, ObjectsError> {
    let refused = |source| ObjectsError::Url {
        found: url.into(),
        source,
    };
    // Without a scheme it is a path, and a path may have a colon.
    if !url.contains("://") {
        return local(FilePath::new(url), makes);
    }
    let parsed = Url::parse(url).map_err(|error| refused(error.into()))?;
    let (scheme, prefix) = ObjectStoreScheme::parse(&parsed)
        .map_err(|error| refused(UrlError::Store(error.into())))?;
    if let ObjectStoreScheme::Local = scheme {
        let path = local_path(&parsed).ok_or_else(|| refused(UrlError::NotLocal))?;
        return local(&path, makes);
    }
    let store = remote(&scheme, url, options)
        .ok_or_else(|| refused(UrlError::Scheme))?
        .map_err(|error| refused(UrlError::Store(error)))?;
    Ok(Objects::new(
        Root::Remote(Box::new(PrefixStore::new(store, prefix))),
        url,
    ))
}

/// The path that a `file://` URL names on this machine.
fn local_path(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok()
}

/// Returns a folder on this machine. What is put there is on disk on return.
pub fn local(path: &FilePath, makes: bool) -> Result<Objects, ObjectsError> {
    let away = |source| ObjectsError::Unavailable {
        store: path.display().to_string().into(),
        source,
    };
    if makes {
        folder::create(path).map_err(|error| {
            away(object_store::Error::Generic {
                store: "LocalFileSystem",
                source: error.into(),
            })
        })?;
    }
    let store = LocalFileSystem::new_with_prefix(path)
        .map_err(away)?
        .with_fsync(true)
        .with_automatic_cleanup(true);
    Ok(Objects::new(
        Root::Local(store),
        &path.display().to_string(),
    ))
}

/// A store across the network; `None` for a scheme of no lasting store.
fn remote(
    scheme: &ObjectStoreScheme,
    url: &str,
    options: &Options,
) -> Option<Result<Box<dyn ObjectStore>, object_store::Error>> {
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(TRANSFER_TIMEOUT);
    match scheme {
        ObjectStoreScheme::AmazonS3 => {
            let plain = AmazonS3Builder::new()
                .with_url(url)
                .with_retry(retries())
                .with_client_options(client);
            let built = named(options, "AWS_")
                .fold(plain, |builder, (key, value)| {
                    builder.with_config(key, value)
                })
                .build();
            Some(built.map(|store| Box::new(store) as _))
        }
        ObjectStoreScheme::GoogleCloudStorage => {
            let plain = GoogleCloudStorageBuilder::new()
                .with_url(url)
                .with_retry(retries())
                .with_client_options(client);
            let built = named(options, "GOOGLE_")
                .fold(plain, |builder, (key, value)| {
                    builder.with_config(key, value)
                })
                .build();
            Some(built.map(|store| Box::new(store) as _))
        }
        ObjectStoreScheme::MicrosoftAzure => {
            let plain = MicrosoftAzureBuilder::new()
                .with_url(url)
                .with_retry(retries())
                .with_client_options(client);
            let built = named(options, "AZURE_")
                .fold(plain, |builder, (key, value)| {
                    builder.with_config(key, value)
                })
                .build();
            Some(built.map(|store| Box::new(store) as _))
        }
        _ => None,
    }
}

/// The options of one kind of store; those that it does not know are for others.
fn named<'a, K: FromStr>(
    options: &'a Options,
    prefix: &'a str,
) -> impl Iterator<Item = (K, &'a str)> {
    let named = options
        .iter()
        .filter(move |(name, _)| name.starts_with(prefix));
    named.filter_map(|(name, value)| {
        let key = name.to_ascii_lowercase().parse().ok()?;
        Some((key, value.as_str()))
    })
}

/// Over a hiccup only: each user of a store waits for it in its own way.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_millis(500),
            base: 2.0,
        },
        max_retries: 2,
        retry_timeout: CONNECT_TIMEOUT,
    }
}
