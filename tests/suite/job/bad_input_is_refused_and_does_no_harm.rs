use super::kit::{Face, Job};
use serde_json::json;

const MUTATING: [&str; 4] = [
    "delegate",
    "run_cancel",
    "persona_create",
    "instance_create",
];

fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        " ",
        "CON.",
        "é",
        "\u{202e}x",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(10_000));
    names
}

/// Whatever happened before, the same hub does its work.
fn lives(face: &mut Face, job: &Job, hub: u32) {
    assert_eq!(face.said("!say well", json!({})), "well");
    assert_eq!(job.hub(), hub);
}

#[test]
fn lines_that_are_no_calls() {
    let job = Job::new();
    let mut face = job.face();
    face.said("!say hello", json!({}));
    let hub = job.hub();
    for line in [
        "{",
        "nul",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
        "\u{0}",
    ] {
        face.write(&format!("{line}\n"));
        let answer = face.hear();
        assert!(
            answer["error"]["code"].as_i64().is_some(),
            "{line:?}: {answer}"
        );
    }
    let refused = face.ask(
        "tools/call",
        &json!({"name": "no_such_tool", "arguments": {}}),
    );
    assert!(refused.to_string().contains("no_such_tool"), "{refused}");
    for params in [
        json!({"name": 7}),
        json!({"name": "delegate", "arguments": []}),
        json!([]),
        json!(null),
    ] {
        let refused = face.ask("tools/call", &params);
        assert!(
            refused["error"].is_object() || refused["result"]["isError"] == true,
            "{params}: {refused}"
        );
    }
    lives(&mut face, &job, hub);
}

#[test]
fn every_tool_with_nothing() {
    let job = Job::new();
    let mut face = job.face();
    let tools = face.ask("tools/list", &json!({}))["result"]["tools"].clone();
    let names: Vec<String> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in &names {
        let answer = face.tool(name, &json!({}));
        let lists = name.ends_with("_list");
        assert_eq!(answer["items"].is_array(), lists, "{name}: {answer}");
        if !lists {
            assert_eq!(answer["kind"], "required_field", "{name}: {answer}");
        }
        let odd = face.tool(name, &json!({"no_such_argument": 1}));
        assert!(odd["kind"].is_string(), "{name}: {odd}");
        assert!(
            odd.to_string().contains("no_such_argument") || odd["kind"] == "required_field",
            "{name}: {odd}"
        );
    }
    for name in MUTATING {
        assert!(names.iter().any(|known| known == name));
    }
    let mut rpc = job.rpc();
    for method in ["run.list", "instance.list", "project.list"] {
        assert_eq!(
            rpc.result(method, &json!({}))["items"],
            json!([]),
            "{method}"
        );
    }
    let hub = job.hub();
    lives(&mut face, &job, hub);
}

#[test]
fn every_method_with_nothing_and_with_the_wrong_things() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let document = rpc.result("rpc.discover", &json!({}));
    let hub = job.hub();
    let methods = document["methods"].as_array().unwrap().iter();
    let methods: Vec<&str> = methods
        .filter_map(|method| method["name"].as_str())
        .collect();
    for method in methods {
        // These do as they are told by nothing at all.
        let acts = [
            "hub.shutdown",
            "events.watch",
            "hub.drain",
            "project.deactivate",
        ]
        .contains(&method);
        let odd = [
            json!({"no_such": 1}),
            json!("x"),
            json!([1, 2]),
            json!([[]]),
            json!([{"no_such": 1}]),
        ];
        let nothing = [json!({})];
        for params in odd.iter().chain(nothing.iter().filter(|_| !acts)) {
            let answer = rpc.ask(method, params);
            let fine = params == &json!({}) && answer["result"].is_object();
            assert!(
                fine || answer["error"]["code"].is_i64(),
                "{method} {params}: {answer}"
            );
            if !fine && params.is_object() {
                assert!(
                    answer["error"]["data"]["kind"].is_string(),
                    "{method} {params}: {answer}"
                );
            }
        }
    }
    assert_eq!(job.hub(), hub);
    assert!(rpc.result("hub.info", &json!({}))["id"].is_string());
}

