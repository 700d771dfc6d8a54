//! Witnesses, proofs and manifests in an object store, each named by its SHA-256.
//!
//! An unavailable store never looks like one without the object: every store holds a marker,
//! written when it is made, and an object counts as missing only where the marker is there. A
//! local folder is made a store only where none of a store's names is taken, and nothing is
//! removed from it but objects. A credential for S3 needs `s3:ListBucket`, without which S3 answers a read of a
//! missing object as if reading were forbidden.

mod local;
mod name;
mod open;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use shardfold_aggregator::ValidityProof;
use shardfold_protocol::files::FileContent as _;
use shardfold_protocol::witness::ShardWitness;

pub use local::is_foreign;
pub use name::{Folder, NameError, ObjectName};

/// The most bytes that a shard's witness may have.
pub const MAX_WITNESS_BYTES: u64 = ShardWitness::MAX_BYTES;
/// The most bytes that a job's result may have.
pub const MAX_PART_BYTES: u64 = 16 << 20;
/// The most bytes that a validity proof may have.
pub const MAX_PROOF_BYTES: u64 = ValidityProof::MAX_BYTES;

/// The object by which a store is known to be there.
const MARKER: &str = "shardfold-store";
/// What the marker holds.
const MARKER_BYTES: &[u8] = b"objects of shardfold\n";

/// Why an object cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The store is there, the object is not.
    #[error("{store} has no object {path}")]
    Missing {
        /// The store without the object.
        store: Arc<str>,
        /// Where the object should lie in it.
        path: Path,
    },
    /// The object has other bytes than those that it is named by.
    #[error("the object of {store} that should be {expected} was altered: it hashes to {found}")]
    Altered {
        /// The store of the object.
        store: Arc<str>,
        /// The SHA-256 of the bytes found.
        found: ObjectName,
        /// The name of the object: the SHA-256 that it should have.
        expected: ObjectName,
    },
    /// More bytes than such an object may have; they were not read.
    #[error("found {found} bytes in {path} of {store}, expected at most {limit}")]
    TooLarge {
        /// The store of the object.
        store: Arc<str>,
        /// Where the object lies in it.
        path: Path,
        /// How many bytes the store says there are.
        found: u64,
        /// The most bytes that such an object may have.
        limit: u64,
    },
    /// Something that is none of a store's, where a store would have its own.
    #[error(
        "{} is there already and not of a store of shardfold: move it, or name another folder",
        found.display()
    )]
    Foreign {
        /// What is in the way.
        found: PathBuf,
    },
    /// No store has this URL.
    #[error("{found:?} is not an object store: {source}")]
    Url {
        /// The URL found.
        found: Box<str>,
        /// What is wrong with it.
        source: UrlError,
    },
    /// The store cannot be reached, is not where it was, is full, or refuses access.
    #[error("the object store {store} cannot be used: {source}")]
    Unavailable {
        /// The store that cannot be used.
        store: Arc<str>,
        /// The error of the store.
        source: object_store::Error,
    },
}

impl ObjectsError {
    /// Returns whether the same call may succeed once the store is back.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Why a URL is not one of an object store.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// Not a URL.
    #[error(transparent)]
    Syntax(#[from] url::ParseError),
    /// A scheme of no store that lasts.
    #[error("expected a path, or a URL of file, s3, gs or az")]
    Scheme,
    /// A `file://` URL of another machine.
    #[error("expected file:// and an absolute path")]
    NotLocal,
    /// The options for this kind of store do not fit together.
    #[error(transparent)]
    Store(object_store::Error),
}

/// An object store. Clones share it.
#[derive(Clone)]
pub struct Objects(Arc<Inner>);

struct Inner {
    root: Root,
    /// What the operator called it.
    url: Arc<str>,
}

/// What holds the objects.
enum Root {
    /// A folder of this machine, or one that is mounted like it.
    Local(LocalFileSystem),
    /// Anything else.
    Remote(Box<dyn ObjectStore>),
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({})", self.0.url)
    }
}

