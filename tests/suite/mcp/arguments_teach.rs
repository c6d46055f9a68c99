use super::pipe::{Pipe, text};
use serde_json::{Value, json};

const CHANGING: [&str; 7] = [
    "delegate",
    "run_input",
    "run_cancel",
    "persona_create",
    "instance_create",
    "instance_control",
    "project",
];

#[tokio::test]
async fn a_stranger_who_calls_everything_with_nothing_touches_nothing() {
    let mut pipe = Pipe::greeted().await;
    let listed = pipe.ask("tools/list", json!({})).await;
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let result = pipe.call(name, json!({})).await;
        if CHANGING.contains(&name) || name == "run_get" {
            assert_eq!(result["isError"], true, "{name}");
            assert!(
                text(&result).starts_with("required_field: "),
                "{name}: {}",
                text(&result)
            );
            assert_eq!(result["structuredContent"]["kind"], "required_field");
        }
    }
    let read = ["run.list", "persona.list", "instance.list"];
    for (method, _) in pipe.hub.asked() {
        assert!(read.contains(&method), "{method} was called");
    }
}

#[tokio::test]
async fn arguments_may_be_absent_altogether() {
    let mut pipe = Pipe::greeted().await;
    let answer = pipe.ask("tools/call", json!({"name": "run_list"})).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
}

#[tokio::test]
async fn slips_are_refused_with_what_is_right() {
    let mut pipe = Pipe::greeted().await;
    for (tool, arguments, said) in [
        (
            "delegate",
            json!({"promt": "x"}),
            vec!["invalid_params: ", "`promt`", "`prompt`"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "attachments": []}),
            vec!["`attachments`", "prompt, instance"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "isolation": "worktre"}),
            vec![
                "`isolation`",
                "did you mean \"worktree\"",
                "shared, worktree",
            ],
        ),
        (
            "delegate",
            json!({"prompt": "x", "policy": {"secruity": "full"}}),
            vec![
                "`policy.secruity`",
                "did you mean `security`",
                "ask_timeout_ms",
            ],
        ),
        (
            "delegate",
            json!({"prompt": "x", "policy": {"security": "none"}}),
            vec!["`policy.security`", "full, deny, allowlist"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "policy": {"ask_timeout_ms": -1}}),
            vec!["`policy.ask_timeout_ms` must be a whole number"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "policy": "full"}),
            vec!["`policy` must be an object"],
        ),
        (
            "delegate",
            json!({"prompt": 5}),
            vec!["`prompt` must be a string"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "wait_ms": "2s"}),
            vec!["`wait_ms` must be a whole number"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "mode": "hot"}),
            vec!["`mode`", "auto, warm, cold"],
        ),
        (
            "delegate",
            json!({"prompt": "x", "previous": "nope"}),
            vec!["not_found: no run \"nope\"", "run_list"],
        ),
        (
            "run_get",
            json!({"id": "nope"}),
            vec!["not_found: no run \"nope\"", "run_list"],
        ),
        ("run_get", json!({"id": "a", "ids": ["b"]}), vec!["`ids`"]),
        ("run_get", json!({"ids": vec!["x"; 17]}), vec!["at most 16"]),
        (
            "run_get",
            json!({"id": "01890a5d-ac96-774b-bcce-b302099a8057"}),
            vec!["not_found: ", "run_list"],
        ),
        (
            "run_list",
            json!({"state": "succeded"}),
            vec!["did you mean \"succeeded\""],
        ),
        (
            "instance_control",
            json!({"name": "alise", "action": "start"}),
            vec![
                "not_found: no instance \"alise\"",
                "did you mean \"alice\"",
                "instance_list",
            ],
        ),
        (
            "instance_control",
            json!({"name": "alice", "action": "kill"}),
            vec!["start, stop, restart"],
        ),
        (
            "instance_control",
            json!({"name": "alice"}),
            vec!["required_field: `action`", "start, stop"],
        ),
        (
            "persona_create",
            json!({"id": "Not A Slug"}),
            vec!["lower-case"],
        ),
        (
            "persona_create",
            json!({"id": "x", "temperature": 3}),
            vec!["`temperature` must be 0 to 1"],
        ),
        (
            "project",
            json!({"action": "rename", "project": "shop"}),
            vec!["required_field: `name`"],
        ),
        (
            "project",
            json!({"action": "register"}),
            vec!["required_field: `project`"],
        ),
        (
            "project",
            json!({"action": "trust", "project": "shop"}),
            vec!["`action`", "list, register, init"],
        ),
        (
            "project",
            json!({"action": "deactivate", "project": "shop"}),
            vec!["`project` does not go with this action"],
        ),
        (
            "project",
            json!({"action": "stop", "project": "shop", "name": "x"}),
            vec!["`name` goes with register and rename"],
        ),
    ] {
        let result = pipe.call(tool, arguments.clone()).await;
        assert_eq!(result["isError"], true, "{tool} {arguments}");
        for word in said {
            assert!(
                text(&result).contains(word),
                "{tool} {arguments}: {} lacks {word}",
                text(&result)
            );
        }
        let kind = result["structuredContent"]["kind"].as_str().unwrap();
        assert!(text(&result).starts_with(&format!("{kind}: ")));
        assert!(text(&result).len() <= 600, "{}", text(&result));
    }
    let changed: Vec<_> = pipe
        .hub
        .asked()
        .into_iter()
        .filter(|(name, _)| *name != "run.get")
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
}

