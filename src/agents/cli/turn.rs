//! One turn: a process from its start until all it said is read and it has ended.

use super::{
    handle::{Cli, Next},
    output::{Heard, Reader, Trouble},
    papers::{self, Prepared},
    verdict::{self, Seen, Verdict},
};
use crate::{
    agents::{
        acp::{Books, Junk, MAX_LINE, Opening, Permit, TurnEnd, TurnEvent},
        badge::Badge,
        process::{Exit, Process, ProcessHandle, Stdin},
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::SessionId,
        policy::Policy,
        usage::Usage,
    },
    stdx::{
        Pause,
        lines::{self, Line},
        text::tail,
    },
};
use futures::{Stream, StreamExt as _, stream};
use std::{pin::Pin, time::Duration};
use tokio::{
    io::{AsyncWriteExt as _, BufReader},
    process::ChildStdout,
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// For what was written before the end of a process to be read after it: somebody else may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// Bytes of stderr in a fault; more of it is kept with the attempt.
const STDERR: usize = 2_048;
/// As much as a pipe holds.
const BUFFER: usize = 64 * 1024;
/// Of a text that is no protocol, so much is kept to be looked at for what went wrong.
const PRINTED: usize = 4 * 1024;

/// What one turn is made of.
pub(super) struct Driver {
    pub(super) cli: Cli,
    pub(super) opening: Opening,
    pub(super) next: Next,
    pub(super) works_for: Option<SessionId>,
    pub(super) cancelled: CancellationToken,
}

/// What happened while the process ran.
enum Happened {
    Line(Option<Line>),
    Fed,
    Cancelled,
    Late,
    /// It has said all, and does not end.
    Overdue,
    Exited,
}

/// Why its output is not followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It has closed its output, or has ended.
    Over,
    Cancelled,
    Late,
    Overdue,
    TooLong(usize),
}

impl Driver {
    pub(super) async fn drive(
        self,
        text: String,
        permit: Permit,
        events: mpsc::UnboundedSender<TurnEvent>,
    ) -> Result<TurnEnd, Fault> {
        let books = Books::open(&permit, events);
        let Prepared {
            command,
            input,
            badge,
            papers,
        } = self.prepare(text, permit.policy).await?;
        if self.cancelled.is_cancelled() {
            return Ok(books.close("cancelled".to_owned(), None));
        }
        let inner = &self.cli.inner;
        let Process {
            stdin,
            stdout,
            handle,
        } = inner.launcher.launch(command).await?;
        let guard = Guard(handle.clone());
        handle.count_in(&inner.peak);
        self.begin(&handle, badge.as_ref());
        books.tell(TurnEvent::Learnt {
            pid: Some(handle.pid()),
            session: None,
        });
        let mut ears = Ears {
            lines: lines_of(stdout),
            reader: Reader::of(&inner.form),
            books,
            junk: Junk::default(),
            told: Told::default(),
        };
        let why = self
            .follow(&mut ears, &handle, stdin, input, &permit.pause)
            .await;
        let exit = self.end(why, &mut ears, &handle).await;
        drop((guard, badge, papers));
        self.close(why, exit, ears, &handle)
    }

