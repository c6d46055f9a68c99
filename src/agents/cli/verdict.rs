//! What a turn came to, from what its program said and how it ended. Pure.

use super::output::Trouble;
use crate::{
    agents::{acp::blame, process::Exit},
    domain::{fault::ErrorKind, time::Timestamp},
    stdx::text::tail,
};
use serde_json::Value;

/// By which words programs say that they do not know a conversation, in lower case.
const FORGOTTEN: [&str; 6] = [
    "no conversation found",
    "no rollout found",
    "session not found",
    "invalid session identifier",
    "no previous sessions found",
    "no such session",
];
/// Bytes of what was printed that are read for what went wrong.
const READ: usize = 4 * 1024;

/// How a turn's process ended, and what was heard before.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen<'a> {
    /// `None`: it was ended by us, after it had said all.
    pub(super) exit: Option<Exit>,
    pub(super) never_started: bool,
    /// It said that its turn was over, and why.
    pub(super) ended: Option<String>,
    pub(super) failed: Option<Trouble>,
    /// The last that it said to have gone wrong.
    pub(super) trouble: Option<Trouble>,
    /// It went on with a conversation.
    pub(super) goes_on: bool,
    /// Lines that were understood came.
    pub(super) heard: bool,
    /// It has given an answer, or some of it.
    pub(super) said: bool,
    /// It printed lines that were not understood.
    pub(super) junk: bool,
    /// Its end alone says that its turn is over.
    pub(super) ends_silently: bool,
    pub(super) stderr: &'a str,
    /// The end of what it printed, where that may be an error message.
    pub(super) printed: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The turn ended, by this stop reason.
    Ended(String),
    Fault {
        kind: ErrorKind,
        what: String,
        retry_at: Option<Timestamp>,
    },
}

/// A turn has ended when the program said so and then ended in order; a crash is never a success.
pub(super) fn judge(seen: &Seen<'_>) -> Verdict {
    if seen.never_started {
        return fault(ErrorKind::AgentSpawn, "cannot be started".to_owned());
    }
    if let Some(trouble) = &seen.failed {
        return blamed(seen, trouble);
    }
    let in_order = seen.exit.is_none_or(|exit| exit.code == Some(0));
    if !in_order {
        return crashed(seen);
    }
    match &seen.ended {
        Some(stop_reason) => Verdict::Ended(stop_reason.clone()),
        None if seen.ends_silently && seen.said => Verdict::Ended("end_turn".to_owned()),
        None => silent(seen),
    }
}

/// It said that it failed.
fn blamed(seen: &Seen<'_>, trouble: &Trouble) -> Verdict {
    let what = format!("failed its turn: {}", tail(trouble.message.trim(), READ));
    if seen.goes_on && is_forgotten(&trouble.message) {
        return fault(ErrorKind::NotFound, what);
    }
    let (kind, retry_at) = blame(&trouble.message, &trouble.data);
    Verdict::Fault {
        kind,
        what,
        retry_at,
    }
}

/// It ended with an exit code, or by a signal, and said nothing by its protocol: then its last words may say why.
fn crashed(seen: &Seen<'_>) -> Verdict {
    let exit = seen.exit.map(|exit| exit.to_string()).unwrap_or_default();
    let trouble = seen.trouble.as_ref();
    let said = trouble.map(|trouble| trouble.message.as_str());
    let words: Vec<&str> = [
        said,
        Some(tail(seen.stderr, READ)),
        Some(tail(seen.printed, READ)),
    ]
    .into_iter()
    .flatten()
    .filter(|text| !text.trim().is_empty())
    .collect();
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    let what = format!("died during its turn ({exit}){said}");
    if seen.goes_on && words.iter().any(|text| is_forgotten(text)) {
        return fault(ErrorKind::NotFound, what);
    }
    let data = trouble.map_or(Value::Null, |trouble| trouble.data.clone());
    let (kind, retry_at) = blame(&words.join("\n"), &data);
    let told = [
        ErrorKind::AgentAuth,
        ErrorKind::RateLimited,
        ErrorKind::Overloaded,
    ];
    if told.contains(&kind) {
        Verdict::Fault {
            kind,
            what,
            retry_at,
        }
    } else {
        fault(ErrorKind::AgentDied, what)
    }
}

/// It ended in order, and its turn did not.
fn silent(seen: &Seen<'_>) -> Verdict {
    let (kind, what) = if seen.junk && !seen.said {
        (
            ErrorKind::HandshakeMalformed,
            "printed nothing that its definition says it prints",
        )
    } else if seen.heard {
        (
            ErrorKind::AgentDied,
            "ended before its turn did (exit status 0)",
        )
    } else {
        (
            ErrorKind::AgentDied,
            "ended without an answer (exit status 0)",
        )
    };
    fault(kind, what.to_owned())
}