impl Objects {
    /// Returns the store at a path or at a URL: `file://PATH`, `s3://BUCKET/PREFIX`, and those of
    /// Azure and Google that `object_store` knows, with options and credentials from the
    /// environment (`AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, `AWS_ALLOW_HTTP` and so on). It must have
    /// been made by [`create`](Self::create): a folder that is not mounted yet is no empty store.
    ///
    /// # Errors
    /// [`ObjectsError::Url`], or [`ObjectsError::Unavailable`].
    pub async fn open(url: &str) -> Result<Self, ObjectsError> {
        Self::open_with(url, &open::environment()).await
    }

    /// Returns the same; makes the store if it is not there: a local folder, or what is in a
    /// bucket, but not the bucket.
    ///
    /// # Errors
    /// [`ObjectsError::Url`], or [`ObjectsError::Unavailable`].
    pub async fn create(url: &str) -> Result<Self, ObjectsError> {
        Self::create_with(url, &open::environment()).await
    }

    /// As [`open`](Self::open), with these options in place of the environment.
    pub(crate) async fn open_with(
        url: &str,
        options: &open::Options,
    ) -> Result<Self, ObjectsError> {
        let objects = open::connect(url, options, false)?;
        objects.check().await?;
        Ok(objects)
    }

    /// As [`create`](Self::create), with these options in place of the environment.
    pub(crate) async fn create_with(
        url: &str,
        options: &open::Options,
    ) -> Result<Self, ObjectsError> {
        let objects = open::connect(url, options, true)?;
        objects.mark().await?;
        Ok(objects)
    }

    /// Returns the store in a folder of this machine, whatever its name is made of; made if it is
    /// not there.
    ///
    /// # Errors
    /// [`ObjectsError::Foreign`], or [`ObjectsError::Unavailable`].
    pub async fn create_in(folder: &FilePath) -> Result<Self, ObjectsError> {
        let objects = open::local(folder, true)?;
        objects.mark().await?;
        Ok(objects)
    }

    /// Writes the marker where there is none yet.
    async fn mark(&self) -> Result<(), ObjectsError> {
        let marker = Path::from(MARKER);
        match self.store().head(&marker).await {
            Ok(_) => return Ok(()),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(self.unavailable(source)),
        }
        if let Root::Local(store) = &self.0.root
            && let Some(found) = local::in_the_way(&self.local_path(store, &marker)?)
        {
            return Err(ObjectsError::Foreign { found });
        }
        let put = self.store().put(&marker, MARKER_BYTES.into()).await;
        put.map(drop).map_err(|source| self.unavailable(source))
    }