    async fn prepare(&self, text: String, policy: Policy) -> Result<Prepared, Fault> {
        let (inner, next) = (self.cli.inner.clone(), self.next.clone());
        let opening = self.opening.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            papers::prepare(&inner, &next, &opening, &policy, text)
        });
        prepared.await.map_err(Fault::internal)?
    }

    /// The process is ours from its first moment: it may call the hub before it has said anything.
    fn begin(&self, handle: &ProcessHandle, badge: Option<&Badge>) {
        let (pid, lineage) = (handle.pid(), &self.cli.inner.lineage);
        lineage.watch(pid, handle.gone());
        if let Some(badge) = badge {
            badge.is_of(pid);
        }
        if let Some(session) = self.works_for {
            lineage.begins(pid, session);
            if let Some(badge) = badge {
                badge.bind(session);
            }
        }
        self.cli.runs(handle.clone());
    }

    /// Feeds the process and hears it, until there is no more to hear or it must end.
    async fn follow(
        &self,
        ears: &mut Ears,
        process: &ProcessHandle,
        stdin: Stdin,
        input: Option<String>,
        pause: &Pause,
    ) -> Why {
        let limits = self.cli.inner.launch.definition.limits;
        let late = pause.sleep(Duration::from_millis(limits.prompt_ms));
        let feeding = feed(stdin, input);
        let exited = async {
            process.exited().await;
            sleep(LAST_WORDS).await;
        };
        tokio::pin!(late, feeding, exited);
        let (mut fed, mut over_at) = (false, None);
        let grace = Duration::from_millis(limits.close_ms);
        loop {
            if over_at.is_none() && ears.says_it_is_over() {
                over_at = Some(Instant::now() + grace);
            }
            let overdue = sleep_until(over_at.unwrap_or_else(Instant::now));
            let happened = tokio::select! {
                biased;
                // Before what it says: one that never stops talking would never be ended.
                () = self.cancelled.cancelled() => Happened::Cancelled,
                () = &mut late => Happened::Late,
                () = overdue, if over_at.is_some() => Happened::Overdue,
                () = &mut feeding, if !fed => Happened::Fed,
                line = ears.lines.next() => Happened::Line(line),
                () = &mut exited => Happened::Exited,
            };
            match happened {
                Happened::Line(Some(Line::Whole(bytes))) => ears.hear(&bytes),
                Happened::Line(Some(Line::TooLong { len })) => return Why::TooLong(len),
                Happened::Line(Some(Line::End) | None) | Happened::Exited => return Why::Over,
                Happened::Fed => fed = true,
                Happened::Cancelled => return Why::Cancelled,
                Happened::Late => return Why::Late,
                Happened::Overdue => return Why::Overdue,
            }
        }
    }

    /// Sees the process end, by itself or by the ladder, and hears its last words; a process whose output is closed has a little time to end.
    async fn end(&self, why: Why, ears: &mut Ears, process: &ProcessHandle) -> Option<Exit> {
        let grace = Duration::from_millis(self.cli.inner.launch.definition.limits.close_ms);
        let ended = match why {
            Why::Over => timeout(grace, process.exited()).await.ok(),
            Why::Cancelled | Why::Late | Why::Overdue | Why::TooLong(_) => None,
        };
        if ended.is_some() {
            return ended;
        }
        let last_words = async {
            process.exited().await;
            sleep(LAST_WORDS).await;
        };
        tokio::join!(process.terminate(), async {
            tokio::select! {
                () = ears.hear_out() => {}
                () = last_words => {}
            }
        });
        None
    }

    fn close(
        self,
        why: Why,
        exit: Option<Exit>,
        mut ears: Ears,
        process: &ProcessHandle,
    ) -> Result<TurnEnd, Fault> {
        let stderr = process.stderr_tail();
        let definition = &self.cli.inner.launch.definition;
        let end = match self.judge(why, exit, &ears, process, &stderr) {
            Verdict::Ended(stop_reason) => Ok(stop_reason),
            Verdict::Fault {
                kind,
                what,
                retry_at,
            } => {
                let fault = fault(&definition.id, kind, &what, &stderr, &ears.junk);
                let fault = fault.retry_at(retry_at);
                Err(if kind == ErrorKind::AgentAuth {
                    let program = &definition.launch.command;
                    fault.hint(format!(
                        "log in to {program} in a terminal, or pass its key in the environment"
                    ))
                } else {
                    fault
                })
            }
        };
        self.rest(end.is_ok(), &ears.told);
        let stop_reason = end?;
        ears.answer();
        Ok(ears.books.close(stop_reason, ears.told.usage))
    }

    fn judge(
        &self,
        why: Why,
        exit: Option<Exit>,
        ears: &Ears,
        process: &ProcessHandle,
        stderr: &str,
    ) -> Verdict {
        let limits = self.cli.inner.launch.definition.limits;
        let fault = |kind, what| Verdict::Fault {
            kind,
            what,
            retry_at: None,
        };
        match why {
            Why::Cancelled => Verdict::Ended("cancelled".to_owned()),
            Why::Late => {
                let what = format!("did not end its turn within {} ms", limits.prompt_ms);
                fault(ErrorKind::TimedOut, what)
            }
            Why::TooLong(len) => {
                let what = format!("printed a line of {len} bytes; at most {MAX_LINE} are read");
                fault(ErrorKind::TooLarge, what)
            }
            Why::Over | Why::Overdue => verdict::judge(&Seen {
                exit,
                never_started: process.never_started(),
                ended: ears.told.ended.clone(),
                failed: ears.told.failed.clone(),
                trouble: ears.told.trouble.clone(),
                goes_on: self.next.goes_on(),
                heard: ears.told.heard,
                said: ears.books.has_said() || ears.told.answer.is_some(),
                junk: ears.junk.told().is_some(),
                ends_silently: ears.reader.ends_silently(),
                stderr,
                printed: &ears.told.printed,
            }),
        }
    }

    /// Keeps what the next turn is to go on with.
    fn rest(&self, in_order: bool, told: &Told) {
        let form = &self.cli.inner.form;
        let next = self.next.after(told.session.as_deref(), in_order, form);
        if let (Some(session), Some(pid)) = (self.works_for, self.cli.pid()) {
            self.cli.inner.lineage.ends(pid, session);
        }
        self.cli.rests(next);
    }
}

