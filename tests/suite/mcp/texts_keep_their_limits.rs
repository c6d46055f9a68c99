use super::pipe::Pipe;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ORDER: [&str; 12] = [
    "delegate",
    "run_get",
    "run_list",
    "run_input",
    "run_cancel",
    "persona_list",
    "persona_create",
    "instance_list",
    "instance_create",
    "instance_control",
    "project",
    "schedule",
];

async fn tools() -> Vec<Value> {
    let mut pipe = Pipe::greeted().await;
    let listed = pipe.ask("tools/list", json!({})).await;
    listed["result"]["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_list_is_in_order_and_small() {
    let tools = tools().await;
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ORDER);
    let whole = Value::from(tools.clone()).to_string().len();
    assert!(whole < 24_000, "{whole} bytes");
    let read: usize = tools
        .iter()
        .map(|tool| {
            json!({"name": tool["name"], "description": tool["description"], "inputSchema": tool["inputSchema"]})
                .to_string()
                .len()
        })
        .sum();
    assert!(read < 12_000, "{read} bytes");
}

#[tokio::test]
async fn every_tool_says_what_it_should() {
    for tool in tools().await {
        let name = tool["name"].as_str().unwrap();
        let length = tool["description"].as_str().unwrap().chars().count();
        assert!((80..=1000).contains(&length), "{name}: {length} characters");
        assert!(tool["title"].is_string());
        for hint in [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ] {
            assert!(tool["annotations"][hint].is_boolean(), "{name} {hint}");
        }
        let meta = &tool["_meta"];
        assert!(meta["anthropic/searchHint"].is_string());
        assert_eq!(
            meta.get("anthropic/alwaysLoad").is_some(),
            name == "delegate"
        );
        let says_so = ["delegate", "run_input", "project"].contains(&name);
        if tool["annotations"]["destructiveHint"] == true && !says_so {
            let warned = tool["description"]
                .as_str()
                .unwrap()
                .contains("permanently");
            assert!(warned, "{name} does not warn");
        }
    }
}

#[tokio::test]
async fn schemas_are_plain_and_described() {
    for tool in tools().await {
        let name = &tool["name"];
        let input = &tool["inputSchema"];
        assert_eq!(input["type"], "object");
        assert!(input.get("anyOf").is_none() && input.get("oneOf").is_none());
        for (argument, schema) in input["properties"].as_object().unwrap() {
            assert!(
                schema["description"]
                    .as_str()
                    .is_some_and(|text| text.len() > 8),
                "{name}.{argument}"
            );
            assert!(schema["type"].is_string(), "{name}.{argument}: {schema}");
        }
        let output = &tool["outputSchema"];
        assert_eq!(output["type"], "object");
        for schema in [input, output] {
            let text = schema.to_string();
            for word in ["$ref", "$defs", "\"null\"", "$schema"] {
                assert!(!text.contains(word), "{name} has {word}: {text}");
            }
        }
        assert!(
            !output.to_string().contains("\"description\":\""),
            "{name}: output is described"
        );
    }
}

#[tokio::test]
async fn no_two_descriptions_are_alike() {
    let tools = tools().await;
    let words = |tool: &Value| -> BTreeSet<String> {
        let text = tool["description"].as_str().unwrap().to_lowercase();
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() > 2)
            .map(str::to_owned)
            .collect()
    };
    for (at, one) in tools.iter().enumerate() {
        for other in &tools[at + 1..] {
            let (a, b) = (words(one), words(other));
            let shared = a.intersection(&b).count();
            let all = a.union(&b).count();
            assert!(
                shared * 10 <= all * 6,
                "{} and {}",
                one["name"],
                other["name"]
            );
        }
    }
}

#[tokio::test]
async fn instructions_are_short_and_their_beginning_is_enough() {
    let mut pipe = Pipe::new().await;
    let greeting = pipe.greet().await;
    let text = greeting["instructions"].as_str().unwrap();
    let length = text.chars().count();
    assert!(length <= 2000, "{length}");
    let beginning: String = text.chars().take(300).collect();
    for word in ["delegate", "run_get", "conclusion"] {
        assert!(beginning.contains(word), "{beginning}");
    }
}
