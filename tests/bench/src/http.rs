//! One kept-alive HTTP/1.1 connection over loopback, as little as will do: what the load costs must not be mistaken for what
//! the host costs, and both share the machine.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for the head of any answer; the bodies that are read here are empty or small.
const READ_BYTES: usize = 4_096;

/// A connection; one request at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(READ_BYTES) })
    }

    /// The body at a path.
    pub(crate) async fn fetch(&mut self, path: &str) -> anyhow::Result<String> {
        let status = self.send(&get(path)).await?;
        ensure!(status == 200, "{path} was answered {status}");
        let body = self.read.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |head| head + 4);
        Ok(String::from_utf8_lossy(self.read.get(body..).unwrap_or_default()).into_owned())
    }

    /// Sends a whole request and reads its whole answer; the status.
    pub(crate) async fn send(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            let n_read = self.stream.read_buf(&mut self.read).await?;
            ensure!(n_read > 0, "the other side closed the connection");
            if let Some((status, whole)) = answer(&self.read)
                && self.read.len() >= whole
            {
                return Ok(status);
            }
        }
    }
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A request with a JSON body and one more header.
pub(crate) fn post(path: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{header}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Status and length in all of an answer whose head is complete.
fn answer(read: &[u8]) -> Option<(u16, usize)> {
    let head_bytes = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(read.get(..head_bytes)?).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, head_bytes + length.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_its_head_says() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(answer(head), Some((200, head.len() + 5)));
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\nContent-Le"), None);
    }

    #[test]
    fn a_post_says_how_long_its_body_is() {
        let request = String::from_utf8(post("/p", "x-a: b", b"{}")).unwrap();
        assert!(request.contains("content-length: 2\r\nx-a: b\r\n\r\n{}"), "{request}");
    }
}
