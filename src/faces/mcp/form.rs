//! A run's request as a form for a person, and what the person's answer to it means. Nothing here speaks to anybody.

use super::views;
use crate::{
    domain::{
        request::{Answer, OptionKind, Request, RequestKind, RequestOption},
        run::Run,
    },
    stdx::text::{head, plain},
};
use rmcp::model::{
    ConstTitle, ElicitRequestParams, ElicitationSchema, EnumSchema, LegacyEnumSchema,
    PrimitiveSchemaDefinition, SingleSelectEnumSchema, StringSchema, TitledSingleSelectEnumSchema,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The form's field for an option, or for the words that answer a question without options.
const ANSWER: &str = "answer";
/// The form's field for words where there are options too.
const TEXT: &str = "text";
/// Bytes of what an agent says that a person is shown.
const TITLE: usize = 500;
const DETAIL: usize = 2 * 1024;
const NAME: usize = 120;
/// Options that a person is shown.
const OPTIONS: usize = 32;

/// What a person's answer to a form comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is answered so.
    Answer(Answer),
    /// Nobody has decided: the request stays open.
    Leave,
}

/// The request as a form. `titled`: the client knows choices with titles of their own, which came with 2025-11-25.
pub(super) fn form(run: &Run, request: &Request, titled: bool) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message(run, request),
        requested_schema: schema(request, titled),
    }
}

/// Who asks what, told so that no words of an agent's can pass for ours: ours come first and last.
fn message(run: &Run, request: &Request) -> String {
    let what = match request.kind {
        RequestKind::Permission => "asks for permission",
        RequestKind::Question => "has a question",
    };
    let title = plain(&views::shortened(&request.title, TITLE));
    let mut text = format!("The agent {} {what}:\n\n{title}\n", run.agent);
    if let Some(detail) = &request.detail {
        let detail = plain(&views::shortened(detail, DETAIL));
        text = format!("{text}\n{detail}\n");
    }
    let task = run.prompt.lines().next().unwrap_or_default();
    let task = plain(&views::shortened(task, NAME));
    text = format!("{text}\nRun {}, task: {task}", run.id);
    if let Some(deadline) = request.deadline {
        text = format!("{text}\nUnanswered it is settled without you at {deadline}.");
    }
    text
}

fn schema(request: &Request, titled: bool) -> ElicitationSchema {
    let mut fields = BTreeMap::new();
    let words = || StringSchema::new().min_length(1);
    if request.options.is_empty() {
        let field = words().title("Answer");
        fields.insert(ANSWER.to_owned(), PrimitiveSchemaDefinition::String(field));
        return ElicitationSchema::new(fields).with_required(vec![ANSWER.to_owned()]);
    }
    let choices = PrimitiveSchemaDefinition::Enum(choices(&request.options, titled));
    fields.insert(ANSWER.to_owned(), choices);
    match request.kind {
        RequestKind::Permission => {
            ElicitationSchema::new(fields).with_required(vec![ANSWER.to_owned()])
        }
        RequestKind::Question => {
            let field = StringSchema::new().title("Or in your own words");
            fields.insert(TEXT.to_owned(), PrimitiveSchemaDefinition::String(field));
            ElicitationSchema::new(fields)
        }
    }
}

fn choices(options: &[RequestOption], titled: bool) -> EnumSchema {
    let mut seen = BTreeSet::new();
    let shown: Vec<_> = options
        .iter()
        .filter(|option| seen.insert(option.id.as_str()))
        .take(OPTIONS)
        .map(|option| (option.id.clone(), title(option)))
        .collect();
    if titled {
        let choices = shown
            .into_iter()
            .map(|(id, name)| ConstTitle::new(id, name))
            .collect();
        let mut choices = TitledSingleSelectEnumSchema::new(choices);
        choices.title = Some("Answer".into());
        EnumSchema::Single(SingleSelectEnumSchema::Titled(choices))
    } else {
        let (ids, names) = shown.into_iter().unzip();
        let mut choices = LegacyEnumSchema::new(ids);
        choices.enum_names = Some(names);
        choices.title = Some("Answer".into());
        EnumSchema::Legacy(choices)
    }
}

/// An option's name is the agent's word; what choosing it does is ours.
fn title(option: &RequestOption) -> String {
    let name = plain(head(&option.name, NAME));
    let does = match option.kind {
        OptionKind::AllowOnce => "allow once",
        OptionKind::AllowAlways => "allow always",
        OptionKind::RejectOnce => "reject once",
        OptionKind::RejectAlways => "reject always",
        OptionKind::Choice => return name,
    };
    format!("{name} ({does})")
}

/// What an answer to the form means: `{action, content?}` as clients give it. What cannot be understood decides nothing.
pub(super) fn read(request: &Request, given: &Value) -> Verdict {
    match given.get("action").and_then(Value::as_str) {
        Some("accept") => accepted(request, given.get("content").unwrap_or(&Value::Null)),
        Some("decline") => declined(request),
        Some(_) | None => Verdict::Leave,
    }
}

