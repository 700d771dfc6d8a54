//! A node that answers as a test says: over HTTP, on a port of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is answered: a status and a body, or nothing at all.
pub type Answer = Option<(u16, String)>;

/// A node. It answers until the test's process ends.
pub struct Node {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
    /// How many answers have failed an assertion.
    failed: Arc<AtomicUsize>,
}

impl Drop for Node {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!(
                self.failed.load(Ordering::Relaxed),
                0,
                "a question was wrong"
            );
        }
    }
}

/// Counts an answer that ends in a panic.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Node {
    /// Answers by a function of path and body.
    pub fn new(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has one"));
        let asked = Arc::new(Mutex::new(vec![]));
        let failed = Arc::new(AtomicUsize::new(0));
        let (paths, failures) = (Arc::clone(&asked), Arc::clone(&failed));
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, paths) = (Arc::clone(&answer), Arc::clone(&paths));
                let guard = Guard(Arc::clone(&failures));
                let stream = stream.expect("a connection");
                thread::spawn(move || {
                    let _guard = guard;
                    serve(&stream, |path, body| {
                        paths
                            .lock()
                            .expect("no test has failed")
                            .push(path.to_owned());
                        answer(path, body)
                    })
                });
            }
        });
        Self { url, asked, failed }
    }

    /// What it was asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no test has failed"))
    }
}

/// Answers one request, and closes the connection.
fn serve(mut stream: &TcpStream, answer: impl Fn(&str, &str) -> Answer) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or_default() == 0 {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        let header = header.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let Some((status, text)) = answer(&path, &String::from_utf8_lossy(&body)) else {
        return;
    };
    let length = text.len();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    // Who asks may have heard enough.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(text.as_bytes());
}