    /// Removes all objects of a local store, its marker last, and its folder; whatever else is
    /// there stays, and the marker with it. Returns whether all is gone.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub fn remove_store(&self) -> Result<bool, ObjectsError> {
        match &self.0.root {
            Root::Local(store) => {
                let marker = self.local_path(store, &Path::from(MARKER))?;
                local::remove_store(&marker).map_err(|error| self.refused(error))
            }
            Root::Remote(_) => Ok(false),
        }
    }

    fn new(root: Root, url: &str) -> Self {
        Self(Arc::new(Inner {
            root,
            url: url.into(),
        }))
    }

    /// Keeps bytes under the name that they have, whole or not at all; they outlast a crash.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub async fn put(
        &self,
        folder: Folder<'_>,
        bytes: Vec<u8>,
    ) -> Result<ObjectName, ObjectsError> {
        let name = ObjectName::of(&bytes);
        // A folder that was moved would be made anew, and what is put there be lost when
        // the old one is back: looked for before, and after in case it went in between.
        self.check_present().await?;
        let put = self.store().put(&folder.object(name), bytes.into()).await;
        put.map_err(|source| self.unavailable(source))?;
        self.check_present().await?;
        Ok(name)
    }

    /// Returns the bytes of this name.
    ///
    /// # Errors
    /// [`ObjectsError::TooLarge`] before more than `limit` bytes are read, and all others but
    /// [`ObjectsError::Url`].
    pub async fn get(
        &self,
        folder: Folder<'_>,
        name: ObjectName,
        limit: u64,
    ) -> Result<Vec<u8>, ObjectsError> {
        let path = folder.object(name);
        let found = match self.store().get(&path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => {
                self.check_present().await?;
                let store = self.0.url.clone();
                return Err(ObjectsError::Missing { store, path });
            }
            Err(source) => return Err(self.unavailable(source)),
        };
        if found.meta.size > limit {
            return Err(ObjectsError::TooLarge {
                store: self.0.url.clone(),
                path,
                found: found.meta.size,
                limit,
            });
        }
        let bytes = found.bytes().await;
        let bytes = Vec::from(bytes.map_err(|source| self.unavailable(source))?);
        let hash = ObjectName::of(&bytes);
        if hash != name {
            return Err(ObjectsError::Altered {
                store: self.0.url.clone(),
                found: hash,
                expected: name,
            });
        }
        Ok(bytes)
    }

    /// Returns the names of the objects in a folder, in order; other names are skipped.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub async fn list(&self, folder: Folder<'_>) -> Result<Vec<ObjectName>, ObjectsError> {
        let listed = self.store().list_with_delimiter(Some(&folder.path())).await;
        let objects = listed.map_err(|source| self.unavailable(source))?.objects;
        // A folder without objects is the same as none at all.
        if objects.is_empty() {
            self.check_present().await?;
        }
        let mut names: Vec<ObjectName> = objects
            .iter()
            .filter_map(|object| object.location.filename()?.parse().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Removes an object, if it is there; from a local folder also what killed processes have
    /// left of it in the making.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub async fn remove(&self, folder: Folder<'_>, name: ObjectName) -> Result<(), ObjectsError> {
        let path = folder.object(name);
        if let Root::Local(store) = &self.0.root {
            local::remove_unfinished(&self.local_path(store, &path)?);
        }
        match self.store().delete(&path).await {
            Ok(()) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => self.check_present().await,
            Err(source) => Err(self.unavailable(source)),
        }
    }

    /// Removes all objects in a folder, from a local one also what killed processes have left of
    /// them in the making; whatever else is there stays.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub async fn remove_all(&self, folder: Folder<'_>) -> Result<(), ObjectsError> {
        let Root::Local(store) = &self.0.root else {
            for name in self.list(folder).await? {
                self.remove(folder, name).await?;
            }
            return Ok(());
        };
        self.check_present().await?;
        let path = self.local_path(store, &folder.path())?;
        local::remove_objects(&path)
            .map(drop)
            .map_err(|error| self.refused(error))
    }

    /// Whether the store is still the one that was opened.
    ///
    /// # Errors
    /// [`ObjectsError::Unavailable`].
    pub async fn check(&self) -> Result<(), ObjectsError> {
        self.check_present().await
    }

    async fn check_present(&self) -> Result<(), ObjectsError> {
        let marker = self.store().head(&Path::from(MARKER)).await;
        marker.map_err(|source| self.unavailable(source))?;
        Ok(())
    }

    fn store(&self) -> &dyn ObjectStore {
        match &self.0.root {
            Root::Local(store) => store,
            Root::Remote(store) => store.as_ref(),
        }
    }

    fn local_path(&self, store: &LocalFileSystem, path: &Path) -> Result<PathBuf, ObjectsError> {
        let path = store.path_to_filesystem(path);
        path.map_err(|source| self.unavailable(source))
    }

    fn refused(&self, error: std::io::Error) -> ObjectsError {
        self.unavailable(object_store::Error::Generic {
            store: "LocalFileSystem",
            source: error.into(),
        })
    }

    fn unavailable(&self, source: object_store::Error) -> ObjectsError {
        ObjectsError::Unavailable {
            store: self.0.url.clone(),
            source,
        }
    }
}
