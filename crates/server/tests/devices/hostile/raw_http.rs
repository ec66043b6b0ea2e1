//! A connection on which anything may be written.

use testkit::server::TestServer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection to the device listener, without a client that knows better.
pub struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub async fn open(server: &TestServer) -> Self {
        let address = server.device_url().split_once("://").unwrap().1;
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    /// The head of a request with these headers; the `Host` is a matter of course.
    pub async fn head(server: &TestServer, first_line: &str, headers: &[&str]) -> Self {
        let mut raw = Self::open(server).await;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        raw.write(format!("{first_line} HTTP/1.1\r\nHost: mdm\r\n{headers}\r\n").as_bytes()).await;
        raw
    }

    /// Writes, as far as the server still listens.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Says that nothing more will come.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Waits for the line that asks for the body.
    pub async fn is_asked_for_the_body(&mut self) {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut line = [0; CONTINUE.len()];
        self.stream.read_exact(&mut line).await.unwrap();
        assert_eq!(line, CONTINUE);
    }

    /// The status of the answer; `None` where the server hangs up without one.
    pub async fn status(&mut self) -> Option<u16> {
        let mut line = Vec::new();
        loop {
            match self.stream.read_u8().await {
                Ok(b'\n') | Err(_) => break,
                Ok(byte) => line.push(byte),
            }
        }
        let line = String::from_utf8(line).unwrap();
        line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// Reads until the server hangs up.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let _ = self.stream.read_to_end(&mut all).await;
        all
    }
}
