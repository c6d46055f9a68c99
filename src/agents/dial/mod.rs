//! Agents that serve on a port or a socket: they say where in their first line on stdout, and are called there.
//!
//! The line must come within `startup_ms`; the connection, and the answer to `initialize` on it, within `dial_ms` from there. Whatever else
//! they print on stdout is read and dropped as long as they live: a pipe that nobody reads would stop them.

mod line;

use crate::{
    agents::process::{Process, ProcessHandle},
    domain::{
        agent::Transport,
        fault::{ErrorKind, Fault},
    },
    stdx::{
        lines::{self, Line},
        text::head,
    },
};
use line::{Endpoint, Wrong};
use std::{fmt, io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader},
    net::{TcpStream, UnixStream},
    process::ChildStdout,
    time::{Instant, sleep, timeout, timeout_at},
};

/// Bytes of the first line: it names a port or a path.
const LINE: usize = 4 * 1024;
/// Bytes of it that a fault quotes.
const QUOTED: usize = 400;
/// Between two calls of an agent that said where it serves a moment too early.
const AGAIN: Duration = Duration::from_millis(20);
/// From the end of stdout to the end of the process, usually the same moment.
const EXIT_GRACE: Duration = Duration::from_millis(2_500);
/// For a process that was killed to be gone.
const FUNERAL: Duration = Duration::from_secs(1);

/// A connection to an agent, and the hold on its process.
pub(crate) struct Dialled {
    pub(crate) handle: ProcessHandle,
    pub(crate) to: Box<dyn AsyncWrite + Send + Unpin>,
    pub(crate) from: Box<dyn AsyncRead + Send + Unpin>,
    /// When `initialize` must be answered.
    pub(crate) deadline: Instant,
}

/// Waits for an agent's first line, and calls it.
///
/// # Errors
/// `handshake_timeout`, `handshake_malformed`, `version_mismatch`, `dial_timeout`, `agent_spawn`, `agent_died`, each with the end of stderr;
/// the process is then killed with its last handle.
pub(crate) async fn dial(
    process: Process,
    transport: &Transport,
    agent: &str,
) -> Result<Dialled, Fault> {
    let (handle, mut stdout) = (process.handle, BufReader::new(process.stdout));
    let callee = Callee {
        agent,
        handle: &handle,
    };
    let endpoint = callee.endpoint(&mut stdout, transport).await?;
    tokio::spawn(drain(stdout));
    let deadline = Instant::now() + Duration::from_millis(transport.dial_ms);
    let (to, from) = callee.called(&endpoint, transport, deadline).await?;
    Ok(Dialled {
        handle,
        to,
        from,
        deadline,
    })
}

type Ways = (
    Box<dyn AsyncWrite + Send + Unpin>,
    Box<dyn AsyncRead + Send + Unpin>,
);

/// Until somebody answers. Fails only where it is not the agent.
async fn call(endpoint: &Endpoint) -> Result<Ways, &'static str> {
    loop {
        match endpoint {
            Endpoint::Tcp(address) => {
                if let Ok(stream) = TcpStream::connect(address).await {
                    // A turn is many small messages, each waited for. What cannot be set costs time, and nothing else.
                    drop(stream.set_nodelay(true));
                    let (from, to) = stream.into_split();
                    return Ok((Box::new(to), Box::new(from)));
                }
            }
            Endpoint::Unix(path) => {
                if let Ok(stream) = UnixStream::connect(path).await {
                    if !is_ours(&stream).unwrap_or(false) {
                        return Err("named a socket that another user serves");
                    }
                    let (from, to) = stream.into_split();
                    return Ok((Box::new(to), Box::new(from)));
                }
            }
        }
        sleep(AGAIN).await;
    }
}

fn is_ours(stream: &UnixStream) -> io::Result<bool> {
    let peer = stream.peer_cred()?.uid();
    Ok(peer == rustix::process::geteuid().as_raw())
}

/// An error ends it as the end does.
async fn drain(mut stdout: BufReader<ChildStdout>) {
    drop(tokio::io::copy_buf(&mut stdout, &mut tokio::io::sink()).await);
}

/// Who is called, for what is to be said of it.
struct Callee<'a> {
    agent: &'a str,
    handle: &'a ProcessHandle,
}

impl Callee<'_> {
    async fn endpoint(
        &self,
        stdout: &mut BufReader<ChildStdout>,
        transport: &Transport,
    ) -> Result<Endpoint, Fault> {
        let startup = Duration::from_millis(transport.startup_ms);
        let Ok(line) = timeout(startup, lines::next(stdout, LINE)).await else {
            let what = format!(
                "did not say where it serves within {} ms",
                startup.as_millis()
            );
            return Err(self.fault(ErrorKind::HandshakeTimeout, what).await);
        };
        let line = self.first(line).await?;
        match Endpoint::read(&line, transport.kind) {
            Ok(endpoint) => Ok(endpoint),
            Err(wrong) => Err(self.wrong(&line, &wrong).await),
        }
    }

    async fn called(
        &self,
        endpoint: &Endpoint,
        transport: &Transport,
        deadline: Instant,
    ) -> Result<Ways, Fault> {
        let (kind, what) = tokio::select! {
            biased;
            called = timeout_at(deadline, call(endpoint)) => match called {
                Ok(Ok(ways)) => return Ok(ways),
                Ok(Err(why)) => (ErrorKind::HandshakeMalformed, why.to_owned()),
                Err(_elapsed) => {
                    let what = format!("is not reached at {endpoint} within {} ms", transport.dial_ms);
                    (ErrorKind::DialTimeout, what)
                }
            },
            exit = self.handle.exited() => {
                let what = format!("died before it was reached at {endpoint} ({exit})");
                (ErrorKind::AgentDied, what)
            }
        };
        Err(self.fault(kind, what).await)
    }

    /// It is of no use: killed first, so that all it has said on stderr is in.
    async fn fault(&self, kind: ErrorKind, what: impl fmt::Display + Send) -> Fault {
        self.handle.kill();
        drop(timeout(FUNERAL, self.handle.exited()).await);
        let mut detail = format!("agent \"{}\" {what}", self.agent);
        detail.extend(self.handle.last_words());
        Fault::new(kind, detail)
    }

    async fn wrong(&self, line: &str, wrong: &Wrong) -> Fault {
        let quoted = head(line, QUOTED).escape_debug();
        let what = format!("printed \"{quoted}\" first, {}", wrong.why);
        self.fault(wrong.kind, what).await
    }

    /// The first line, if there is one.
    async fn first(&self, line: io::Result<Line>) -> Result<String, Fault> {
        match line {
            Ok(Line::Whole(line)) => Ok(String::from_utf8_lossy(&line).into_owned()),
            Ok(Line::TooLong { len }) => {
                let what = format!(
                    "printed a line of {len} bytes first; at most {LINE} say where it serves"
                );
                Err(self.fault(ErrorKind::HandshakeMalformed, what).await)
            }
            Ok(Line::End) | Err(_) => Err(self.ended().await),
        }
    }

    async fn ended(&self) -> Fault {
        match timeout(EXIT_GRACE, self.handle.exited()).await {
            Ok(_exit) if self.handle.never_started() => {
                self.fault(ErrorKind::AgentSpawn, "cannot be started").await
            }
            Ok(exit) => {
                let what = format!("died before it said where it serves ({exit})");
                self.fault(ErrorKind::AgentDied, what).await
            }
            Err(_elapsed) => {
                let what = "closed its output before it said where it serves";
                self.fault(ErrorKind::HandshakeMalformed, what).await
            }
        }
    }
}
