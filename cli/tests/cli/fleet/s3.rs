//! An S3 server in this process, over a temporary folder.

use std::fs;
use std::net::TcpListener as Probe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStoreExt, RetryConfig};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};

use crate::fleet::gate::Gate;

const BUCKET: &str = "batches";
const KEY_ID: &str = "tester";
const SECRET: &str = "only for tests";

/// A server on 127.0.0.1 with one bucket. It stops when dropped.
pub struct S3 {
    port: u16,
    server: Option<Runtime>,
    folder: TempDir,
}

impl S3 {
    /// Makes the bucket and starts the server.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        fs::create_dir(folder.path().join(BUCKET)).expect("a new folder");
        let mut s3 = Self {
            port: free_port(),
            server: None,
            folder,
        };
        s3.start();
        s3
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the bucket.
    pub fn url() -> String {
        format!("s3://{BUCKET}")
    }

    /// The environment that leads to the server, by way of a port of 127.0.0.1: its own or a
    /// gate's.
    pub fn environment(port: u16) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Starts the server.
    pub fn start(&mut self) {
        assert!(self.server.is_none(), "it runs");
        let files = FileSystem::new(self.folder.path()).expect("the folder is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        let address = ("127.0.0.1", self.port);
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .expect("the port is free");
        runtime.spawn(serve(listener, service.build()));
        self.server = Some(runtime);
    }

    /// Stops the server: connections end where they are, new ones are refused.
    pub fn stop(&mut self) {
        let server = self.server.take().expect("it runs");
        server.shutdown_timeout(Duration::from_secs(5));
    }

    /// The names of all whole objects, sorted.
    pub fn objects(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.folder.path().join(BUCKET), "", &mut names);
        names.sort();
        names
    }

    /// The file behind an object, to be read or tampered with.
    pub fn path(&self, object: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(object)
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    loop {
        let (socket, _) = listener.accept().await.expect("a listener accepts");
        let service = service.clone();
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client may leave at any time.
            let _ = server.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// Adds the names of all files under a folder.
fn collect(folder: &std::path::Path, prefix: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), names);
        } else {
            names.push(name);
        }
    }
}

/// A port of 127.0.0.1 that nobody has, below those that the system gives to clients: a server
/// that stops finds it free again.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side start at different places.
    let first = std::process::id() * 16;
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + ((first + u32::from(step)) % 10_000) as u16;
        if Probe::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

#[test]
fn a_stopped_s3_server_refuses_and_starts_again_with_its_objects() {
    let mut s3 = S3::new();
    let gate = Gate::new(s3.port());
    let client = |port| {
        let mut client = AmazonS3Builder::new()
            .with_url(S3::url())
            .with_retry(RetryConfig {
                max_retries: 0,
                ..RetryConfig::default()
            });
        for (name, value) in S3::environment(port) {
            let key = name.to_lowercase().parse().expect("a known name");
            client = client.with_config(key, value);
        }
        client.build().expect("all is said")
    };
    let (direct, behind) = (client(s3.port()), client(gate.port()));
    let runtime = Runtime::new().expect("threads");
    let name = Path::from("parts/one");
    let read =
        |client: &AmazonS3| runtime.block_on(async { client.get(&name).await?.bytes().await });

    let put = behind.put(&name, "a proof".into());
    runtime.block_on(put).expect("it is stored");
    assert_eq!(s3.objects(), ["parts/one"]);
    s3.stop();
    assert!(read(&direct).is_err() && read(&behind).is_err());
    s3.start();
    assert_eq!(read(&direct).expect("it is there"), "a proof");
    assert_eq!(read(&behind).expect("it is there"), "a proof");

    gate.hold_after(100_000);
    let upload = runtime.spawn({
        let (client, name) = (behind.clone(), name.clone());
        async move { client.put(&name, vec![7; 300_000].into()).await }
    });
    gate.wait_until_held();
    gate.cut();
    let cut = runtime.block_on(upload).expect("no panic");
    assert!(cut.is_err(), "half an object was stored");
    assert_eq!(s3.objects(), ["parts/one"]);
    assert_eq!(read(&direct).expect("it is there"), "a proof");
}