#[test]
fn names_that_are_none() {
    let job = Job::new();
    let (mut face, mut rpc) = (job.face(), job.rpc());
    face.said("!say hello", json!({}));
    let hub = job.hub();
    for name in names() {
        for method in [
            "persona.get",
            "instance.get",
            "project.get",
            "agent.get",
            "instance.start",
            "instance.delete",
            "persona.delete",
        ] {
            let field = method.split('.').next().unwrap();
            let schema = match field {
                "persona" | "agent" => "id",
                "instance" => "name",
                other => other,
            };
            let answer = rpc.ask(method, &json!({schema: name}));
            assert!(
                answer["error"]["data"]["kind"].is_string(),
                "{method} {name:.40}: {answer:.400}"
            );
        }
        for (tool, arguments) in [
            (
                "persona_create",
                json!({"id": name, "name": "N", "system_prompt": "S"}),
            ),
            ("instance_create", json!({"name": name})),
            ("instance_control", json!({"name": name, "action": "start"})),
            ("delegate", json!({"prompt": "!say x", "instance": name})),
            ("delegate", json!({"prompt": "!say x", "persona": name})),
            ("delegate", json!({"prompt": "!say x", "agent": name})),
            ("delegate", json!({"prompt": "!say x", "session": name})),
            ("run_get", json!({"id": name})),
        ] {
            let answer = face.tool(tool, &arguments);
            assert!(
                answer["kind"].is_string(),
                "{tool} {name:.40}: {answer:.400}"
            );
            assert!(answer.to_string().len() < 8_000, "{tool} {name:.40}");
        }
    }
    for path in [
        "a\0b",
        "/no/such/place",
        "/etc/passwd",
        &format!("/{}", "x".repeat(10_000)),
    ] {
        let answer = face.tool("delegate", &json!({"prompt": "!say x", "project": path}));
        assert!(answer["kind"].is_string(), "{path:.40}: {answer:.400}");
    }
    for odd in ["a\0b", &"x".repeat(10_000)] {
        for field in ["label", "lane", "idempotency_key"] {
            let answer = face.tool("delegate", &json!({"prompt": "!say x", field: odd}));
            assert_eq!(answer["kind"], "invalid_params", "{field}: {answer:.400}");
        }
    }
    lives(&mut face, &job, hub);
    let all = rpc.result("run.list", &json!({}));
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[test]
fn prompts_beyond_the_limit() {
    let job = Job::new();
    let mut face = job.face();
    face.said("!say hello", json!({}));
    let hub = job.hub();
    for mib in [5, 16, 40] {
        let prompt = "x".repeat(mib << 20);
        let refused = face.tool("delegate", &json!({"prompt": prompt}));
        assert_eq!(refused["kind"], "too_large", "{refused:.400}");
        let refused = job
            .rpc()
            .refusal("run.delegate", &json!({"prompt": prompt}));
        assert_eq!(refused["kind"], "too_large", "{refused:.400}");
    }
    let most = format!("!say taken\n{}", "x".repeat((4 << 20) - 11));
    assert_eq!(most.len(), 4 << 20);
    assert_eq!(face.said(&most, json!({})), "taken");
    let over = format!("{most}x");
    assert_eq!(
        face.tool("delegate", &json!({"prompt": over}))["kind"],
        "too_large"
    );
    lives(&mut face, &job, hub);
}

#[test]
fn a_prompt_of_anything_but_text() {
    let job = Job::new();
    let mut face = job.face();
    for prompt in [
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        json!(""),
        json!("  \n\t"),
    ] {
        let refused = face.tool("delegate", &json!({"prompt": prompt}));
        assert!(refused["kind"].is_string(), "{prompt}: {refused}");
    }
    // Odd text is text.
    let odd = "a\u{0}b\u{1b}[31m\u{202e}\u{fffd}\u{10ffff}";
    let said = face.said(odd, json!({}));
    assert!(said.starts_with("echo: a"), "{said:?}");
}

#[test]
fn a_home_that_cannot_be_written() {
    let job = Job::new();
    let mut face = job.face_with(&[("EYAS_HOME", "/proc/self/no-home")]);
    let refused = face.tool("delegate", &json!({"prompt": "!say x"}));
    assert_eq!(refused["kind"], "database_unavailable", "{refused}");
    assert!(refused["hint"].is_string(), "{refused}");
}

#[test]
fn a_disk_that_is_full() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make a small disk.
        return;
    }
    let job = Job::new();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4m", "none"])
        .arg(&job.nest.home)
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        return;
    }
    let small = Small(&job);
    std::fs::create_dir(job.nest.home.join("agents")).unwrap();
    std::fs::write(
        job.nest.home.join("config.toml"),
        "agent.default = \"fake\"\n",
    )
    .unwrap();
    job.agent("fake", &[], "");
    let mut face = job.face();
    assert_eq!(face.said("!say before", json!({})), "before");
    let hub = job.hub();
    let filler = job.nest.home.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    let filled = std::io::copy(&mut std::io::repeat(b'x'), &mut file);
    assert!(filled.is_err());
    drop(file);
    let long = format!("!say {}", "y".repeat(200_000));
    let refused = face.tool("delegate", &json!({"prompt": long}));
    assert_eq!(refused["kind"], "database_unavailable", "{refused:.600}");
    assert_eq!(job.hub(), hub);
    std::fs::remove_file(&filler).unwrap();
    lives(&mut face, &job, hub);
    drop(face);
    drop(small);
}

/// Its home is a small disk until it goes.
struct Small<'a>(&'a Job);

impl Drop for Small<'_> {
    fn drop(&mut self) {
        self.0.kill_hub();
        self.0.nothing_is_left();
        let unmounted = std::process::Command::new("umount")
            .arg(&self.0.nest.home)
            .status();
        drop(unmounted);
    }
}
