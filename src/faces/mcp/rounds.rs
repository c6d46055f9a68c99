//! Asking where a server may send no requests (2026-07-28): the call is answered with what is to be asked, and comes again with the
//! answers. Nothing is kept between the two; what must not be lost travels as `requestState`.

use super::{form, question::Question};
use crate::domain::ids::RunId;
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, ElicitRequest, InputRequest, InputRequests, InputRequiredResult,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Longer ones are not ours.
const LONGEST: usize = 2048;

/// What the client keeps for us. It may be changed on its way: it names only what the caller could name itself, and the digest keeps a
/// client from carrying it into another call by mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    run: RunId,
    requests: Vec<String>,
    call: String,
}

/// A call that comes again.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// The run that it was about.
    pub(super) run: RunId,
    /// What the person answered, by request; one that is missing was not put.
    pub(super) said: Vec<(String, Value)>,
}

/// Which call it is: the tool and its arguments, in whatever order they stand.
pub(super) fn digest(request: &CallToolRequestParams) -> String {
    let mut text = request.name.to_string();
    if let Some(arguments) = &request.arguments {
        write(&Value::Object(arguments.clone()), &mut text);
    }
    let sum = Sha256::digest(text.as_bytes());
    sum.iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write(value: &Value, into: &mut String) {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<_, _> = object.iter().collect();
            into.push('{');
            for (name, value) in sorted {
                into.push_str(&Value::from(name.as_str()).to_string());
                write(value, into);
            }
            into.push('}');
        }
        Value::Array(items) => {
            into.push('[');
            for item in items {
                write(item, into);
            }
            into.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.push_str(&value.to_string());
            into.push(',');
        }
    }
}

/// What the call carries from an earlier round.
///
/// # Errors
/// Invalid parameters for a state that we did not give to this very call, and for answers without one.
pub(super) fn read(request: &CallToolRequestParams) -> Result<Option<Round>, ErrorData> {
    let Some(state) = &request.request_state else {
        return match &request.input_responses {
            None => Ok(None),
            // Taken for a first call, it would do everything once more.
            Some(_) => Err(wrong(
                "inputResponses came without the requestState that was given",
            )),
        };
    };
    let state = Some(state.as_str()).filter(|state| state.len() <= LONGEST);
    let Some(state) = state.and_then(|state| serde_json::from_str::<State>(state).ok()) else {
        return Err(wrong("requestState is none that was given"));
    };
    if state.call != digest(request) {
        return Err(wrong("requestState was given to another call"));
    }
    let answers = request.input_responses.as_ref();
    let said = |id: String| {
        let said = answers.and_then(|answers| answers.get(&id)).cloned()?;
        Some((id, said))
    };
    Ok(Some(Round {
        run: state.run,
        said: state.requests.into_iter().filter_map(said).collect(),
    }))
}

fn wrong(what: &str) -> ErrorData {
    ErrorData::invalid_params(
        format!("{what}: call again without requestState and inputResponses"),
        None,
    )
}

/// The answer that asks, each request by a form of its own; `call` is the digest of the call that it answers.
pub(super) fn ask(run: RunId, questions: Vec<Question>, call: &str) -> InputRequiredResult {
    let ids = questions.iter().map(|one| one.request.id.clone());
    let state = State {
        run,
        requests: ids.collect(),
        call: call.to_owned(),
    };
    let state = serde_json::to_string(&state).unwrap_or_default();
    InputRequiredResult::new(Some(forms(questions)), Some(state))
}

/// Each request as a form of its own, by its id.
pub(super) fn forms(questions: Vec<Question>) -> InputRequests {
    let form = |one: Question| {
        let id = one.request.id.clone();
        let form = ElicitRequest::new(form::form(&[one], true));
        (id, InputRequest::Elicitation(form))
    };
    questions.into_iter().map(form).collect()
}

#[cfg(test)]
mod tests {
    use super::{State, digest, read};
    use crate::domain::ids::RunId;
    use rmcp::model::CallToolRequestParams;
    use serde_json::{Value, json};

    fn call(value: Value) -> CallToolRequestParams {
        serde_json::from_value(value).expect("a call")
    }

    fn state(of: &CallToolRequestParams) -> String {
        let state = State {
            run: RunId(crate::stdx::mint()),
            requests: vec!["r1".to_owned()],
            call: digest(of),
        };
        serde_json::to_string(&state).expect("plain")
    }

    #[test]
    fn a_state_belongs_to_one_call_in_any_order_of_its_arguments() {
        let first =
            call(json!({"name": "delegate", "arguments": {"a": 1, "b": {"c": [2], "d": 3}}}));
        let state = state(&first);
        let again = json!({"name": "delegate", "arguments": {"b": {"d": 3, "c": [2]}, "a": 1},
            "requestState": state, "inputResponses": {"r1": {"action": "accept"}, "x": 1}});
        let round = read(&call(again)).expect("ours").expect("a round");
        assert_eq!(round.said, [("r1".to_owned(), json!({"action": "accept"}))]);
        for other in [
            json!({"name": "run_get", "arguments": {"a": 1, "b": {"c": [2], "d": 3}}}),
            json!({"name": "delegate", "arguments": {"a": 1, "b": {"c": [2, 3]}}}),
            json!({"name": "delegate"}),
        ] {
            let mut other = call(other);
            other.request_state = Some(state.clone());
            read(&other).expect_err("another call");
        }
    }

    #[test]
    fn what_is_no_state_of_ours_is_refused() {
        let plain = call(json!({"name": "delegate", "arguments": {}}));
        assert!(read(&plain).expect("a first call").is_none());
        for state in ["", "{}", "null", "x", &"x".repeat(100_000)] {
            let mut tampered = plain.clone();
            tampered.request_state = Some(state.to_owned());
            read(&tampered).expect_err(state);
        }
        let mut stateless = plain.clone();
        stateless.input_responses = Some(std::collections::BTreeMap::new());
        read(&stateless).expect_err("answers without a state");
        let mut unasked = plain.clone();
        unasked.request_state = Some(state(&plain));
        let round = read(&unasked).expect("ours").expect("a round");
        assert_eq!(round.said, [], "no answer is to be asked again");
    }
}
