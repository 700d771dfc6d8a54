//! A PostgreSQL server for the tests of this binary, with its data in a temporary folder.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// How long a server may take to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the server `$0` on the folder `data`, and stops it when standard input is closed,
/// which happens however this process ends.
const SERVE: &str = r#"
"$0" -D data -k "$PWD" -h '' -c fsync=off -c max_connections=300 > log 2>&1 &
cat > /dev/null
kill -QUIT $!
wait
rm -rf "$PWD"
"#;

/// The URL of a new database of the server.
pub async fn database() -> String {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(Server::start).await;
    let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = server.connect().await.expect("the server answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .expect("a new database");
    admin.close().await.expect("the server answers");
    server.url(&name)
}

/// A running server; it takes connections by a socket in its folder.
struct Server {
    folder: PathBuf,
    /// Runs [`SERVE`]. Its standard input stays open as long as this process is there.
    _shell: Child,
}

impl Server {
    async fn start() -> Self {
        install_default_drivers();
        let folder = TempDir::new().expect("a folder for temporary files").keep();
        if let Some((user, group)) = owner() {
            chown(&folder, Some(user), Some(group)).expect("root may");
        }
        let initdb = program("initdb", &folder)
            .args(["--auth=trust", "--username=postgres", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata=data"])
            .output()
            .expect("initdb starts");
        assert!(initdb.status.success(), "{initdb:?}");
        let mut shell = as_owner("sh", &folder);
        shell
            .args(["-c", SERVE])
            .arg(find("postgres"))
            .stdin(Stdio::piped());
        let server = Self {
            _shell: shell.spawn().expect("a shell"),
            folder,
        };
        server.wait().await;
        server
    }

    async fn wait(&self) {
        let start = Instant::now();
        loop {
            match self.connect().await {
                Ok(connection) => return connection.close().await.expect("the server answers"),
                Err(error) => {
                    let log = fs::read_to_string(self.folder.join("log"));
                    assert!(start.elapsed() < PATIENCE, "{error}: {log:?}");
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn connect(&self) -> sqlx::Result<AnyConnection> {
        AnyConnection::connect(&self.url("postgres")).await
    }

    fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres://postgres@localhost/{database}?host={folder}")
    }
}

/// A program of PostgreSQL, run in a folder by the folder's owner.
fn program(name: &str, folder: &Path) -> Command {
    as_owner(find(name), folder)
}

fn as_owner(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = match owner() {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={user}"))
                .arg(format!("--regid={group}"))
                .arg("--clear-groups")
                .arg(program);
            command
        }
    };
    command.current_dir(folder);
    command
}

/// PostgreSQL does not run as root: the user and group of Debian's package, or else nobody's.
fn owner() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").expect("this is Linux").uid();
    if own != 0 {
        return None;
    }
    let mut users = ["postgres", "nobody"].into_iter();
    let owner = users.find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
    assert!(owner.is_some(), "found no user postgres or nobody");
    owner
}

/// What `id` prints.
fn id(option: &str, user: &str) -> Option<u32> {
    let output = Command::new("id").args([option, user]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The program of the newest version that Debian's packages have put beside the search path,
/// or else of that path.
fn find(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .map(|version| (version, format!("/usr/lib/postgresql/{version}/bin/{name}")))
        .filter(|(_, path)| Path::new(path).exists())
        .max();
    if let Some((_, path)) = newest {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!(
            "found no {name} in /usr/lib/postgresql or on the search path: these tests need \
             PostgreSQL, Debian's package `postgresql`"
        )
    })
}
