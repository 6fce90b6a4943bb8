//! A server that answers by a script, well or badly, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of one request.
#[derive(Clone)]
pub enum Step {
    /// An answer with status, head lines and body.
    Answer(u16, Vec<String>, Vec<u8>),
    /// As much of such an answer as this many bytes of its body; then the connection is cut.
    Cut(Box<Step>, usize),
    /// The connection is cut without an answer.
    Drop,
    /// No answer, and the connection stays.
    Stall,
}

impl Step {
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let kind = vec!["Content-Type: application/json".to_owned()];
        Self::Answer(status, kind, body.into().into_bytes())
    }

    pub fn html(status: u16, body: &str) -> Self {
        let kind = vec!["Content-Type: text/html".to_owned()];
        Self::Answer(status, kind, body.into())
    }

    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, dwmap_odata::ErrorBody::new(code, message).render())
    }

    pub fn head(self, line: &str) -> Self {
        match self {
            Self::Answer(status, mut head, body) => {
                head.push(line.to_owned());
                Self::Answer(status, head, body)
            }
            other => other,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Answer(status, head, body) => {
                let length = body.len();
                let mut out = format!(
                    "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {length}\r\n"
                );
                for line in head {
                    out.push_str(line);
                    out.push_str("\r\n");
                }
                out.push_str("\r\n");
                [out.as_bytes(), body].concat()
            }
            Self::Cut(answer, kept) => {
                let Self::Answer(_, _, body) = answer.as_ref() else {
                    return Vec::new();
                };
                let mut all = answer.bytes();
                all.truncate(all.len() - (body.len() - kept));
                all
            }
            Self::Drop | Self::Stall => Vec::new(),
        }
    }
}

/// A running server.
pub struct Scripted {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers requests by these steps, one after the other, and what comes after them by 500.
    pub async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut steps: Vec<Step> = steps.into_iter().collect();
        steps.reverse();
        let steps = Arc::new(Mutex::new(steps));
        tokio::spawn({
            let requests = requests.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, steps.clone(), requests.clone()));
                }
            }
        });
        Self { url, requests }
    }

    /// The requests so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    steps: Arc<Mutex<Vec<Step>>>,
    requests: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let request = read_request(&mut stream).await?;
    requests.lock().unwrap().push(request);
    let step = steps.lock().unwrap().pop();
    let step = step.unwrap_or_else(|| Step::error(500, "script", "the script has ended"));
    if matches!(step, Step::Stall) {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    stream.write_all(&step.bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ")?
                    .trim()
                    .parse::<usize>()
                    .ok()
            });
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
