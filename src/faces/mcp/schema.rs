//! Schemas of the tools: whole for what goes in, bare for what comes out, both without references.

use super::tools;
use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| tools::ALL.iter().map(tool).collect());

/// All tools in their order, which never varies.
pub(super) fn tools() -> &'static [Tool] {
    &TOOLS
}

fn tool(spec: &tools::Spec) -> Tool {
    let hints = spec.hints;
    let annotations = ToolAnnotations::new()
        .read_only(hints.read_only)
        .destructive(hints.destructive)
        .idempotent(hints.idempotent)
        .open_world(hints.open_world);
    let mut meta = MetaObject::new();
    meta.insert("anthropic/searchHint".to_owned(), json!(spec.search));
    if spec.name == "delegate" {
        meta.insert("anthropic/alwaysLoad".to_owned(), json!(true));
    }
    let mut input = (spec.input)();
    // What is unknown is refused all the same, with the word that was meant: no client need refuse it first, with less to say.
    input.remove("additionalProperties");
    Tool::new(spec.name, spec.description, Arc::new(input))
        .with_title(spec.title)
        .with_raw_output_schema(Arc::new((spec.output)()))
        .with_annotations(annotations)
        .with_meta(meta)
}

/// Schema of a tool's arguments.
pub(in crate::faces) fn input<T: JsonSchema>() -> JsonObject {
    let mut schema = plain::<T>(true);
    // What is unknown within is refused all the same.
    for schema in properties(&mut schema) {
        if let Value::Object(object) = schema
            && object.get("additionalProperties") == Some(&Value::Bool(false))
        {
            object.remove("additionalProperties");
        }
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

/// How many of the things that an answer must have tell it from any other.
const TELLING: usize = 3;

/// Schema of a tool's answer: one of these shapes, told apart by what each must have. A fault is always one of them.
pub(super) fn output(shapes: &[JsonObject]) -> JsonObject {
    let mut properties = Map::new();
    let mut choices = Vec::new();
    for shape in shapes {
        if let Some(Value::Object(own)) = shape.get("properties") {
            for (name, schema) in own {
                properties.entry(name).or_insert_with(|| schema.clone());
            }
        }
        let required = shape.get("required").and_then(Value::as_array);
        let telling: Vec<_> = required.into_iter().flatten().take(TELLING).collect();
        choices.push(json!({"required": telling}));
    }
    for name in ["kind", "detail"] {
        properties
            .entry(name)
            .or_insert_with(|| json!({"type": "string"}));
    }
    choices.push(json!({"required": ["kind", "detail"]}));
    let schema = json!({"type": "object", "properties": properties, "anyOf": choices});
    into_object(schema)
}

/// The bare shape of a type: what it has, and what the things named in `told` have.
pub(super) fn shape<T: JsonSchema>(told: &[&str]) -> JsonObject {
    let mut shape = plain::<T>(false);
    if let Some(Value::Object(properties)) = shape.get_mut("properties") {
        for (name, schema) in properties {
            flat(schema, u32::from(told.contains(&name.as_str())));
        }
    }
    shape
}

/// The outline of a type: only what it always has.
pub(super) fn outline<T: JsonSchema>() -> JsonObject {
    let mut outline = plain::<T>(false);
    let required = outline.get("required").cloned().unwrap_or_default();
    let required: Vec<&str> = required
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(Value::Object(properties)) = outline.get_mut("properties") {
        properties.retain(|name, _| required.contains(&name.as_str()));
    }
    for schema in properties(&mut outline) {
        flat(schema, 0);
    }
    outline
}

/// A page of things in outline.
pub(super) fn page<T: JsonSchema>() -> JsonObject {
    let mut one = outline::<T>();
    one.remove("required");
    into_object(json!({
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": one},
            "next_cursor": {"type": "string"},
        },
        "required": ["items"],
    }))
}

/// A shape with more properties.
pub(super) fn with(mut shape: JsonObject, more: Value) -> JsonObject {
    if let (Some(Value::Object(properties)), Value::Object(more)) =
        (shape.get_mut("properties"), more)
    {
        properties.extend(more);
    }
    shape
}

fn plain<T: JsonSchema>(described: bool) -> JsonObject {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    if let Value::Object(root) = &mut schema {
        root.remove("title");
        root.remove("description");
    }
    tidy(&mut schema, described);
    into_object(schema)
}

fn into_object(schema: Value) -> JsonObject {
    if let Value::Object(object) = schema {
        object
    } else {
        Map::new()
    }
}

/// Simplest equal form: no null where absence is meant, `enum` for a choice of words, no number formats.
fn tidy(schema: &mut Value, described: bool) {
    match schema {
        Value::Object(object) => {
            tidy_object(object, described);
            for (key, value) in object.iter_mut() {
                if key == "properties" {
                    if let Value::Object(properties) = value {
                        properties.values_mut().for_each(|one| tidy(one, described));
                    }
                } else {
                    tidy(value, described);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| tidy(item, described)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn tidy_object(object: &mut JsonObject, described: bool) {
    unwrap_optional(object);
    words(object);
    object.remove("format");
    object.remove("default");
    // Every number that is no measure is zero or more.
    if object.get("minimum") == Some(&json!(0)) {
        object.remove("minimum");
    }
    if !described {
        for key in ["description", "minimum", "maximum", "maxItems", "minItems"] {
            object.remove(key);
        }
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
}

/// `anyOf [X, null]` is X: what is absent is left out, never null.
fn unwrap_optional(object: &mut JsonObject) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| choice.get("type") != Some(&json!("null")));
    let [Value::Object(only)] = choices.as_mut_slice() else {
        return;
    };
    let only = std::mem::take(only);
    object.remove("anyOf");
    for (key, value) in only {
        object.entry(key).or_insert(value);
    }
}

/// `oneOf` of single words is an `enum` of them.
fn words(object: &mut JsonObject) {
    let Some(Value::Array(choices)) = object.get("oneOf") else {
        return;
    };
    let mut words = Vec::new();
    for choice in choices {
        match (choice.get("const"), choice.get("enum")) {
            (Some(word), _) => words.push(word.clone()),
            (None, Some(Value::Array(several))) => words.extend(several.iter().cloned()),
            _ => return,
        }
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(words));
}

fn properties(schema: &mut JsonObject) -> impl Iterator<Item = &mut Value> {
    schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|properties| properties.values_mut())
}

/// Cut to so many levels of things in things: every answer's schema counts against the size of the list.
fn flat(schema: &mut Value, levels: u32) {
    let Value::Object(object) = schema else {
        return;
    };
    // The words of a thing within a thing are for its own tool to say; those of a fault are many.
    let many = object.get("enum").and_then(Value::as_array).map(Vec::len);
    if levels == 0 || many > Some(8) {
        object.remove("enum");
    }
    if let Some(items) = object.get_mut("items") {
        flat(items, levels);
        // That a list of words has words is not worth its bytes.
        if items == &json!({"type": "string"}) {
            object.remove("items");
        }
    }
    if object.get("type") != Some(&json!("object")) {
        return;
    }
    object.remove("required");
    match levels {
        0 => {
            object.remove("properties");
        }
        _ => properties(object).for_each(|schema| flat(schema, levels - 1)),
    }
}
