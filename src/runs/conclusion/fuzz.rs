//! Whatever an agent answers has a conclusion that fits into a row and says no more than was seen.

use super::{SUMMARY_BYTES, Seen, conclude, fields};
use crate::{
    domain::{
        conclusion::{Conclusion, ConclusionStatus},
        run::RunState,
    },
    stdx::fuzz::{Chance, Source, feed},
};

const ANSWERS: Source = Source {
    seeds: &[
        "Done.\n<eyas:conclusion>\nstatus: success\nsummary: |\n  It is fixed.\n  Twice.\nartifacts:\n  - src/lib.rs\n  - tests/a.rs\nconfidence: 0.8\n</eyas:conclusion>\n",
        "<eyas:conclusion>{\"status\":\"partial\",\"summary\":\"half\",\"questions\":[\"which?\"],\"follow_up\":\"more\"}</eyas:conclusion>",
        "I looked at it.\n\n> <eyas:conclusion>\n> status: blocked\n> summary: fixed: the bug\n> </eyas:conclusion>",
        "<eyas:conclusion>\n```yaml\nconclusion:\n  Status: Success\n  Memory Refs: [a, b]\n  warnings: none\n```\n</eyas:conclusion>",
        "The tags are `<eyas:conclusion>` and `</eyas:conclusion>`.\n<eyas:conclusion>\nstatus: failed\nsummary: \"no \\\"luck\\\"\"",
        "Nothing but words, and a list:\n- one\n- two\n",
        "<eyas:conclusion>\nstatus: <success|partial|failed|blocked>\nsummary: <what you did>\n</eyas:conclusion>",
        "<eyas:conclusion>\nsummary: &a [*a, *a]\nstatus: !!binary x\nartifacts: {a: {b: {c: [1, 2]}}}\n</eyas:conclusion>",
        "",
    ],
    words: &[
        "<eyas:conclusion>",
        "</eyas:conclusion>",
        "<eyas:conclusion>\n",
        "\n</eyas:conclusion>",
        "status:",
        "summary:",
        "summary: |\n",
        "artifacts:\n",
        "- ",
        "  - x\n",
        "questions: [",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "`",
        "```",
        "```yaml\n",
        ": ",
        "\n",
        "\r\n",
        "\t",
        "> ",
        "#",
        "---\n",
        "...\n",
        "&a ",
        "*a ",
        "<<: *a\n",
        "!!str ",
        "? ",
        "| ",
        ">-\n",
        "\u{0}",
        "\u{1b}[2J",
        "\u{feff}",
        "\u{2028}",
        "\u{202e}",
        "\u{1f985}",
        "é",
        "1e999",
        "null",
        "~",
        "0x",
        "confidence: .nan\n",
        "success",
        "[[[[[[[[",
        "{a: {a: {a: ",
        "status: success\nsummary: x\n",
    ],
};

fn seen(chance: &mut Chance) -> Seen {
    let state = RunState::ALL[chance.below(RunState::ALL.len())];
    let reasons = ["end_turn", "max_tokens", "refusal", "cancelled", "nonsense"];
    Seen {
        state: (!chance.one_in(3)).then_some(state),
        stop_reason: (!chance.one_in(3)).then(|| chance.pick(&reasons).to_owned()),
        ..Seen::default()
    }
}

fn fits(conclusion: &Conclusion) {
    // What is cut says so, in a few words.
    assert!(conclusion.summary.len() <= SUMMARY_BYTES + 200);
    for list in [
        &conclusion.artifacts,
        &conclusion.memory_refs,
        &conclusion.questions,
    ] {
        assert!(list.len() <= fields::ITEMS);
        assert!(
            list.iter()
                .all(|item| item.len() <= fields::ITEM_BYTES + 200)
        );
    }
    let follow_up = conclusion.follow_up.as_ref();
    assert!(follow_up.is_none_or(|text| text.len() <= fields::FOLLOW_UP_BYTES + 200));
    assert!(conclusion.warnings.len() <= 2 * fields::ITEMS);
    assert!(
        conclusion
            .confidence
            .is_none_or(|confidence| (0.0..=1.0).contains(&confidence))
    );
}

#[test]
fn every_answer_has_a_conclusion_that_fits() {
    feed(&ANSWERS, |bytes, chance| {
        let answer = String::from_utf8_lossy(bytes);
        let seen = seen(chance);
        let state = seen.state;
        let conclusion = conclude(&answer, seen);
        fits(&conclusion);
        let bad = matches!(
            state,
            Some(RunState::Failed | RunState::TimedOut | RunState::Cancelled)
        );
        assert!(
            !bad || conclusion.status != ConclusionStatus::Success,
            "{conclusion:?}"
        );
        let text = serde_json::to_string(&conclusion).expect("plain data");
        let again: Conclusion = serde_json::from_str(&text).expect("what we wrote");
        assert_eq!(again, conclusion);
    });
}
