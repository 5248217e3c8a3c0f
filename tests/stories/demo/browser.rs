//! Chromium without a window, driven through its debugging pipe: JSON messages that end in a zero byte, on file descriptors 3
//! and 4. No driver, no web socket and no further crate is needed for that.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Where distributions put it.
const PLACES: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// How long the page may take for anything: a machine that builds at the same time is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// The shell hands its own standard input and output on as the pipe. The sandbox of chromium itself needs rights that
/// containers seldom have, and only our own page is opened.
const START: &str = r#"exec "$0" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --remote-debugging-pipe --user-data-dir="$1" about:blank 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A browser with one page.
pub(super) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: BufReader<ChildStdout>,
    session: Option<String>,
    n_sent: u64,
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts chromium; `None`, and a word about it, where there is none. With `CI=true` that fails.
    pub(super) async fn find() -> Option<Self> {
        let Some(program) = PLACES.into_iter().find(|place| Path::new(place).exists()) else {
            assert!(std::env::var("CI").is_err(), "CI needs chromium for the tests of the demo's page");
            println!("skipped: no chromium at {}", PLACES.join(", "));
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", START, program]).arg(profile.path());
        // A group of its own, so that its helpers end with it.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (commands, messages) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser =
            Self { child, commands, messages, session: None, n_sent: 0, complaints: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({})).await;
        }
        Some(browser)
    }

    /// Opens a page and returns before it has loaded.
    pub(super) async fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(opened.get("errorText").is_none(), "{opened}");
    }

    /// Types into whatever has the focus and presses Enter, as a keyboard does.
    pub(super) async fn type_line(&mut self, text: &str) {
        for letter in text.chars() {
            let key = letter.to_string();
            self.call("Input.dispatchKeyEvent", json!({ "type": "keyDown", "text": key, "key": key })).await;
            self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key })).await;
        }
        let enter = |kind: &str| json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
        self.call("Input.dispatchKeyEvent", enter("keyDown")).await;
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": "Enter" })).await;
    }

    /// Evaluates an expression in the page; what it gives.
    pub(super) async fn evaluate(&mut self, expression: &str) -> Value {
        let answer = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", answer).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true; the page looks at itself whenever it changes.
    pub(super) async fn wait_for(&mut self, expression: &str) {
        let patience = PATIENCE.as_millis();
        let watch = format!(
            "new Promise((resolve) => {{
                const test = () => Boolean({expression});
                if (test()) return resolve(true);
                const timer = setTimeout(() => resolve(document.body.innerText), {patience});
                const options = {{ subtree: true, childList: true, attributes: true, characterData: true }};
                new MutationObserver((_, observer) => {{
                    if (test()) {{ observer.disconnect(); clearTimeout(timer); resolve(true); }}
                }}).observe(document, options);
            }})"
        );
        let found = self.evaluate(&watch).await;
        assert_eq!(found, json!(true), "not so within {patience} ms: {expression}\ncomplaints: {:?}", self.complaints);
    }

    /// What scripts threw and what the browser refused, for instance by the page's content policy.
    pub(super) fn complaints(&self) -> Vec<String> {
        self.complaints.clone()
    }

    /// Ends the browser and waits for it.
    pub(super) async fn close(mut self) {
        self.session = None;
        self.call("Browser.close", json!({})).await;
        self.child.wait().await.unwrap();
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.n_sent += 1;
        let mut message = json!({ "id": self.n_sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.commands.write_all(&bytes).await.unwrap();
        tokio::time::timeout(PATIENCE * 2, self.answer(method)).await.unwrap()
    }

    async fn answer(&mut self, method: &str) -> Value {
        loop {
            let mut bytes = Vec::new();
            let n_read = self.messages.read_until(0, &mut bytes).await.unwrap();
            assert!(n_read > 0, "chromium ended during {method}");
            bytes.pop();
            let mut message: Value = serde_json::from_slice(&bytes).unwrap();
            match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => {
                    self.complaints.push(message["params"]["exceptionDetails"].to_string());
                }
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                    self.complaints.push(message["params"]["entry"].to_string());
                }
                _ => {}
            }
            if message["id"] == self.n_sent {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
        }
    }
}
