//! A PostgreSQL server for the tests of this binary, with its data in a temporary folder.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::programs;

/// How long a server may take to answer on a busy machine.
const RETRY_TIME: Duration = Duration::from_secs(60);

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
        programs::give(&folder);
        let initdb = programs::as_owner(programs::find("initdb"), &folder)
            .args(["--auth=trust", "--username=postgres", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata=data"])
            .output()
            .expect("initdb starts");
        assert!(initdb.status.success(), "{initdb:?}");
        let mut shell = programs::as_owner("sh", &folder);
        shell
            .args(["-c", SERVE])
            .arg(programs::find("postgres"))
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
                    assert!(start.elapsed() < RETRY_TIME, "{error}: {log:?}");
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