fn is_forgotten(text: &str) -> bool {
    let text = text.to_lowercase();
    FORGOTTEN.iter().any(|words| text.contains(words))
}

fn fault(kind: ErrorKind, what: String) -> Verdict {
    Verdict::Fault {
        kind,
        what,
        retry_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, Trouble, Verdict, judge};
    use crate::{
        agents::process::Exit,
        domain::fault::ErrorKind::{self, *},
    };
    use serde_json::{Value, json};

    fn exited(code: i32) -> Seen<'static> {
        Seen {
            exit: Some(Exit {
                code: Some(code),
                signal: None,
            }),
            ..Seen::default()
        }
    }

    fn trouble(message: &str, data: Value) -> Trouble {
        Trouble {
            message: message.to_owned(),
            data,
        }
    }

    fn kind(seen: &Seen<'_>) -> Result<String, ErrorKind> {
        match judge(seen) {
            Verdict::Ended(stop_reason) => Ok(stop_reason),
            Verdict::Fault { kind, .. } => Err(kind),
        }
    }

    #[test]
    fn a_turn_has_ended_when_it_was_said_and_the_end_was_in_order() {
        let ended = Some("end_turn".to_owned());
        for (seen, expected) in [
            (
                Seen {
                    ended: ended.clone(),
                    ..exited(0)
                },
                Ok("end_turn".to_owned()),
            ),
            // It said all, and was ended as it did not end.
            (
                Seen {
                    ended: ended.clone(),
                    ..Seen::default()
                },
                Ok("end_turn".to_owned()),
            ),
            (
                Seen {
                    ended: Some("max_tokens".to_owned()),
                    ..exited(0)
                },
                Ok("max_tokens".to_owned()),
            ),
            (
                Seen {
                    ended,
                    said: true,
                    ..exited(1)
                },
                Err(AgentDied),
            ),
            (
                Seen {
                    said: true,
                    heard: true,
                    ends_silently: true,
                    ..exited(0)
                },
                Ok("end_turn".to_owned()),
            ),
            (
                Seen {
                    said: true,
                    heard: true,
                    ..exited(0)
                },
                Err(AgentDied),
            ),
        ] {
            assert_eq!(kind(&seen), expected, "{seen:?}");
        }
    }

    #[test]
    fn a_program_that_only_prints_what_it_likes_is_no_agent() {
        let tombstone = Seen {
            junk: true,
            ..exited(0)
        };
        assert_eq!(kind(&tombstone), Err(HandshakeMalformed));
        for ends_silently in [true, false] {
            let silent = Seen {
                ends_silently,
                ..exited(0)
            };
            assert_eq!(kind(&silent), Err(AgentDied));
        }
        let missing = Seen {
            never_started: true,
            ..exited(127)
        };
        assert_eq!(kind(&missing), Err(AgentSpawn));
    }

    #[test]
    fn what_it_says_of_its_failure_is_read() {
        for (message, data, goes_on, expected) in [
            (
                "Not logged in · Please run /login",
                json!({"error": "authentication_failed"}),
                false,
                AgentAuth,
            ),
            ("API Error: 429", json!({"status": 429}), false, RateLimited),
            ("quota exceeded", json!(null), false, RateLimited),
            (
                "overloaded",
                json!({"type": "overloaded_error"}),
                false,
                Overloaded,
            ),
            (
                "No conversation found with session ID: 1",
                json!(null),
                true,
                NotFound,
            ),
            (
                "No conversation found with session ID: 1",
                json!(null),
                false,
                Internal,
            ),
            ("something else", json!(null), true, Internal),
        ] {
            let seen = Seen {
                failed: Some(trouble(message, data)),
                goes_on,
                ..exited(1)
            };
            assert_eq!(kind(&seen), Err(expected), "{message}");
        }
    }

    #[test]
    fn the_last_words_of_a_crash_are_read() {
        for (stderr, printed, goes_on, expected) in [
            ("", "", false, AgentDied),
            ("panicked at main.rs", "", false, AgentDied),
            (
                "Error: thread/resume failed: no rollout found for thread id 1",
                "",
                true,
                NotFound,
            ),
            ("Error: Session not found", "", false, AgentDied),
            ("Invalid API key", "", false, AgentAuth),
            (
                "",
                "Error: rate limit reached, try again in 20s",
                false,
                RateLimited,
            ),
        ] {
            let seen = Seen {
                stderr,
                printed,
                goes_on,
                said: true,
                heard: true,
                ends_silently: true,
                ..exited(1)
            };
            assert_eq!(kind(&seen), Err(expected), "{stderr} {printed}");
        }
        let reconnecting = Seen {
            trouble: Some(trouble(
                "Reconnecting... 429 Too Many Requests",
                json!(null),
            )),
            ..exited(1)
        };
        assert_eq!(kind(&reconnecting), Err(RateLimited));
    }
}