fn accepted(request: &Request, content: &Value) -> Verdict {
    let said = |field: &str| {
        let text = content.get(field)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (answer, text) = (said(ANSWER), said(TEXT));
    let answer = if request.options.is_empty() {
        Answer {
            option: None,
            text: answer.or(text),
        }
    } else {
        Answer {
            option: answer,
            text,
        }
    };
    // By id alone: a name is the agent's word, and may be another option's id.
    if request.check(&answer).is_err() {
        return Verdict::Leave;
    }
    Verdict::Answer(answer)
}

/// A person who declines has said no: by the option that means just this once, or in words where there is none.
fn declined(request: &Request) -> Verdict {
    let of = |kind: OptionKind| request.options.iter().find(|option| option.kind == kind);
    let no = of(OptionKind::RejectOnce).or_else(|| of(OptionKind::RejectAlways));
    let answer = match (no, request.kind) {
        (Some(no), _) => Answer {
            option: Some(no.id.clone()),
            text: None,
        },
        (None, RequestKind::Question) => Answer {
            option: None,
            text: Some("(The person declined to answer.)".to_owned()),
        },
        (None, RequestKind::Permission) => return Verdict::Leave,
    };
    Verdict::Answer(answer)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, read, schema};
    use crate::domain::request::{Answer, OptionKind, Request, RequestKind, RequestOption};
    use serde_json::{Value, json};

    fn request(kind: RequestKind, options: &[(&str, &str, OptionKind)]) -> Request {
        let option = |(id, name, kind): &(&str, &str, OptionKind)| RequestOption {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            kind: *kind,
        };
        Request {
            id: "r".to_owned(),
            kind,
            title: "cargo publish".to_owned(),
            detail: None,
            options: options.iter().map(option).collect(),
            deadline: None,
        }
    }

    fn permission() -> Request {
        let options = [
            ("always", "Never again", OptionKind::RejectAlways),
            ("yes", "Allow", OptionKind::AllowOnce),
            ("no", "Reject", OptionKind::RejectOnce),
        ];
        request(RequestKind::Permission, &options)
    }

    fn option(id: &str) -> Verdict {
        Verdict::Answer(Answer {
            option: Some(id.to_owned()),
            text: None,
        })
    }

    fn text(text: &str) -> Verdict {
        Verdict::Answer(Answer {
            option: None,
            text: Some(text.to_owned()),
        })
    }

    #[test]
    fn a_permission_takes_an_option_by_its_id_and_declining_is_the_mildest_no() {
        let accept = |content: Value| json!({"action": "accept", "content": content});
        for (given, meant) in [
            (accept(json!({"answer": "yes"})), option("yes")),
            (accept(json!({"answer": "Allow"})), Verdict::Leave),
            (json!({"action": "decline"}), option("no")),
            (json!({"action": "cancel"}), Verdict::Leave),
            (accept(json!({"answer": "sudo"})), Verdict::Leave),
            (accept(json!({"answer": ["yes"]})), Verdict::Leave),
            (accept(json!({"text": "yes"})), Verdict::Leave),
            (accept(Value::Null), Verdict::Leave),
            (json!({"action": "ACCEPT"}), Verdict::Leave),
            (json!({}), Verdict::Leave),
            (json!("accept"), Verdict::Leave),
        ] {
            assert_eq!(read(&permission(), &given), meant, "{given}");
        }
    }

    #[test]
    fn a_permission_that_nothing_can_deny_stays_open_when_declined() {
        let allow = [("yes", "Allow", OptionKind::AllowOnce)];
        let request = request(RequestKind::Permission, &allow);
        assert_eq!(
            read(&request, &json!({"action": "decline"})),
            Verdict::Leave
        );
    }

    #[test]
    fn a_question_takes_words() {
        let open = request(RequestKind::Question, &[]);
        let given = json!({"action": "accept", "content": {"answer": " blue "}});
        assert_eq!(read(&open, &given), text("blue"));
        let given = json!({"action": "accept", "content": {"answer": " "}});
        assert_eq!(read(&open, &given), Verdict::Leave);
        let declined = json!({"action": "decline"});
        assert_eq!(
            read(&open, &declined),
            text("(The person declined to answer.)")
        );
        let choice = [("a", "First", OptionKind::Choice)];
        let either = request(RequestKind::Question, &choice);
        let given = json!({"action": "accept", "content": {"text": "neither"}});
        assert_eq!(read(&either, &given), text("neither"));
        let given = json!({"action": "accept", "content": {"answer": "a", "text": ""}});
        assert_eq!(read(&either, &given), option("a"));
    }

    #[test]
    fn choices_are_named_as_the_revision_has_it() {
        let shown = |titled| serde_json::to_value(schema(&permission(), titled)).expect("plain");
        let old = &shown(false)["properties"]["answer"];
        assert_eq!(old["enum"], json!(["always", "yes", "no"]));
        let names = [
            "Never again (reject always)",
            "Allow (allow once)",
            "Reject (reject once)",
        ];
        assert_eq!(old["enumNames"], json!(names));
        let new = &shown(true)["properties"]["answer"];
        assert_eq!(new["oneOf"][1], json!({"const": "yes", "title": names[1]}));
        assert_eq!(shown(true)["required"], json!(["answer"]));
    }
}
