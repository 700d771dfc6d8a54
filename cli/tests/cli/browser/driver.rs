//! A real browser without a screen, driven through Debian's chromedriver.

use std::path::Path;
use std::process::{Command, Stdio};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use url::{ParseError, Url};

use crate::fleet::process::Process;
use crate::fleet::time::wait_for;

/// The programs, and the packages of Debian that have them.
const PROGRAMS: [(&str, &str); 2] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// A browser of its own: no screen, no sandbox (tests may run as root), no calls home.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    // With the frame that has no screen either: some 900 pixels are left to the page.
    "--window-size=1280,1044",
];

/// A browser with one page. It ends when dropped.
pub struct Browser {
    // Dropped in this order: the driver, then what its browser has written.
    client: Client,
    runtime: Runtime,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    /// Starts chromedriver on a free port, and a browser.
    pub fn new() -> Self {
        for (program, package) in PROGRAMS {
            let mut version = Command::new(program);
            let found = version.arg("--version").stdout(Stdio::null()).status();
            assert!(
                found.is_ok_and(|status| status.success()),
                "cannot run {program}: install Debian's packages chromium and chromium-driver \
                 (this one is of {package})"
            );
        }
        let profile = TempDir::new().expect("a folder for temporary files");
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        let mut driver = Process::start("chromedriver", command);
        let line = driver.wait_for_line("started successfully on port ");
        let port = line.trim_end_matches('.').rsplit(' ').next();
        let url = format!("http://127.0.0.1:{}", port.expect("a last word"));
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(profile.path()));
        let client = runtime.block_on(builder.connect(&url));
        Self {
            client: client.expect("the driver starts a browser"),
            runtime,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Loads a page.
    pub fn open(&self, url: &str) {
        let opened = self.runtime.block_on(self.client.goto(url));
        opened.expect("the page loads");
    }

    /// The value of an expression of JavaScript in the page.
    pub fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        let value = self.runtime.block_on(self.client.execute(&script, vec![]));
        value.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// How many elements of the page fit a selector.
    pub fn count(&self, selector: &str) -> u64 {
        let selector = json!(selector);
        let value = self.value(&format!("document.querySelectorAll({selector}).length"));
        value.as_u64().expect("a number")
    }

    /// The text of the first element that fits a selector; empty if none does.
    pub fn text(&self, selector: &str) -> String {
        let selector = json!(selector);
        let value = self.value(&format!("document.querySelector({selector})?.innerText"));
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element fits a selector.
    pub fn wait_for(&self, selector: &str) {
        wait_for(selector, || (self.count(selector) > 0).then_some(()));
    }

    /// Presses a key and lets it go, wherever the focus is.
    pub fn press(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        let pressed = self.runtime.block_on(self.client.perform_actions(keys));
        pressed.expect("the browser has a keyboard");
    }

    /// What the browser's console got since the last call: errors of scripts, violations of
    /// the page's policy, answers that failed.
    pub fn console(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.client.issue_cmd(BrowserLog));
        let log = log.expect("the driver keeps the log");
        let entries = log.as_array().expect("a list").iter();
        let messages = entries.map(|entry| entry["message"].as_str().expect("a message"));
        messages.map(str::to_owned).collect()
    }

    /// The page as a PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let image = self.runtime.block_on(self.client.screenshot());
        image.expect("the browser draws")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser only when it is told to. It may be gone already.
        let _ = self.runtime.block_on(self.client.clone().close());
    }
}

fn capabilities(profile: &Path) -> Capabilities {
    let mut flags = FLAGS.map(str::to_owned).to_vec();
    flags.push(format!("--user-data-dir={}", profile.display()));
    Capabilities::from_iter([
        ("goog:chromeOptions".to_owned(), json!({ "args": flags })),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
    ])
}

/// Chromedriver's own command for the console.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/se/log"))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
