//! A web server on the loopback that answers as it is told, byte by byte: it may stall, break off, or lie.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    heads: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn head(&self, name: &str) -> Option<&str> {
        let found = self.heads.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first byte that is asked for.
    pub(crate) fn from(&self) -> usize {
        let range = self
            .head("range")
            .and_then(|range| range.strip_prefix("bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

/// What is answered, step by step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Nothing more comes until the other side gives up.
    Stall,
    /// The connection breaks.
    Reset,
    /// The same bytes for ever.
    Flood(Vec<u8>),
}

pub(crate) type Answer = Vec<Step>;

/// A server; it ends with the test's process.
pub(crate) struct Web {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    /// Answers every request by `answer`, each on a connection of its own. The number of requests before it comes with it.
    pub(crate) fn new(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), seen, answer) = (stream, seen.clone(), answer.clone()) else {
                    return;
                };
                thread::spawn(move || {
                    let Some(request) = read(&mut stream) else {
                        return;
                    };
                    let before = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    for step in answer(&request, before) {
                        if !play(&mut stream, &step) {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    let text = String::from_utf8(text).ok()?;
    let mut lines = text.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let heads = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Request { path, heads })
}

fn play(stream: &mut TcpStream, step: &Step) -> bool {
    match step {
        Step::Send(bytes) => stream.write_all(bytes).is_ok(),
        Step::Flood(bytes) => {
            while stream.write_all(bytes).is_ok() {}
            false
        }
        Step::Stall => {
            // Returns when the other side has closed.
            drop(stream.read(&mut [0]));
            false
        }
        Step::Reset => {
            let at_once = Some(std::time::Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(&*stream, at_once).unwrap();
            false
        }
    }
}

/// The head of an answer.
pub(crate) fn head(status: &str, heads: &[(&str, String)]) -> Vec<u8> {
    let heads: String = heads
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{heads}\r\n").into_bytes()
}

/// A whole answer.
pub(crate) fn body(status: &str, heads: &[(&str, String)], body: &[u8]) -> Answer {
    let mut all = heads.to_vec();
    all.push(("content-length", body.len().to_string()));
    vec![Step::Send(head(status, &all)), Step::Send(body.to_vec())]
}

pub(crate) fn ok(bytes: &[u8]) -> Answer {
    body("200 OK", &[], bytes)
}

pub(crate) fn missing() -> Answer {
    body("404 Not Found", &[], b"no such thing")
}

/// The rest of `bytes` from where it is asked for, as a server that knows ranges answers; `upto` bytes of it, then `end`.
pub(crate) fn ranged(request: &Request, bytes: &[u8], upto: usize, end: Option<Step>) -> Answer {
    let from = request.from();
    let rest = &bytes[from.min(bytes.len())..];
    let mut heads = vec![
        ("content-length", rest.len().to_string()),
        ("etag", "\"same\"".to_owned()),
    ];
    let status = if from > 0 {
        heads.push((
            "content-range",
            format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len()),
        ));
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let mut steps = vec![
        Step::Send(head(status, &heads)),
        Step::Send(rest[..upto.min(rest.len())].to_vec()),
    ];
    steps.extend(end);
    steps
}
