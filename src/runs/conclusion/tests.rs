use super::{Seen, brief, conclude};
use crate::domain::{
    conclusion::{
        Conclusion, ConclusionSource,
        ConclusionStatus::{Blocked, Failed, Partial, Success},
        Report,
    },
    run::RunState,
};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn read(answer: &str) -> Conclusion {
    let seen = Seen {
        stop_reason: Some("end_turn".to_owned()),
        ..Seen::default()
    };
    conclude(answer, seen)
}

#[test]
fn a_yaml_block_is_read_field_by_field() {
    let got = read(
        "Text.\n<eyas:conclusion>\nstatus: partial\nsummary: two of three\nartifacts: [src/a.rs, ' ']\nquestions:\n  - why?\nconfidence: 0.5\nother: x\n</eyas:conclusion>",
    );
    assert_eq!(got.status, Partial);
    assert_eq!(got.summary, "two of three");
    assert_eq!(got.artifacts, ["src/a.rs"]);
    assert_eq!(got.questions, ["why?"]);
    assert_eq!(got.confidence, Some(0.5));
    assert_eq!(got.source, ConclusionSource::Block);
    assert_eq!(got.warnings.len(), 1, "{:?}", got.warnings);
}

#[test]
fn json_fences_and_echoed_templates_do_not_confuse() {
    let got = read(
        "I must end with <eyas:conclusion>\nstatus: success | partial\n</eyas:conclusion>. So:\n<eyas:conclusion>\n```json\n{\"status\":\"SUCCESS\",\"summary\":\"ok\"}\n```\n</eyas:conclusion> bye",
    );
    assert_eq!((got.status, got.summary.as_str()), (Success, "ok"));
}

#[test]
fn one_bad_field_loses_only_itself() {
    let got = read(
        "<eyas:conclusion>\nstatus: great\nsummary: fixed: the bug\nconfidence: high\nartifacts: a.rs\n</eyas:conclusion>",
    );
    assert_eq!(got.status, Partial);
    assert_eq!(got.summary, "fixed: the bug");
    assert_eq!(got.confidence, None);
    assert_eq!(got.artifacts, ["a.rs"]);
    assert_eq!(got.warnings.len(), 4, "{:?}", got.warnings);
}

#[test]
fn without_a_block_the_tail_is_kept() {
    let long = format!("{}the end", "x".repeat(100_000));
    let got = read(&long);
    assert_eq!(got.source, ConclusionSource::Synthesized);
    assert!(got.summary.ends_with("the end") && got.summary.len() <= 24 * 1024);
    assert_eq!(got.warnings.len(), 1);
    assert_eq!(
        read("unclosed <eyas:conclusion> status: success").source,
        ConclusionSource::Synthesized
    );
}

#[test]
fn silence_is_no_success() {
    let got = read(" \n");
    assert_eq!(got.status, Partial);
    assert!(got.summary.contains("without saying"), "{}", got.summary);
}

#[test]
fn a_turn_that_was_cut_is_no_success() {
    let ended = |said: &str, reason: &str| {
        let seen = Seen {
            stop_reason: Some(reason.to_owned()),
            ..Seen::default()
        };
        let block = format!("<eyas:conclusion>\nstatus: {said}\nsummary: s\n</eyas:conclusion>");
        conclude(&block, seen)
    };
    for (said, reason, expected) in [
        ("success", "end_turn", Success),
        ("success", "max_tokens", Partial),
        ("success", "cancelled", Partial),
        ("success", "from_the_future", Partial),
        ("success", "", Partial),
        ("success", "refusal", Failed),
        ("blocked", "refusal", Blocked),
        ("failed", "max_tokens", Failed),
    ] {
        let got = ended(said, reason);
        assert_eq!(got.status, expected, "{said} {reason}");
        let lowered = said == "success" && reason != "end_turn";
        assert_eq!(
            got.warnings.len(),
            usize::from(lowered),
            "{:?}",
            got.warnings
        );
    }
}

#[test]
fn alias_bombs_and_junk_are_text() {
    let bomb = format!(
        "<eyas:conclusion>\na: &a [x,x]\nb: &b [{}]\n</eyas:conclusion>",
        "*a,".repeat(5_000)
    );
    assert_eq!(read(&bomb).source, ConclusionSource::Block);
    assert_eq!(
        read("<eyas:conclusion>just words</eyas:conclusion>").summary,
        "just words"
    );
}

fn block(body: &str) -> Conclusion {
    read(&format!("<eyas:conclusion>\n{body}\n</eyas:conclusion>"))
}

