//! What a person is asked, and in which words: whose request it is, what its agent says, and what is ours.

use super::views;
use crate::{
    domain::{
        ids::RunId,
        request::{Request, RequestKind},
        run::{Run, RunState},
    },
    stdx::text::plain,
};

/// Bytes of what an agent says that a person is shown.
const TITLE: usize = 500;
const DETAIL: usize = 2 * 1024;
const TASK: usize = 120;

/// A request to be put to a person, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) run: RunId,
    /// The run that was asked about, where another one below it asks.
    pub(super) above: Option<RunId>,
    pub(super) agent: String,
    pub(super) task: String,
    pub(super) request: Request,
}

/// What the run, or a run below it, waits for a person to answer; its own first.
pub(super) fn of(run: &Run) -> Vec<Question> {
    let mut all = Vec::new();
    if run.state == RunState::InputRequired {
        let own = run.requests.iter().map(|request| Question {
            run: run.id,
            above: None,
            agent: run.agent.clone(),
            task: run.prompt.lines().next().unwrap_or_default().to_owned(),
            request: request.clone(),
        });
        all.extend(own);
    }
    for below in &run.asks_below {
        let theirs = below.requests.iter().map(|request| Question {
            run: below.run,
            above: Some(run.id),
            agent: below.agent.clone(),
            task: below.task.clone(),
            request: request.clone(),
        });
        all.extend(theirs);
    }
    all
}

/// The words that stand over the fields of a form.
pub(super) fn words(questions: &[Question]) -> String {
    match questions {
        [one] => message(one),
        several => messages(several),
    }
}

fn asks(question: &Question) -> String {
    let what = match question.request.kind {
        RequestKind::Permission => "asks for permission",
        RequestKind::Question => "has a question",
    };
    format!("The agent {} {what}:", question.agent)
}

fn about(question: &Question) -> String {
    let task = plain(&views::shortened(&question.task, TASK));
    let above = question.above.map(|above| format!(" below run {above},"));
    let above = above.unwrap_or_default();
    let mut text = format!("Run {},{above} task: {task}", question.run);
    if let Some(deadline) = question.request.deadline {
        text = format!("{text}\nUnanswered it is settled without you at {deadline}.");
    }
    text
}

/// Who asks what, told so that no words of an agent's can pass for ours: ours come first and last.
fn message(question: &Question) -> String {
    let title = plain(&views::shortened(&question.request.title, TITLE));
    let mut text = format!("{}\n\n{title}\n", asks(question));
    if let Some(detail) = &question.request.detail {
        let detail = plain(&views::shortened(detail, DETAIL));
        text = format!("{text}\n{detail}\n");
    }
    format!("{text}\n{}", about(question))
}

/// Several, by number; an agent's words are marked line by line, so that none passes for the next request.
fn messages(questions: &[Question]) -> String {
    let detail = DETAIL * 2 / questions.len();
    let blocks = questions.iter().zip(1..).map(|(question, n)| {
        let mut words = views::shortened(&question.request.title, TITLE);
        if let Some(more) = &question.request.detail {
            words = format!("{words}\n{}", views::shortened(more, detail));
        }
        let words: Vec<_> = plain(&words)
            .lines()
            .map(|line| format!("| {line}"))
            .collect();
        format!(
            "{n}. {}\n{}\n{}",
            asks(question),
            words.join("\n"),
            about(question)
        )
    });
    let blocks: Vec<_> = blocks.collect();
    format!(
        "{} requests wait for you. What you leave out stays open.\n\n{}",
        questions.len(),
        blocks.join("\n\n")
    )
}
