//! Watching a run until it settles: one status line on a terminal, plain lines elsewhere, both on stderr.

use super::{
    context::{CliContext, heard},
    print,
    table::{one_line, span, word},
};
use crate::{
    api::run::{RunApiClient, RunWait},
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::{Run, RunState},
    },
    stdx::clock,
};
use std::time::{Duration, Instant};

/// How long one question to the hub waits; also how often the line is drawn anew.
const SLICE: Duration = Duration::from_millis(500);
/// The same where nobody watches a line.
const LONG_SLICE: Duration = Duration::from_secs(2);
/// A hub that is lost so often in one question is not coming back.
const LOST_MAX: u32 = 3;

/// How watching ended.
#[derive(Debug)]
pub(super) enum Watched {
    /// The run ended, or waits for a person.
    Settled(Run),
    /// The time was over first.
    StillGoing(Run),
    /// The person at the terminal left.
    Left(Run),
}

/// Watches until the run settles, `limit` is over or Ctrl-C is pressed. The run itself is never touched.
pub(super) async fn follow(
    context: &CliContext,
    mut run: Run,
    limit: Option<Duration>,
) -> Result<Watched, Fault> {
    let until = limit.map(|limit| Instant::now() + limit);
    let mut line = Line::new(context);
    while !is_settled(&run) {
        line.draw(&run);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Watched::StillGoing(run));
        }
        let slice = left.unwrap_or(Duration::MAX).min(line.slice());
        run = tokio::select! {
            next = wait(context, run.id, slice) => next?,
            () = interrupted() => return Ok(Watched::Left(run)),
        };
    }
    Ok(Watched::Settled(run))
}

/// Ctrl-C was pressed. Once asked for, Ctrl-C no longer ends the process by itself.
pub(super) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The hub may be replaced under a long wait; the run outlives it, so the question is put to the next one.
async fn wait(context: &CliContext, id: RunId, slice: Duration) -> Result<Run, Fault> {
    let wait_ms = u64::try_from(slice.as_millis()).unwrap_or(u64::MAX).max(1);
    let wait = RunWait {
        id,
        wait_ms,
        below: true,
    };
    let mut lost = 0;
    loop {
        let client = context.client().await?;
        match heard(client.wait(wait).await) {
            Err(fault) if fault.kind == ErrorKind::HubLost && lost < LOST_MAX => lost += 1,
            answer => return answer,
        }
    }
}

fn is_settled(run: &Run) -> bool {
    run.state.is_terminal() || run.state == RunState::InputRequired || !run.asks_below.is_empty()
}

/// Where steps are shown. Taken off the terminal when dropped, however watching ends.
#[derive(Debug)]
struct Line {
    /// On a terminal of so many columns; else line by line.
    columns: Option<usize>,
    /// Nobody asked for lines: the answer is for a program.
    silent: bool,
    last: String,
}

impl Line {
    fn new(context: &CliContext) -> Self {
        let terminal = context.terminal;
        Self {
            columns: terminal.stderr.then_some(usize::from(terminal.columns)),
            silent: context.json && !terminal.stderr,
            last: String::new(),
        }
    }

    fn slice(&self) -> Duration {
        if self.columns.is_some() {
            SLICE
        } else {
            LONG_SLICE
        }
    }

    fn draw(&mut self, run: &Run) {
        let doing = doing(run);
        if let Some(columns) = self.columns {
            let since = run.started_at.unwrap_or(run.created_at);
            let elapsed = span(clock::now_ms().saturating_sub(since.0));
            print::redraw(&fit(
                &format!("{elapsed} · {doing}"),
                columns.saturating_sub(1),
            ));
        } else if !self.silent && doing != self.last {
            print::err(&doing);
        }
        self.last = doing;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.columns.is_some() && !self.last.is_empty() {
            print::redraw("");
        }
    }
}

/// What the run is about, in a line.
pub(super) fn doing(run: &Run) -> String {
    let mut parts = vec![run.state.as_str().to_owned()];
    if let Some(waiting) = run.waiting {
        parts.push(format!("waiting for: {}", word(waiting)));
    }
    parts.push(run.agent.clone());
    if run.attempt > 1 {
        parts.push(format!("attempt {}", run.attempt));
    }
    parts.extend(run.step.as_deref().map(one_line));
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// As many characters as surely stand in `columns`: those beyond Latin may take two each.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut left = columns;
    text.chars()
        .take_while(|letter| {
            let wide = if (*letter as u32) < 0x1100 { 1 } else { 2 };
            let fits = left >= wide;
            left = left.saturating_sub(wide);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_status_line_never_outgrows_its_row() {
        assert_eq!(fit("1.2 s · running", 9), "1.2 s · r");
        assert_eq!(fit("鷹鷹鷹", 5), "鷹鷹");
        assert_eq!(fit("abc", 0), "");
    }
}
