//! `eyas agent install`: asks until it is done, and shows how far it is.

use super::super::{
    context::{CliContext, heard},
    live::fit,
    print,
    table::span,
};
use crate::{
    api::agent::{AgentApiClient as _, AgentInstall},
    config::Origins,
    domain::{agent::Agent, distribution::Installing, fault::Fault},
};
use std::time::Instant;

/// How long one question waits, in milliseconds; also how often the line is drawn anew.
const SLICE_MS: u64 = 300;

/// Splits `claude@1.2.3`.
pub(super) fn named(text: &str) -> (String, Option<String>) {
    match text.split_once('@') {
        Some((id, version)) => (id.to_owned(), Some(version.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// Has it installed, and waits for it. Ctrl-C leaves, and the hub goes on.
pub(super) async fn run(what: &str, newest: bool, context: &CliContext) -> Result<Agent, Fault> {
    let (id, version) = named(what);
    let order = AgentInstall {
        id,
        version,
        newest,
        local: context.settings.agent.source == Origins::Local,
        wait_ms: Some(SLICE_MS),
    };
    let mut line = Line::new(context);
    loop {
        let client = context.client().await?;
        let agent = heard(client.install(order.clone()).await)?;
        match &agent.installing {
            None => return Ok(agent),
            Some(now) => line.draw(now),
        }
    }
}

/// Where steps are shown. Taken off the terminal when dropped.
struct Line {
    columns: Option<usize>,
    silent: bool,
    begun: Instant,
    last: String,
}

impl Line {
    fn new(context: &CliContext) -> Self {
        let terminal = context.terminal;
        Self {
            columns: terminal.stderr.then_some(usize::from(terminal.columns)),
            silent: context.json && !terminal.stderr,
            begun: Instant::now(),
            last: String::new(),
        }
    }

    fn draw(&mut self, now: &Installing) {
        let step = match now.version.as_str() {
            "" => now.step.clone(),
            version => format!("{version} · {}", now.step),
        };
        if let Some(columns) = self.columns {
            let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
            let line = format!("{} · {step}{}", span(elapsed), far(now));
            print::redraw(&fit(&line, columns.saturating_sub(1)));
        } else if !self.silent && step != self.last {
            print::err(&step);
        }
        self.last = step;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.columns.is_some() && !self.last.is_empty() {
            print::redraw("");
        }
    }
}

/// ` · 12.3 of 45.6 MB`, where something is being fetched.
fn far(now: &Installing) -> String {
    if now.bytes == 0 {
        return String::new();
    }
    let tenths = |bytes: u64| format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
    match now.total_bytes {
        Some(total) => format!(" · {} of {} MB", tenths(now.bytes), tenths(total)),
        None => format!(" · {} MB", tenths(now.bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::{far, named};
    use crate::domain::distribution::Installing;

    #[test]
    fn an_agent_is_named_with_its_version() {
        assert_eq!(named("claude"), ("claude".to_owned(), None));
        assert_eq!(
            named("claude@v1.2.3"),
            ("claude".to_owned(), Some("v1.2.3".to_owned()))
        );
    }

    #[test]
    fn how_far_it_is_is_said_in_megabytes() {
        let mut now = Installing {
            version: String::new(),
            step: String::new(),
            bytes: 12_345_678,
            total_bytes: Some(45_600_000),
        };
        assert_eq!(far(&now), " · 12.3 of 45.6 MB");
        now.total_bytes = None;
        assert_eq!(far(&now), " · 12.3 MB");
        now.bytes = 0;
        assert_eq!(far(&now), "");
    }
}
