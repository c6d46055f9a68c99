use super::{
    ARGUMENT, NamedBy, Output, PolicyWords, PromptBy, Told, Turn, TurnForm, Values, Words,
};
use crate::domain::{fault::ErrorKind, policy::Security};

fn one(word: &str) -> Words {
    Words::One(word.to_owned())
}

fn together(words: &[&str]) -> Words {
    Words::Together(words.iter().map(|&word| word.to_owned()).collect())
}

fn hawk() -> TurnForm {
    TurnForm {
        args: vec![
            one("go"),
            one("{policy}"),
            together(&["--model", "{model}"]),
            one("{form}"),
            one("-"),
        ],
        start: vec![together(&["--name", "{session}"])],
        resume: Some(vec![one("again"), one("{session}")]),
        latest: Some(vec![one("again"), one("--last")]),
        policy: PolicyWords {
            full: Some(Told {
                args: vec![one("--yes")],
                ..Told::default()
            }),
            ..PolicyWords::default()
        },
        ..TurnForm::default()
    }
}

fn of(form: &TurnForm, turn: Turn<'_>, values: &Values<'_>) -> String {
    form.arguments(turn, values).expect("arguments").join(" ")
}

#[test]
fn each_turn_has_its_form_in_its_place() {
    let values = Values::default();
    for (turn, expected) in [
        (Turn::Start(None), "go -"),
        (Turn::Start(Some("s1")), "go --name s1 -"),
        (Turn::ResumeById("s1"), "go again s1 -"),
        (Turn::ResumeLatest, "go again --last -"),
        (Turn::FollowUp(Some("s1")), "go again s1 -"),
        (Turn::FollowUp(None), "go again --last -"),
    ] {
        assert_eq!(of(&hawk(), turn, &values), expected, "{turn:?}");
    }
    let form = TurnForm {
        args: vec![one("go")],
        ..hawk()
    };
    assert_eq!(of(&form, Turn::ResumeById("s1"), &values), "again s1 go");
}

#[test]
fn what_is_told_of_the_policy_stands_in_its_place_with_what_is_told_besides() {
    let more = ["-c".to_owned(), "x=1".to_owned()];
    let values = Values {
        security: Security::Full,
        model: Some("m"),
        more: &more,
        ..Values::default()
    };
    assert_eq!(
        of(&hawk(), Turn::Start(None), &values),
        "go --yes -c x=1 --model m -"
    );
}

#[test]
fn a_turn_without_a_form_is_not_found() {
    let form = TurnForm {
        resume: None,
        latest: None,
        ..hawk()
    };
    for turn in [
        Turn::ResumeLatest,
        Turn::ResumeById("s"),
        Turn::FollowUp(None),
        Turn::FollowUp(Some("s")),
    ] {
        let fault = form.arguments(turn, &Values::default()).expect_err("none");
        assert_eq!(fault.kind, ErrorKind::NotFound, "{turn:?}");
    }
}

#[test]
fn what_stands_for_nothing_is_left_out_with_its_list_and_is_a_fault_alone() {
    let mut form = hawk();
    form.args.push(one("{persona_file}"));
    let fault = form
        .arguments(Turn::Start(None), &Values::default())
        .expect_err("no persona");
    assert_eq!(fault.kind, ErrorKind::InvalidParams);
    assert!(fault.detail.contains("{persona_file}"), "{fault}");
}

#[test]
fn a_value_is_no_template_and_other_braces_are_text() {
    let form = TurnForm {
        args: vec![one("{\"a\":\"{model}\"}{"), one("{cwd}/{mode}")],
        ..TurnForm::default()
    };
    let values = Values {
        model: Some("{session} {cwd}"),
        cwd: Some("/p"),
        ..Values::default()
    };
    assert_eq!(
        form.arguments(Turn::Start(None), &values)
            .expect("arguments"),
        ["{\"a\":\"{session} {cwd}\"}{", "/p/allowlist"]
    );
    assert_eq!(form.check(), Ok(()));
}

#[test]
fn an_argument_that_the_system_does_not_take_is_refused() {
    let form = TurnForm {
        args: vec![one("{prompt}")],
        prompt: PromptBy::Argument,
        ..TurnForm::default()
    };
    for (len, fits) in [(ARGUMENT, true), (ARGUMENT + 1, false)] {
        let prompt = "x".repeat(len);
        let values = Values {
            prompt: Some(&prompt),
            ..Values::default()
        };
        let args = form.arguments(Turn::Start(None), &values);
        match args {
            Ok(_) => assert!(fits),
            Err(fault) => assert!(!fits && fault.kind == ErrorKind::TooLarge, "{fault}"),
        }
    }
}

#[test]
fn a_form_that_cannot_work_is_told_from_one_that_can() {
    let with = |change: fn(&mut TurnForm)| {
        let mut form = hawk();
        change(&mut form);
        form.check()
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(|form| form.named_by = NamedBy::Eyas), Ok(()));
    for (change, why) in [
        (
            (|form| form.args.push(one("{modle}"))) as fn(&mut TurnForm),
            "{modle}",
        ),
        (|form| form.start.push(one("{policy}")), "{policy}"),
        (|form| form.prompt = PromptBy::Argument, "{prompt}"),
        (|form| form.prompt = PromptBy::File, "{prompt_file}"),
        (|form| form.args.push(one("{prompt}")), "another way"),
        (|form| form.output = Output::JsonLines, "fields.text"),
        (
            |form| {
                form.named_by = NamedBy::Eyas;
                form.start.clear();
                form.resume = None;
            },
            "{session}",
        ),
    ] {
        let wrong = with(change).expect_err(why);
        assert!(wrong.contains(why), "{wrong} / {why}");
    }
}

#[test]
fn it_is_written_as_people_write_it() {
    let written = r#"
        args = ["--json", ["--model", "{model}"], "{policy}"]
        resume = ["--resume", "{session}"]
        prompt = "stdin"
        output = "json_lines"
        [fields]
        text = "message.content.*.text"
        [fields.where]
        role = "assistant"
        [policy.allowlist]
        args = ["--edits"]
        gap = "runs what it likes"
    "#;
    let form: TurnForm = toml::from_str(written).expect("a form");
    assert_eq!(form.check(), Ok(()));
    assert_eq!(
        of(&form, Turn::ResumeById("7"), &Values::default()),
        "--resume 7 --json --edits"
    );
    assert_eq!(form.fields.holds["role"], "assistant");
    let again: TurnForm =
        serde_json::from_value(serde_json::to_value(&form).expect("json")).expect("a form");
    assert_eq!(again, form);
}
