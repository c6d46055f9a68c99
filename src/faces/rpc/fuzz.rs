//! Whatever comes in as a line is answered by what JSON-RPC says, or not at all where it says so.

use super::{
    message::{self, Entry, Line},
    slots::Slots,
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::{
        fuzz::{Source, feed},
        lines,
    },
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::io::BufReader;

const LINES: Source = Source {
    seeds: &[
        r#"{"jsonrpc":"2.0","id":1,"method":"run.list"}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"run.get","params":{"run":"0190-x"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"hub.info","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"run.cancel","params":{"run":"x","why":"\u00e9\ud83e\udd85"}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"},3]"#,
        r#"{"jsonrpc":"2.0","id":-1.5e3,"method":"events.watch","params":{"cursor":null}}"#,
        r#"{"method":"a","params":{"deep":{"er":[[[[1,2],3],{}],"x"]}},"id":7,"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"1.0","id":{},"method":3,"params":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"twice"}"#,
        "[]",
        "",
    ],
    words: &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0000",
        "\\ud800",
        "null",
        "true",
        "-0",
        "1e999",
        "9999999999999999999999",
        r#""id":"#,
        r#""id":1"#,
        r#""method":"x""#,
        r#""params":{}"#,
        r#""jsonrpc":"2.0""#,
        "\u{feff}",
        "\u{0}",
        "\n",
        "\r",
        " ",
        r#"{"jsonrpc":"2.0","id":1,"method":"a"},"#,
        "//",
        "\u{1f985}",
    ],
};

/// An answer that says what is wrong, under an id that a caller may have. A number is kept as it was written, however large: not every reader
/// of JSON holds it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: &'a RawValue,
    error: Value,
}

fn is_failure(answer: &RawValue) {
    let answer: Failure<'_> = serde_json::from_str(answer.get()).expect("an answer");
    assert_eq!(answer.jsonrpc, "2.0");
    let code = answer.error["code"].as_i64().expect("a code");
    assert!(code == -32700 || code == -32600, "{code}");
    assert!(answer.error["data"]["kind"].is_string());
    let id = answer.id.get();
    let begins = |letter: char| letter == '"' || letter == '-' || letter.is_ascii_digit();
    assert!(id == "null" || id.starts_with(begins), "{id}");
}

/// What goes on to the hub is what came, under a number of ours.
fn is_passed_on(method: &str, params: Option<&RawValue>) {
    let outgoing = message::outgoing(7, method, params);
    let read = message::read(outgoing.as_bytes());
    let Line::One(Entry::Call {
        id,
        method: again,
        params: with,
    }) = read
    else {
        panic!("we do not understand ourselves: {outgoing}");
    };
    assert_eq!((id.get(), &*again), ("7", method));
    assert_eq!(with.map(RawValue::get), params.map(RawValue::get));
}

/// The calls of a line, each answered or failed, give one answer each under their own ids, in one line where they came in one.
fn are_answered(entries: Vec<Entry<'_>>, is_batch: bool, hub_answers: bool) {
    let mut slots = Slots::default();
    let (mut ids, mut wrong, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Wrong(answer) => {
                is_failure(&answer);
                wrong.push(answer);
            }
            Entry::Notification { method, params } => is_passed_on(&method, params),
            Entry::Call { id, method, params } => {
                is_passed_on(&method, params);
                ids.push(id.get().to_owned());
                calls.push((id, method));
            }
        }
    }
    let many = calls.len() + wrong.len();
    let batch = (is_batch && !calls.is_empty()).then(|| slots.batch(calls.len(), wrong));
    let numbers: Vec<u64> = calls
        .iter()
        .map(|(id, method)| slots.open(Some(id), method, batch))
        .collect();
    let gone = Fault::new(ErrorKind::HubLost, "gone");
    let lines: Vec<String> = numbers
        .into_iter()
        .filter_map(|number| {
            if hub_answers {
                slots.heard(format!(
                    r#"{{"jsonrpc":"2.0","id":{number},"result":{number}}}"#
                ))
            } else {
                slots.failed(number, &gone)
            }
        })
        .collect();
    assert!(slots.is_empty());
    if is_batch {
        assert_eq!(lines.len(), usize::from(!ids.is_empty()));
        for line in &lines {
            let answers: Vec<&RawValue> = serde_json::from_str(line).expect("a list");
            assert_eq!(answers.len(), many);
        }
        return;
    }
    assert_eq!(lines.len(), ids.len());
    for (line, id) in lines.iter().zip(ids) {
        let start = format!(r#"{{"jsonrpc":"2.0","id":{id},""#);
        assert!(line.starts_with(&start), "{line}: {id}");
        serde_json::from_str::<&RawValue>(line).expect("one value");
    }
}

#[test]
fn every_line_is_understood_or_answered() {
    feed(&LINES, |line, chance| match message::read(line) {
        Line::One(entry) => are_answered(vec![entry], false, chance.one_in(2)),
        Line::Batch(entries) => {
            assert!(!entries.is_empty());
            are_answered(entries, true, chance.one_in(2));
        }
    });
}

#[test]
fn lines_are_cut_where_they_end_and_never_held_beyond_their_bound() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    feed(&LINES, |bytes, chance| {
        let max = chance.below(300) + 1;
        let mut from = BufReader::with_capacity(chance.below(64) + 1, bytes);
        let ends = bytes.split(|byte| *byte == b'\n').count() - 1;
        let mut seen = 0;
        loop {
            match runtime
                .block_on(lines::next(&mut from, max))
                .expect("memory")
            {
                lines::Line::Whole(line) => assert!(line.len() <= max && !line.contains(&b'\n')),
                lines::Line::TooLong { len } => {
                    assert!(len > max && len <= bytes.len());
                    is_failure(&message::too_long(len, max));
                }
                lines::Line::End => break,
            }
            seen += 1;
        }
        let last = usize::from(bytes.last().is_some_and(|byte| *byte != b'\n'));
        assert_eq!(seen, ends + last);
    });
}

#[test]
fn what_is_large_deep_or_no_text_is_answered_too() {
    const MANY: usize = 64 << 20;
    let open = vec![b'['; MANY];
    let objects = br#"{"a":"#.repeat(MANY / 5);
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#,
        "x".repeat(MANY)
    );
    let ids = format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":"a"}}"#,
        "9".repeat(1 << 20)
    );
    for line in [
        &open[..],
        &objects,
        &[0xff; 1 << 10],
        ids.as_bytes(),
        long.as_bytes(),
    ] {
        match message::read(line) {
            Line::One(entry) => are_answered(vec![entry], false, true),
            Line::Batch(_) => panic!("no batch"),
        }
    }
}
