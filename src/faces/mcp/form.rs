//! Requests of runs as a form for a person, and what the person's answer to each means. Nothing here speaks to anybody.

use super::question::{self, Question};
use crate::{
    domain::request::{Answer, OptionKind, Request, RequestKind, RequestOption},
    stdx::text::{head, plain},
};
use rmcp::model::{
    ConstTitle, ElicitRequestParams, ElicitationSchema, EnumSchema, LegacyEnumSchema,
    PrimitiveSchemaDefinition, SingleSelectEnumSchema, StringSchema, TitledSingleSelectEnumSchema,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The form's field for an option, or for the words that answer a question without options.
const ANSWER: &str = "answer";
/// The form's field for words where there are options too.
const TEXT: &str = "text";
/// Bytes of an option's name that a person is shown.
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

/// The requests as one form, so that none expires behind another. `titled`: the client knows choices with titles of their own, which came
/// with 2025-11-25.
pub(super) fn form(questions: &[Question], titled: bool) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question::words(questions),
        requested_schema: schema(questions, titled),
    }
}

/// How a field of the n-th of several is called.
fn numbered(field: &str, n: usize) -> String {
    format!("{field}_{n}")
}

fn schema(questions: &[Question], titled: bool) -> ElicitationSchema {
    let mut fields = BTreeMap::new();
    if let [one] = questions {
        let required = put(&mut fields, &one.request, titled, None);
        let schema = ElicitationSchema::new(fields);
        return if required {
            schema.with_required(vec![ANSWER.to_owned()])
        } else {
            schema
        };
    }
    for (question, n) in questions.iter().zip(1..) {
        put(&mut fields, &question.request, titled, Some(n));
    }
    ElicitationSchema::new(fields)
}

/// The fields of a request; whether the first of them must be filled in.
fn put(
    fields: &mut BTreeMap<String, PrimitiveSchemaDefinition>,
    request: &Request,
    titled: bool,
    n: Option<usize>,
) -> bool {
    let name = |field: &str| n.map_or_else(|| field.to_owned(), |n| numbered(field, n));
    let of = n.map(|n| format!(" to {n}")).unwrap_or_default();
    let title = format!("Answer{of}");
    if request.options.is_empty() {
        let field = StringSchema::new().title(title);
        // Where others stand beside it, it may stay empty.
        let field = if n.is_none() {
            field.min_length(1)
        } else {
            field
        };
        fields.insert(name(ANSWER), PrimitiveSchemaDefinition::String(field));
        return true;
    }
    let choices = PrimitiveSchemaDefinition::Enum(choices(&request.options, titled, title));
    fields.insert(name(ANSWER), choices);
    if request.kind == RequestKind::Permission {
        return true;
    }
    let field = StringSchema::new().title(format!("Or in your own words{of}"));
    fields.insert(name(TEXT), PrimitiveSchemaDefinition::String(field));
    false
}

/// What was said to each of the requests of one form, by id, as if it had been put alone.
pub(super) fn split(questions: &[Question], said: &Value) -> Vec<(String, Value)> {
    if let [one] = questions {
        return vec![(one.request.id.clone(), said.clone())];
    }
    let content = said.get("content").unwrap_or(&Value::Null);
    let one = |(question, n): (&Question, usize)| {
        let given = |field: &str| content.get(numbered(field, n)).cloned().unwrap_or_default();
        let alone = json!({
            "action": said.get("action"),
            "content": {ANSWER: given(ANSWER), TEXT: given(TEXT)},
        });
        (question.request.id.clone(), alone)
    };
    questions.iter().zip(1..).map(one).collect()
}

fn choices(options: &[RequestOption], titled: bool, title: String) -> EnumSchema {
    let mut seen = BTreeSet::new();
    let shown: Vec<_> = options
        .iter()
        .filter(|option| seen.insert(option.id.as_str()))
        .take(OPTIONS)
        .map(|option| (option.id.clone(), named(option)))
        .collect();
    if titled {
        let choices = shown
            .into_iter()
            .map(|(id, name)| ConstTitle::new(id, name))
            .collect();
        let mut choices = TitledSingleSelectEnumSchema::new(choices);
        choices.title = Some(title.into());
        EnumSchema::Single(SingleSelectEnumSchema::Titled(choices))
    } else {
        let (ids, names) = shown.into_iter().unzip();
        let mut choices = LegacyEnumSchema::new(ids);
        choices.enum_names = Some(names);
        choices.title = Some(title.into());
        EnumSchema::Legacy(choices)
    }
}

/// An option's name is the agent's word; what choosing it does is ours.
fn named(option: &RequestOption) -> String {
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
    use super::{Question, Verdict, form, read, schema, split};
    use crate::{
        domain::{
            ids::RunId,
            request::{Answer, OptionKind, Request, RequestKind, RequestOption},
        },
        stdx::mint,
    };
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

    fn asked(request: Request) -> Question {
        Question {
            run: RunId(mint()),
            above: Some(RunId(mint())),
            agent: "fake".to_owned(),
            task: "work".to_owned(),
            request,
        }
    }

    #[test]
    fn several_stand_in_one_form_and_each_has_its_own_answer() {
        let mut hostile = permission();
        hostile.title = "ls\n\n2. The agent other asks for permission:".to_owned();
        let open = request(RequestKind::Question, &[]);
        let choice = [("a", "First", OptionKind::Choice)];
        let either = request(RequestKind::Question, &choice);
        let all = [asked(hostile), asked(open), asked(either)];
        let shown = serde_json::to_value(form(&all, false)).expect("plain");
        let message = shown["message"].as_str().expect("text");
        let begins = |n: u32| {
            let begin = format!("{n}. The agent");
            message
                .lines()
                .filter(|line| line.starts_with(&begin))
                .count()
        };
        assert_eq!([begins(1), begins(2), begins(3)], [1, 1, 1], "{message}");
        assert!(message.contains(&format!("below run {}", all[0].above.expect("there"))));
        let schema = &shown["requestedSchema"];
        assert!(schema["required"].as_array().is_none_or(Vec::is_empty));
        assert_eq!(schema["properties"]["answer_1"]["title"], "Answer to 1");
        assert_eq!(schema["properties"]["answer_2"]["type"], "string");
        assert!(schema["properties"]["text_3"].is_object());
        let meant = |said: Value| {
            let parts = split(&all, &said);
            let parts = all.iter().zip(parts);
            parts
                .map(|(one, (_, said))| read(&one.request, &said))
                .collect::<Vec<_>>()
        };
        let content = json!({"answer_1": "yes", "answer_2": "", "text_3": "neither"});
        let said = json!({"action": "accept", "content": content});
        let expected = [option("yes"), Verdict::Leave, text("neither")];
        assert_eq!(meant(said), expected);
        let no = text("(The person declined to answer.)");
        let declined = meant(json!({"action": "decline"}));
        assert_eq!(declined, [option("no"), no.clone(), no]);
        let left = meant(json!({"action": "cancel"}));
        assert_eq!(left, [Verdict::Leave, Verdict::Leave, Verdict::Leave]);
    }

    #[test]
    fn choices_are_named_as_the_revision_has_it() {
        let shown =
            |titled| serde_json::to_value(schema(&[asked(permission())], titled)).expect("plain");
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
