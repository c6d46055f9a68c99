//! What an agent's error answer means for the next attempt. Agents have no common words for limits, overload and logins: some use HTTP's
//! numbers as codes, some put a word or a number into the data, some say it in the text alone. Here is the one place that reads them.

use crate::{
    domain::{fault::ErrorKind, time::Timestamp},
    stdx::text::head,
};
use serde_json::Value;

/// The protocol's code for "log in first".
const AUTH_REQUIRED: i32 = -32_000;
const NOT_FOUND: i32 = -32_002;
pub(super) const INTERNAL: i32 = -32_603;
const UNSUPPORTED_VERSION: i32 = -32_022;
/// Codes by which a request is refused for what it is.
const REFUSALS: [i32; 4] = [-32_700, -32_600, -32_601, -32_602];

/// Bytes of text that are looked at, and values of the data.
const TEXT: usize = 8 * 1024;
const VALUES: usize = 256;
/// Above that a number of an epoch counts milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// Words that stand alone in an error's data.
const WORDS: [(ErrorKind, &[&str]); 3] = [
    (
        ErrorKind::AgentAuth,
        &[
            "authentication_error",
            "authentication_failed",
            "auth_required",
            "invalid_api_key",
            "oauth_org_not_allowed",
            "permission_error",
            "unauthenticated",
            "unauthorized",
        ],
    ),
    (
        ErrorKind::RateLimited,
        &[
            "insufficient_quota",
            "quota_exceeded",
            "rate_limit",
            "rate_limit_error",
            "rate_limit_exceeded",
            "rate_limited",
            "resource_exhausted",
            "too_many_requests",
            "usage_limit",
            "usage_limit_exceeded",
            "usage_limit_reached",
        ],
    ),
    (
        ErrorKind::Overloaded,
        &[
            "model_overloaded",
            "overloaded",
            "overloaded_error",
            "server_error",
            "server_overloaded",
            "service_unavailable",
            "unavailable",
        ],
    ),
];

/// What is said where nothing better is there, in lower case.
const SAID: [(ErrorKind, &[&str]); 3] = [
    (
        ErrorKind::AgentAuth,
        &[
            "authentication_error",
            "authentication required",
            "invalid api key",
            "invalid_api_key",
            "not logged in",
            "please run /login",
            "401 unauthorized",
        ],
    ),
    (
        ErrorKind::RateLimited,
        &[
            "rate limit",
            "rate_limit",
            "rate-limit",
            "usage limit",
            "usage_limit",
            "hit your limit",
            "quota exceeded",
            "exceeded your current quota",
            "insufficient_quota",
            "resource_exhausted",
            "too many requests",
        ],
    ),
    (
        ErrorKind::Overloaded,
        &[
            "overloaded",
            "at capacity",
            "service unavailable",
            "temporarily unavailable",
        ],
    ),
];

/// What an error answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    /// When a limit is over, where that is said.
    pub(super) retry_at: Option<Timestamp>,
}

/// Reads an error answer. Numbers and words of the data come before what the text says.
pub(super) fn read(code: i32, message: &str, data: Option<&Value>, now: Timestamp) -> Meaning {
    let plain = |kind| Meaning {
        kind,
        retry_at: None,
    };
    match code {
        AUTH_REQUIRED => return plain(ErrorKind::AgentAuth),
        NOT_FOUND => return plain(ErrorKind::NotFound),
        UNSUPPORTED_VERSION => return plain(ErrorKind::VersionMismatch),
        code if REFUSALS.contains(&code) => return plain(ErrorKind::Refused),
        _ => {}
    }
    let mut facts = Facts::default();
    if let Some(data) = data {
        facts.gather("", data, &mut 0);
    }
    facts.say(message);
    let otherwise = if code == INTERNAL {
        ErrorKind::Internal
    } else {
        ErrorKind::Refused
    };
    let kind = by_number(i64::from(code))
        .or_else(|| facts.kind())
        .unwrap_or(otherwise);
    let limited = matches!(kind, ErrorKind::RateLimited | ErrorKind::Overloaded);
    Meaning {
        kind,
        retry_at: limited.then(|| facts.over_at(now)).flatten(),
    }
}

/// HTTP's numbers.
fn by_number(number: i64) -> Option<ErrorKind> {
    match number {
        401 => Some(ErrorKind::AgentAuth),
        429 => Some(ErrorKind::RateLimited),
        500 | 502..=504 | 529 => Some(ErrorKind::Overloaded),
        _ => None,
    }
}