#[test]
fn the_block_that_is_a_report_is_found() {
    const REAL: &str = "<eyas:conclusion>\nstatus: failed\nsummary: real\n</eyas:conclusion>";
    let echo = brief(false);
    let stray = "\nand a stray </eyas:conclusion> tag";
    let spoken = "\nI said `<eyas:conclusion>` and then `</eyas:conclusion>`.";
    let draft = "<eyas:conclusion>\nstatus: success\nsummary: draft\n</eyas:conclusion>";
    let dotted = "\nas <eyas:conclusion>...</eyas:conclusion> says";
    let cut = "\n<eyas:conclusion>";
    for answer in [
        REAL.to_owned(),
        format!("{draft}\n{REAL}"),
        format!("{echo}{REAL}"),
        format!("{REAL}\nThat was asked for: {echo}"),
        format!("{REAL}{stray}"),
        format!("{REAL}{spoken}"),
        format!("{REAL}{dotted}"),
        format!("{REAL}{cut}"),
        format!("{REAL}{cut}\n"),
        format!("```yaml\n{REAL}\n```"),
        format!("text ```{REAL}```"),
        format!("> {}", REAL.replace('\n', "\n> ")),
        REAL.replace("status", "```yaml\nstatus")
            .replace("\n</", "\n```\n</"),
        REAL.replace("status", "```\nstatus"),
        REAL.replace("status", "  status")
            .replace("summary", "  summary"),
        REAL.replace('\n', "\r\n"),
        REAL.replace(
            "status: failed\nsummary: real",
            "{\"status\": \"failed\", \"summary\": \"real\"}",
        ),
        REAL.replace(
            "status: failed\nsummary: real",
            "conclusion:\n  status: failed\n  summary: real",
        ),
        REAL.replace("status", "**Status**")
            .replace("summary", "**Summary**"),
        REAL.replace("\n</eyas:conclusion>", ""),
        format!("{draft}\n{}", REAL.replace("\n</eyas:conclusion>", "")),
        // Stderr and notes get in between.
        REAL.replace("\nsummary", "\n[warn] disk: slow\nsummary"),
        format!("{}{echo}", REAL.replace("real", "real\n\n")),
    ] {
        let got = read(&answer);
        assert_eq!(
            (got.status, got.summary.as_str()),
            (Failed, "real"),
            "{answer}\n{got:?}"
        );
        assert_eq!(got.source, ConclusionSource::Block);
    }
}

#[test]
fn what_is_no_report_is_not_taken_for_one() {
    let pando = "<eyas:conclusion>\nstatus: success   # one of\nsummary: <concise summary of what you did>\nartifacts:\n  - path/to/file\nconfidence: 0.0\n</eyas:conclusion>";
    let words = "<eyas:conclusion>\nstatus: success | partial | failed | blocked\nsummary: what came of it\n</eyas:conclusion>";
    for answer in [
        brief(false),
        brief(true),
        brief(false).replace('\n', "\r\n"),
        brief(false).replace('\n', "\n  "),
        pando.to_owned(),
        words.to_owned(),
        "</eyas:conclusion>\nstatus: success\n<eyas:conclusion>".to_owned(),
        "it ends with <eyas:conclusion>\nstatus: success".to_owned(),
        "<eyas:conclusion>\n\n</eyas:conclusion>".to_owned(),
        "<eyas:conclusion>...</eyas:conclusion>".to_owned(),
        "<EYAS:CONCLUSION>\nstatus: success\n</EYAS:CONCLUSION>".to_owned(),
    ] {
        assert_eq!(
            read(&answer).source,
            ConclusionSource::Synthesized,
            "{answer}"
        );
    }
}

#[test]
fn a_status_is_read_as_it_is_meant() {
    for (written, expected, odd) in [
        ("success", Success, false),
        ("Success!", Success, false),
        ("'  SUCCESS '", Success, false),
        ("✅ done", Success, false),
        ("success (all 12 tests pass)", Success, false),
        ("`partial`", Partial, false),
        ("failed: no compiler", Failed, false),
        ("blocked # needs a key", Blocked, false),
        ("not successful", Partial, true),
        ("unsuccessful", Partial, true),
        ("success, but partial", Partial, true),
        ("true", Partial, true),
        ("[success]", Partial, true),
        ("~", Partial, true),
        ("", Partial, true),
    ] {
        let got = block(&format!("status: {written}\nsummary: s"));
        assert_eq!(got.status, expected, "{written} {got:?}");
        let told = got
            .warnings
            .iter()
            .any(|warning| warning.contains("status"));
        assert_eq!(told, odd, "{written} {:?}", got.warnings);
    }
    assert_eq!(
        block("summary: s").warnings,
        ["the conclusion has no status; taken as partial"]
    );
}

