//! Arguments against their schema, before anything is asked of the hub. Models slip by a letter or a type; the fault says what is right.

use crate::domain::fault::{ErrorKind, Fault};
use rmcp::model::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Checks arguments, leaving out what is given as null.
///
/// # Errors
/// `invalid_params` for an argument that is unknown or of the wrong type, `required_field` for one that is missing or empty.
pub(super) fn check(given: JsonObject, schema: &JsonObject) -> Result<JsonObject, Fault> {
    whole("", given, schema)
}

/// One object; `within` is where it stands, with a dot behind it.
fn whole(within: &str, mut given: JsonObject, schema: &JsonObject) -> Result<JsonObject, Fault> {
    given.retain(|_, value| !value.is_null());
    let none = JsonObject::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    for (name, value) in &mut given {
        match known.get(name) {
            Some(schema) => fits(&format!("{within}{name}"), value, schema)?,
            None => return Err(unknown(within, name, known)),
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let empty = given
            .get(name)
            .is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()));
        if empty {
            return Err(missing(within, name, known));
        }
    }
    Ok(given)
}

/// Reads checked arguments.
///
/// # Errors
/// `invalid_params` where the schema says less than the type.
pub(super) fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| crate::api::methods::explain(&error.to_string()))
}

/// The fault of an argument that is required by the case, not by the schema.
pub(super) fn needed(name: &str, hint: impl Into<String>) -> Fault {
    Fault::required(name).hint(hint)
}

