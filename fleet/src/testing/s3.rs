//! An S3 server in this process, for tests.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

const BUCKET: &str = "bucket";
const ACCESS_KEY: &str = "worker";
const SECRET_KEY: &str = "its secret";

/// A server with one bucket, in a folder of its own. It can be stopped and started again.
pub struct S3Server {
    folder: TempDir,
    address: SocketAddr,
    service: S3Service,
    running: Option<JoinHandle<()>>,
}

impl S3Server {
    /// A running server.
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let mut server = Self {
            folder,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            service: service.build(),
            running: None,
        };
        server.resume().await;
        server
    }

    /// Takes calls again, at the same address.
    pub async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.running = Some(tokio::spawn(serve(listener, self.service.clone())));
    }

    /// Closes the port and every connection.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _ = running.await;
        }
    }

    /// The URL of a store in the bucket.
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// What would be in the environment of a process that uses the server.
    pub fn options(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".into()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into()
    }

    /// Where the server keeps the bucket.
    pub fn bucket(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    // Dropped, and every connection with it, when the task is aborted.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        connections.spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}