#[test]
fn a_confidence_is_a_number_or_nothing() {
    for (written, expected, odd) in [
        ("0.8", Some(0.8), false),
        ("'0.8'", Some(0.8), false),
        ("80%", Some(0.8), false),
        ("1.5", Some(1.0), true),
        ("-3", Some(0.0), true),
        ("high", None, true),
        (".nan", None, true),
        (".inf", None, true),
        ("1e999", None, true),
        ("[0.5]", None, true),
        ("~", None, false),
    ] {
        let got = block(&format!(
            "status: success\nsummary: s\nconfidence: {written}"
        ));
        assert_eq!(
            (got.confidence, got.status),
            (expected, Success),
            "{written}"
        );
        assert_eq!(
            got.warnings.is_empty(),
            !odd,
            "{written} {:?}",
            got.warnings
        );
    }
}

#[test]
fn a_list_is_read_however_it_is_written() {
    let cited = |written: &str| {
        block(&format!(
            "status: success\nsummary: s\nartifacts: {written}"
        ))
    };
    for (written, odd) in [
        ("[a.rs, b.rs]", false),
        ("\n  - a.rs\n  - b.rs", false),
        ("\n- path: a.rs\n  why: new\n- file: b.rs", false),
        ("a.rs, b.rs", true),
        ("|\n  a.rs\n  b.rs", true),
        ("|\n  - a.rs\n  - b.rs", true),
        ("[a.rs, ' ', null, b.rs, '...']", true),
        ("[a.rs, '‹path›', b.rs]", true),
    ] {
        let got = cited(written);
        assert_eq!(got.artifacts, ["a.rs", "b.rs"], "{written}");
        assert_eq!(
            got.warnings.is_empty(),
            !odd,
            "{written} {:?}",
            got.warnings
        );
    }
    for none in ["", "[]", "none", "~", "N/A"] {
        assert!(cited(none).artifacts.is_empty(), "{none}");
    }
    let many = cited(&format!("[{}]", "x,".repeat(300)));
    assert_eq!((many.artifacts.len(), many.warnings.len()), (200, 1));
    let asked = block("status: blocked\nsummary: s\nquestions: Which one, this or that?");
    assert_eq!(asked.questions, ["Which one, this or that?"]);
}

#[test]
fn yaml_that_is_none_keeps_its_fields() {
    let got = block(
        "status: success\nsummary: fixed: the \"bug\": all of it\n\tand more\nartifacts:\n- a.rs\n- b: c.rs\nfollow-up: none\nMemory Refs: [m]\nconfidence: 0.5 # sure\nstatus: partial",
    );
    assert_eq!(got.status, Partial);
    assert_eq!(got.summary, "fixed: the \"bug\": all of it\nand more");
    assert_eq!(got.artifacts, ["a.rs", "b: c.rs"]);
    assert_eq!(
        (got.follow_up, got.memory_refs),
        (None, vec!["m".to_owned()])
    );
}

#[test]
fn what_is_too_much_is_refused_quickly_and_said() {
    let within = |answer: &str| {
        let begun = Instant::now();
        let got = read(answer);
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
        assert!(got.summary.len() <= 24 * 1024);
        got
    };
    let wrap = |body: &str| format!("so:\n<eyas:conclusion>\n{body}\n</eyas:conclusion>");
    let aliases: String = (1..1_000)
        .map(|n| format!("a{n}: &a{n} [*a{},*a{}]\n", n - 1, n - 1))
        .collect();
    let bomb = within(&wrap(&format!(
        "status: success\nsummary: boom\na0: &a0 [x]\n{aliases}"
    )));
    assert!(bomb.status == Success && bomb.summary == "boom");
    assert_eq!(bomb.warnings.len(), 1, "{:?}", bomb.warnings);
    let large = within(&wrap(&format!(
        "status: success\nsummary: {}",
        "x".repeat(10_000_000)
    )));
    assert_eq!(large.source, ConclusionSource::Synthesized);
    assert!(!large.warnings.is_empty());
    let half = within(&wrap(&format!(
        "status: success\nsummary: {}",
        "x".repeat(500_000)
    )));
    assert!(
        half.warnings
            .iter()
            .any(|warning| warning.contains("was not read")),
        "{:?}",
        half.warnings
    );
    let after = within(&format!(
        "{}{}",
        wrap("status: failed\nsummary: s"),
        wrap(&"y".repeat(300_000))
    ));
    assert_eq!(
        (after.status, after.source),
        (Failed, ConclusionSource::Block)
    );
    for deep in ["[", "{a: ", "- ", "? ", "{\"a\":["] {
        within(&wrap(&format!(
            "status: success\nsummary: s\nx: {}",
            deep.repeat(50_000)
        )));
        within(&wrap(&deep.repeat(50_000)));
    }
    within(&"<eyas:conclusion>\n</eyas:conclusion>".repeat(20_000));
    within(&"<eyas:conclusion>\n".repeat(40_000));
    within(&wrap(&"status: success\n".repeat(10_000)));
}