/// What an error says, by name.
#[derive(Debug, Default)]
struct Facts {
    numbers: Vec<(String, i64)>,
    words: Vec<String>,
    /// RFC 3339, by name.
    moments: Vec<(String, Timestamp)>,
    /// All of its texts, in lower case.
    text: String,
}

impl Facts {
    /// Looks through the data; `seen` values of it so far.
    fn gather(&mut self, name: &str, value: &Value, seen: &mut usize) {
        *seen += 1;
        if *seen > VALUES {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.gather(name, value, seen);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(name, item, seen)),
            Value::Number(number) => {
                let whole = number.as_f64().filter(|number| number.abs() < 1e15);
                if let Some(number) = whole {
                    #[allow(
                        clippy::cast_possible_truncation,
                        reason = "it is within the range of exact integers"
                    )]
                    self.numbers.push((plain(name), number.ceil() as i64));
                }
            }
            Value::String(text) => self.string(name, text),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn string(&mut self, name: &str, text: &str) {
        if text.len() <= 40 {
            self.words
                .push(text.to_lowercase().replace(['-', ' '], "_"));
            if let Ok(number) = text.trim().parse() {
                self.numbers.push((plain(name), number));
            }
            let moment = Value::String(text.to_owned());
            if let Ok(at) = serde_json::from_value(moment) {
                self.moments.push((plain(name), at));
            }
        }
        self.say(text);
    }

    fn say(&mut self, text: &str) {
        let room = TEXT.saturating_sub(self.text.len());
        self.text.push_str(&head(text, room).to_lowercase());
        self.text.push('\n');
    }

    fn kind(&self) -> Option<ErrorKind> {
        const NUMBERS: [&str; 5] = [
            "status",
            "statuscode",
            "httpstatus",
            "httpstatuscode",
            "code",
        ];
        let mut numbers = self.numbers.iter();
        numbers
            .find_map(|(name, number)| {
                let named = NUMBERS.contains(&name.as_str());
                named.then(|| by_number(*number)).flatten()
            })
            .or_else(|| of(&WORDS, |word| self.words.iter().any(|one| one == word)))
            .or_else(|| of(&SAID, |said| self.text.contains(said)))
    }

    /// The moment at which the limit is over.
    fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        const AT: [&str; 5] = ["retryat", "resetsat", "resetat", "resettime", "resets"];
        let moment = self
            .moments
            .iter()
            .find(|(name, _)| AT.contains(&name.as_str()));
        if let Some((_, at)) = moment {
            return Some(*at);
        }
        let after = |ms: i64| Timestamp(now.0.saturating_add(ms.max(0)));
        let named = self
            .numbers
            .iter()
            .find_map(|(name, number)| match name.as_str() {
                "retryat" | "resetsat" | "resetat" | "resettime" | "resets" => Some(epoch(*number)),
                "retryafterms" | "retrydelayms" | "retryinms" => Some(after(*number)),
                "retryafter" | "retryafterseconds" | "resetsinseconds" | "resetafterseconds" => {
                    Some(after(number.saturating_mul(1_000)))
                }
                _ => None,
            });
        named
            .or_else(|| stamped(&self.text))
            .or_else(|| wait_ms(&self.text).map(after))
    }
}

fn of(table: &[(ErrorKind, &[&str])], fits: impl Fn(&str) -> bool) -> Option<ErrorKind> {
    let mut rows = table.iter();
    rows.find(|(_, words)| words.iter().any(|word| fits(word)))
        .map(|(kind, _)| *kind)
}

/// `retry_after`, `retryAfter` and `retry-after` are one name.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '-'], "")
}

fn epoch(number: i64) -> Timestamp {
    if number > MILLISECONDS {
        Timestamp(number)
    } else {
        Timestamp(number.saturating_mul(1_000))
    }
}

/// `… limit reached|1755806400`, as one agent says it.
fn stamped(text: &str) -> Option<Timestamp> {
    text.split('|').skip(1).find_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number = (10..=13).contains(&digits.len()).then(|| digits.parse());
        number?.ok().map(epoch)
    })
}