#[tokio::test]
async fn null_is_absent_and_whole_floats_are_whole() {
    let mut pipe = Pipe::greeted().await;
    let policy = json!({"security": "deny", "ask": null, "ask_timeout_ms": 1000.0});
    let arguments = json!({"prompt": "succeed", "instance": null, "label": "l", "wait_ms": 100.0, "timeout_ms": 5000,
        "isolation": "worktree", "policy": policy});
    let result = pipe.call("delegate", arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    let (method, params) = pipe.hub.asked().remove(0);
    assert_eq!(method, "run.delegate");
    assert_eq!(
        params,
        json!({"prompt": "succeed", "concurrent": false, "timeout_ms": 5000, "label": "l",
            "isolation": "worktree", "policy": {"security": "deny", "ask_timeout_ms": 1000}})
    );
}

#[tokio::test]
async fn relative_projects_are_the_faces() {
    let mut pipe = Pipe::within("/place/here".into(), Some("/home/me".into())).await;
    pipe.greet().await;
    for (given, sent) in [
        (".", "/place/here"),
        ("./x", "/place/here/./x"),
        ("~/p", "/home/me/p"),
        ("shop", "shop"),
        ("/abs", "/abs"),
    ] {
        pipe.call("project", json!({"action": "register", "project": given}))
            .await;
        let (_, params) = pipe.hub.asked().pop().unwrap();
        assert_eq!(params["path"], sent);
    }
}

#[tokio::test]
async fn every_action_reaches_its_method() {
    let mut pipe = Pipe::greeted().await;
    for action in ["start", "stop", "restart", "delete", "restore", "render"] {
        let result = pipe
            .call(
                "instance_control",
                json!({"name": "alice", "action": action}),
            )
            .await;
        assert_eq!(result["structuredContent"]["name"], "alice");
        let (method, _) = pipe.hub.asked().pop().unwrap();
        assert_eq!(method, format!("instance.{action}"));
    }
    for (action, method) in [
        ("register", "project.register"),
        ("init", "project.init"),
        ("activate", "project.activate"),
        ("deactivate", "project.deactivate"),
        ("rename", "project.rename"),
        ("stop", "project.stop"),
        ("unregister", "project.unregister"),
    ] {
        let mut arguments = json!({"action": action});
        if action != "deactivate" {
            arguments["project"] = json!("shop");
        }
        if action == "rename" {
            arguments["name"] = Value::from("store");
        }
        let result = pipe.call("project", arguments).await;
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(pipe.hub.asked().pop().unwrap().0, method);
        let ended = &result["structuredContent"]["delegations_ended"];
        assert_eq!(
            *ended,
            if action == "stop" {
                json!(2)
            } else {
                Value::Null
            }
        );
    }
    let bare = json!({"action": "activate", "project": "bare"});
    let result = pipe.call("project", bare).await;
    let said = text(&result);
    assert!(said.starts_with("project_needs_init: "), "{said}");
    assert!(said.contains("project {action:\"init\"}"), "{said}");
    let result = pipe.call("project", json!({"action": "list"})).await;
    assert_eq!(result["structuredContent"]["items"][0]["name"], "shop");
}