#[test]
fn a_report_by_the_tool_is_best_and_says_what_it_borrows() {
    let full = |report: Report, answer: &str| {
        let seen = Seen {
            report: Some(report),
            stop_reason: Some("end_turn".to_owned()),
            ..Seen::default()
        };
        conclude(answer, seen)
    };
    let said = "<eyas:conclusion>\nstatus: failed\nsummary: in the block\n</eyas:conclusion>";
    let report = Report {
        status: Some(Success),
        summary: " done ".to_owned(),
        artifacts: vec![" a.rs ".to_owned(), " ".to_owned()],
        confidence: Some(7.0),
        ..Report::default()
    };
    let got = full(report, said);
    assert_eq!(
        (got.status, got.summary.as_str(), got.source),
        (Success, "done", ConclusionSource::Tool)
    );
    assert_eq!(
        (got.artifacts.len(), got.confidence, got.warnings.len()),
        (1, Some(1.0), 2)
    );
    let got = full(Report::default(), said);
    assert_eq!((got.status, got.summary.as_str()), (Failed, "in the block"));
    assert_eq!(
        got.warnings,
        [
            "the status is from the conclusion block",
            "the summary is from the conclusion block"
        ]
    );
    let got = full(
        Report {
            status: Some(Blocked),
            ..Report::default()
        },
        "the end",
    );
    assert_eq!((got.status, got.summary.as_str()), (Blocked, "the end"));
    let large = Report {
        summary: "x".repeat(10_000_000),
        artifacts: vec!["y".repeat(9_000); 9_000],
        ..Report::default()
    };
    let got = full(large, "");
    assert!(
        got.summary.len() <= 24 * 1024
            && got.artifacts.len() == 200
            && got.artifacts[0].len() <= 4096
    );
    assert!(got.warnings.len() >= 2);
}

#[test]
fn a_run_that_ended_badly_was_no_success() {
    let said = "<eyas:conclusion>\nstatus: success\nsummary: s\n</eyas:conclusion>";
    for (state, stop, block, silent) in [
        (RunState::Succeeded, "end_turn", Success, Success),
        (RunState::Failed, "", Partial, Failed),
        (RunState::TimedOut, "cancelled", Partial, Failed),
        (RunState::Cancelled, "cancelled", Partial, Blocked),
        (RunState::Cancelled, "end_turn", Partial, Blocked),
        (RunState::Failed, "refusal", Failed, Failed),
    ] {
        let ended = |answer: &str| {
            let seen = Seen {
                state: Some(state),
                stop_reason: Some(stop.to_owned()),
                ..Seen::default()
            };
            conclude(answer, seen)
        };
        assert_eq!(ended(said).status, block, "{state:?} {stop}");
        assert_eq!(ended(said).warnings.len(), usize::from(block != Success));
        assert_eq!(ended("words").status, silent, "{state:?} {stop}");
        assert_eq!(
            ended("").status,
            if silent == Success { Partial } else { silent }
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_breaks_it(parts in prop::collection::vec(prop_oneof![
        Just("<eyas:conclusion>".to_owned()), Just("</eyas:conclusion>".to_owned()), Just("\n".to_owned()), Just("```".to_owned()),
        Just("status: success".to_owned()), Just("summary: |\n  x".to_owned()), Just("artifacts: [".to_owned()), Just("&a *a".to_owned()),
        Just("> ".to_owned()), Just("{\"status\":".to_owned()), Just("confidence: 1e400\n".to_owned()), any::<String>(), "\\PC{0,40}",
    ], 0..40)) {
        let begun = Instant::now();
        let got = read(&parts.concat());
        prop_assert!(begun.elapsed() < Duration::from_secs(2));
        prop_assert!(!got.summary.is_empty() || !got.warnings.is_empty());
        prop_assert!(got.confidence.is_none_or(|number| (0.0..=1.0).contains(&number)));
    }
}

#[test]
fn an_answer_full_of_tags_is_read_from_its_end_and_in_no_time() {
    let tags = "<eyas:conclusion>".repeat(60_000) + &"</eyas:conclusion>".repeat(60_000);
    let report = "\n<eyas:conclusion>\nstatus: success\nsummary: it is done\n</eyas:conclusion>";
    let begun = Instant::now();
    let conclusion = read(&(tags + report));
    assert_eq!(conclusion.summary, "it is done");
    // It took minutes when each tag looked for its line's beginning.
    assert!(begun.elapsed() < Duration::from_secs(30));
}