/// `try again in 1m30s`, `retry after 20 seconds`, in milliseconds.
fn wait_ms(text: &str) -> Option<i64> {
    const BEFORE: [&str; 4] = ["try again in ", "retry after ", "retry in ", "resets in "];
    let rest = BEFORE
        .iter()
        .find_map(|words| text.split_once(words).map(|(_, rest)| rest))?;
    let mut total: Option<i64> = None;
    let mut rest = rest;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest.get(..digits)?.parse::<i64>() else {
            return total;
        };
        // A fraction of a second is a second.
        let (number, after) = match rest[digits..].strip_prefix('.') {
            Some(more) => (
                number.saturating_add(1),
                more.trim_start_matches(|c: char| c.is_ascii_digit()),
            ),
            None => (number, &rest[digits..]),
        };
        let after = after.trim_start();
        let word = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &after[..word] {
            "ms" | "milliseconds" => 1,
            "" | "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
            "h" | "hr" | "hour" | "hours" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            _ => return total,
        };
        total = Some(
            total
                .unwrap_or(0)
                .saturating_add(number.saturating_mul(unit)),
        );
        rest = after[word..].trim_start_matches([' ', ',']);
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, read};
    use crate::domain::{
        fault::ErrorKind::{self, *},
        time::Timestamp,
    };
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn kind(code: i32, message: &str, data: &Value) -> ErrorKind {
        read(code, message, Some(data), NOW).kind
    }

    #[test]
    fn the_protocols_own_codes_mean_what_they_mean() {
        for (code, expected) in [
            (-32_000, AgentAuth),
            (-32_002, NotFound),
            (-32_022, VersionMismatch),
            (-32_602, Refused),
            (-32_603, Internal),
            (7, Refused),
        ] {
            assert_eq!(kind(code, "no", &json!(null)), expected, "{code}");
        }
        assert_eq!(
            kind(-32_602, "rate limit must be a number", &json!(null)),
            Refused,
            "what a request is refused for is not read for more"
        );
    }

    #[test]
    fn limits_overload_and_logins_are_known_by_number_by_word_and_by_text() {
        for (code, message, data, expected) in [
            (429, "slow down", json!(null), RateLimited),
            (401, "who", json!(null), AgentAuth),
            (529, "", json!(null), Overloaded),
            (
                -32_603,
                "Internal error",
                json!({"status": 429}),
                RateLimited,
            ),
            (
                -32_603,
                "e",
                json!({"error": {"statusCode": "503"}}),
                Overloaded,
            ),
            (
                -32_603,
                "e",
                json!({"codex_error_info": "usage_limit_exceeded", "message": "m"}),
                RateLimited,
            ),
            (
                -32_603,
                "e",
                json!({"type": "overloaded_error"}),
                Overloaded,
            ),
            (
                -32_603,
                "e",
                json!({"errorKind": "authentication_failed"}),
                AgentAuth,
            ),
            (
                -32_603,
                "Internal error: Claude AI usage limit reached|1700000100",
                json!(null),
                RateLimited,
            ),
            (
                -32_603,
                "e",
                json!(
                    "API Error: 529 {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}"
                ),
                Overloaded,
            ),
            (-32_603, "Please run /login", json!(null), AgentAuth),
            (-32_603, "cannot read file", json!({"count": 429}), Internal),
        ] {
            assert_eq!(kind(code, message, &data), expected, "{message} {data}");
        }
    }

    #[test]
    fn the_end_of_a_limit_is_read_wherever_it_stands() {
        let at = |message: &str, data: Value| {
            let Meaning { kind, retry_at } = read(429, message, Some(&data), NOW);
            assert_eq!(kind, RateLimited);
            retry_at.map(|at| at.since_ms(NOW))
        };
        for (message, data, expected) in [
            ("", json!({"retry_after": 20}), Some(20_000)),
            ("", json!({"error": {"retryAfterMs": 1500}}), Some(1_500)),
            ("", json!({"resets_at": 1_700_000_060}), Some(60_000)),
            ("", json!({"resetsAt": 1_700_000_060_500_i64}), Some(60_500)),
            (
                "",
                json!({"retry_at": "2023-11-14T22:15:20Z"}),
                Some(120_000),
            ),
            ("limit reached|1700000100", json!(null), Some(100_000)),
            ("Try again in 1m30s.", json!(null), Some(90_000)),
            ("try again in 2.5 seconds", json!(null), Some(3_000)),
            (
                "retry after 2 hours, 5 minutes",
                json!(null),
                Some(7_500_000),
            ),
            ("try again in a while", json!(null), None),
            ("try again in 99999999999999999999s", json!(null), None),
            ("", json!({"retry_after": -5}), Some(0)),
            ("", json!(null), None),
        ] {
            assert_eq!(at(message, data.clone()), expected, "{message} {data}");
        }
    }

    #[test]
    fn what_is_too_much_or_odd_breaks_nothing() {
        let mut deep = json!("rate_limit");
        for _ in 0..100 {
            deep = json!([deep, {"é|": "|é99"}]);
        }
        let _known = kind(-32_603, &"é|1".repeat(10_000), &deep);
        let wide = json!(vec![json!({"status": 1e300, "retry_after": "x"}); 1_000]);
        assert_eq!(kind(-32_603, "try again in é", &wide), Internal);
    }
}