fn unknown(within: &str, name: &str, known: &JsonObject) -> Fault {
    let names = || known.keys().map(String::as_str);
    let all = names().collect::<Vec<_>>().join(", ");
    let hint = match crate::stdx::nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`? the arguments are: {all}"),
        None if all.is_empty() => "this tool takes no arguments".to_owned(),
        None => format!("the arguments are: {all}"),
    };
    let name = format!("{within}{}", crate::stdx::text::head(name, 64));
    Fault::new(
        ErrorKind::InvalidParams,
        format!("unknown argument `{name}`"),
    )
    .hint(hint)
    .field(name)
}

fn missing(within: &str, name: &str, known: &JsonObject) -> Fault {
    let fault = Fault::required(&format!("{within}{name}"));
    let schema = known.get(name);
    let words = schema.and_then(words);
    let about = schema
        .and_then(|schema| schema.get("description"))
        .and_then(Value::as_str);
    match (words, about) {
        (Some(words), _) => fault.hint(format!("one of: {words}")),
        (None, Some(about)) => fault.hint(about),
        (None, None) => fault,
    }
}

fn fits(name: &str, value: &mut Value, schema: &Value) -> Result<(), Fault> {
    let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
        return Ok(());
    };
    // 2000.0 is an integer in JSON Schema, but not to serde.
    if wanted == "integer"
        && let Some(whole) = value.as_f64().filter(|number| number.fract() == 0.0)
        && !value.is_u64()
    {
        *value = whole_number(whole);
    }
    let right = match wanted {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !right {
        return Err(wrong_type(name, value, wanted));
    }
    in_range(name, value, schema)?;
    one_of(name, value, schema)?;
    let items = schema.get("items");
    match (value, items, schema.as_object()) {
        (Value::Array(values), Some(items), _) => {
            values.iter_mut().try_for_each(|one| fits(name, one, items))
        }
        (Value::Object(own), _, Some(schema)) if schema.contains_key("properties") => {
            *own = whole(&format!("{name}."), std::mem::take(own), schema)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn whole_number(number: f64) -> Value {
    format!("{number:.0}")
        .parse::<u64>()
        .map_or_else(|_negative| Value::from(number), Value::from)
}

fn wrong_type(name: &str, value: &Value, wanted: &str) -> Fault {
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) if wanted == "integer" => "another number",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let wanted = match wanted {
        "integer" => "a whole number, zero or more",
        "string" => "a string",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "an array",
        "object" => "an object",
        other => other,
    };
    Fault::invalid(name, format!("must be {wanted}, not {is}"))
}

fn in_range(name: &str, value: &Value, schema: &Value) -> Result<(), Fault> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    if let Some(number) = value.as_f64() {
        let (least, most) = (bound("minimum"), bound("maximum"));
        let below = least.is_some_and(|least| number < least);
        if below || most.is_some_and(|most| number > most) {
            let (least, most) = (least.unwrap_or(0.0), most.unwrap_or(f64::MAX));
            return Err(Fault::invalid(name, format!("must be {least} to {most}")));
        }
    }
    let len = value.as_array().map(Vec::len);
    let most = schema.get("maxItems").and_then(Value::as_u64);
    match (len, most) {
        (Some(len), Some(most)) if len as u64 > most => Err(Fault::invalid(
            name,
            format!("has {len} items, at most {most} are taken"),
        )),
        _ => Ok(()),
    }
}

fn one_of(name: &str, value: &Value, schema: &Value) -> Result<(), Fault> {
    let (Some(word), Some(words)) = (value.as_str(), words(schema)) else {
        return Ok(());
    };
    if words.split(", ").any(|known| known == word) {
        return Ok(());
    }
    let word = crate::stdx::text::head(word, 64);
    let hint = match crate::stdx::nearest(word, words.split(", ")) {
        Some(near) => format!("did you mean \"{near}\"? one of: {words}"),
        None => format!("one of: {words}"),
    };
    Err(Fault::invalid(name, format!("cannot be {word:?}")).hint(hint))
}

/// The words of an `enum`, joined.
fn words(schema: &Value) -> Option<String> {
    let words = schema.get("enum")?.as_array()?;
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    Some(words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::domain::fault::ErrorKind;
    use serde_json::{Value, json};

    fn checked(given: Value) -> Result<Value, crate::domain::fault::Fault> {
        let schema = json!({
            "properties": {
                "prompt": {"type": "string", "description": "what to do"},
                "wait_ms": {"type": "integer"},
                "mode": {"type": "string", "enum": ["auto", "warm"]},
                "ids": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
                "policy": {"type": "object", "properties": {"ask": {"type": "string", "enum": ["off", "always"]}}},
                "answer": {"type": "object", "properties": {"request": {"type": "string"}}, "required": ["request"]},
            },
            "required": ["prompt"],
        });
        let (Value::Object(given), Value::Object(schema)) = (given, schema) else {
            panic!("objects")
        };
        check(given, &schema).map(Value::Object)
    }

    #[test]
    fn what_fits_is_taken_and_null_is_absent() {
        let taken = checked(json!({"prompt": "x", "wait_ms": 2000.0, "mode": null})).expect("fits");
        assert_eq!(taken, json!({"prompt": "x", "wait_ms": 2000}));
    }

    #[test]
    fn a_slip_is_taught() {
        for (given, kind, said) in [
            (json!({}), ErrorKind::RequiredField, "`prompt`"),
            (json!({"prompt": " "}), ErrorKind::RequiredField, "`prompt`"),
            (json!({"promt": "x"}), ErrorKind::InvalidParams, "`prompt`"),
            (json!({"prompt": 5}), ErrorKind::InvalidParams, "a string"),
            (
                json!({"prompt": "x", "wait_ms": -1}),
                ErrorKind::InvalidParams,
                "whole number",
            ),
            (
                json!({"prompt": "x", "wait_ms": "1"}),
                ErrorKind::InvalidParams,
                "whole number",
            ),
            (
                json!({"prompt": "x", "mode": "wam"}),
                ErrorKind::InvalidParams,
                "\"warm\"",
            ),
            (
                json!({"prompt": "x", "ids": ["a", 1]}),
                ErrorKind::InvalidParams,
                "`ids`",
            ),
            (
                json!({"prompt": "x", "ids": ["a", "b", "c"]}),
                ErrorKind::InvalidParams,
                "at most 2",
            ),
            (
                json!({"prompt": "x", "policy": {"akc": "off"}}),
                ErrorKind::InvalidParams,
                "`policy.akc`",
            ),
            (
                json!({"prompt": "x", "policy": {"ask": "of"}}),
                ErrorKind::InvalidParams,
                "\"off\"",
            ),
            (
                json!({"prompt": "x", "policy": "full"}),
                ErrorKind::InvalidParams,
                "`policy` must be an object",
            ),
            (
                json!({"prompt": "x", "answer": {"request": null}}),
                ErrorKind::RequiredField,
                "`answer.request`",
            ),
        ] {
            let fault = checked(given.clone()).expect_err("a slip");
            let text = format!(
                "{} {}",
                fault.detail,
                fault.hint.clone().unwrap_or_default()
            );
            assert_eq!(fault.kind, kind, "{given}");
            assert!(text.contains(said), "{given}: {text}");
        }
    }
}