/// What a turn is heard by.
struct Ears {
    lines: Pin<Box<dyn Stream<Item = Line> + Send>>,
    reader: Reader,
    books: Books,
    junk: Junk,
    told: Told,
}

/// What was heard so far, beside what is in the books.
#[derive(Debug, Default)]
struct Told {
    session: Option<String>,
    usage: Option<Usage>,
    ended: Option<String>,
    answer: Option<String>,
    failed: Option<Trouble>,
    trouble: Option<Trouble>,
    heard: bool,
    /// The end of an output that is no protocol.
    printed: String,
}

impl Ears {
    /// It has said that its turn is over, and nothing can follow.
    fn says_it_is_over(&self) -> bool {
        let over = self.told.ended.is_some() || self.told.failed.is_some();
        over && self.reader.says_when_it_is_over()
    }

    fn hear(&mut self, bytes: &[u8]) {
        let line = String::from_utf8_lossy(bytes);
        let Some(heard) = self.reader.read(&line) else {
            return self.junk.add(&line);
        };
        if matches!(self.reader, Reader::Text) {
            self.told.printed.push_str(&line);
            self.told.printed.push('\n');
            if self.told.printed.len() > 2 * PRINTED {
                self.told.printed = tail(&self.told.printed, PRINTED).to_owned();
            }
        }
        for heard in heard {
            self.told.heard = true;
            self.enter(heard);
        }
    }

    fn enter(&mut self, heard: Heard) {
        let told = &mut self.told;
        match heard {
            Heard::Session(id) => {
                if told.session.as_ref() != Some(&id) {
                    told.session = Some(id.clone());
                    self.books.tell(TurnEvent::Learnt {
                        pid: None,
                        session: Some(id),
                    });
                }
            }
            Heard::Update(update) => self.books.enter(&update),
            Heard::Denied { id } => self.books.deny(&id),
            Heard::Usage(usage) => told.usage = Some(usage).filter(|usage| !usage.is_empty()),
            Heard::Trouble(trouble) => told.trouble = Some(trouble),
            Heard::Ended {
                stop_reason,
                answer,
            } => {
                told.ended = Some(stop_reason);
                told.answer = answer.filter(|answer| !answer.trim().is_empty());
                told.failed = None;
            }
            Heard::Failed(trouble) => told.failed = Some(trouble),
        }
    }

    /// Hears the rest.
    async fn hear_out(&mut self) {
        while let Some(Line::Whole(bytes)) = self.lines.next().await {
            self.hear(&bytes);
        }
    }

    /// An answer that came whole, at the end, and not before in pieces.
    fn answer(&mut self) {
        if let Some(answer) = self.told.answer.take().filter(|_| !self.books.has_said()) {
            let update = serde_json::json!({
                "sessionUpdate": "agent_message_chunk",
                "content": {"type": "text", "text": answer},
            });
            self.books.enter(&update);
        }
    }
}

/// A stream keeps what it has read of a line while others are listened to.
fn lines_of(stdout: ChildStdout) -> Pin<Box<dyn Stream<Item = Line> + Send>> {
    let from = BufReader::with_capacity(BUFFER, stdout);
    Box::pin(stream::unfold(from, async |mut from| {
        let line = lines::next(&mut from, MAX_LINE).await;
        let line = line.ok().filter(|line| *line != Line::End)?;
        Some((line, from))
    }))
}

/// A turn that is given up half-way takes its process with it.
struct Guard(ProcessHandle);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// Gives the process its input, and then ends it. One that does not want to read it all is no fault of ours.
async fn feed(mut stdin: Stdin, input: Option<String>) {
    if let Some(input) = input {
        drop(stdin.write_all(input.as_bytes()).await);
    }
    drop(stdin.shutdown().await);
}

/// A fault of this agent, with its last words.
fn fault(agent: &str, kind: ErrorKind, what: &str, stderr: &str, junk: &Junk) -> Fault {
    let mut detail = format!("agent \"{agent}\" {what}");
    let words = tail(stderr.trim(), STDERR);
    if !words.is_empty() {
        detail.push_str("; stderr ends with:\n");
        detail.push_str(words);
    }
    if let Some(junk) = junk.told() {
        detail.push('\n');
        detail.push_str(&junk);
    }
    Fault::new(kind, detail)
}
