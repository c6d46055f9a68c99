use super::{fake, pipe::Pipe};
use eyas::domain::{
    conclusion::{Changes, Commit, FileChange, FileStatus},
    worktree::{Worktree, WorktreeState},
};
use serde_json::{Value, json};

async fn read(pipe: &mut Pipe, uri: &str) -> Value {
    pipe.ask("resources/read", json!({"uri": uri})).await
}

#[tokio::test]
async fn everything_listed_can_be_read() {
    let mut pipe = Pipe::greeted().await;
    let mut run = fake::run("first line\nsecond");
    fake::conclude(&mut run, "done");
    let id = run.id;
    pipe.hub.put(run);
    let listed = pipe.ask("resources/list", json!({})).await;
    let listed = listed["result"]["resources"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1 + 4 + 3);
    assert_eq!(listed[0]["uri"], format!("eyas://runs/{id}"));
    assert_eq!(listed[0]["title"], "first line");
    for resource in listed {
        let uri = resource["uri"].as_str().unwrap();
        let answer = read(&mut pipe, uri).await;
        let content = &answer["result"]["contents"][0];
        assert_eq!(content["uri"], uri, "{answer}");
        assert_eq!(content["mimeType"], resource["mimeType"]);
        assert!(!content["text"].as_str().unwrap().is_empty());
    }
    let soul = read(&mut pipe, "eyas://instances/alice/SOUL.md").await;
    assert_eq!(
        soul["result"]["contents"][0]["text"],
        "# SOUL.md of alice\n"
    );
    let transcript = read(&mut pipe, &format!("eyas://runs/{id}/transcript")).await;
    let text = transcript["result"]["contents"][0]["text"]
        .as_str()
        .unwrap();
    assert!(text.contains("first line") && text.contains("part 2. ") && text.contains("part 29. "));
}

#[tokio::test]
async fn what_is_not_there_is_said_in_each_eras_code() {
    let mut pipe = Pipe::greeted().await;
    for uri in [
        "eyas://runs/nope",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057/transcript",
        "eyas://runs/01890a5d-ac96-774b-bcce-b302099a8057/diff",
        "eyas://personas/nobody",
        "eyas://personas/",
        "eyas://instances/alice/../../etc/passwd",
        "eyas://instances/alice/passwd",
        "eyas://instances/alice",
        "eyas://instances/nobody/SOUL.md",
        "file:///etc/passwd",
        "",
    ] {
        let old = read(&mut pipe, uri).await;
        assert_eq!(old["error"]["code"], -32002, "{uri}: {old}");
        let modern = pipe.ask_modern("resources/read", json!({"uri": uri})).await;
        assert_eq!(modern["error"]["code"], -32602, "{uri}: {modern}");
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_is_refused() {
    let mut pipe = Pipe::greeted().await;
    for method in ["tools/list", "resources/list", "resources/templates/list"] {
        let answer = pipe.ask(method, json!({"cursor": "made up"})).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
    }
}

#[tokio::test]
async fn templates_are_listed() {
    let mut pipe = Pipe::greeted().await;
    let answer = pipe.ask("resources/templates/list", json!({})).await;
    let templates: Vec<&str> = answer["result"]["resourceTemplates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["uriTemplate"].as_str().unwrap())
        .collect();
    assert_eq!(
        templates,
        [
            "eyas://runs/{id}",
            "eyas://runs/{id}/transcript",
            "eyas://runs/{id}/diff",
            "eyas://personas/{id}",
            "eyas://instances/{name}/{file}"
        ]
    );
}

#[tokio::test]
async fn a_diff_is_the_worktrees_and_else_what_the_conclusion_knows() {
    let mut pipe = Pipe::greeted().await;
    let changes = Changes {
        files: vec![FileChange {
            path: "src/lib.rs".to_owned(),
            status: FileStatus::Modified,
            added: Some(3),
            removed: Some(1),
        }],
        added: 3,
        removed: 1,
        commits: vec![Commit {
            id: "0".repeat(40),
            subject: "Say it".to_owned(),
        }],
        ..Changes::default()
    };
    let mut ids = Vec::new();
    for state in [
        None,
        Some(WorktreeState::Open),
        Some(WorktreeState::Applied),
    ] {
        let mut run = fake::run("x");
        fake::conclude(&mut run, "done");
        run.conclusion.as_mut().unwrap().changes = Some(changes.clone());
        run.worktree = state.map(|state| Worktree {
            path: "/data/worktrees/x".to_owned(),
            branch: "eyas/x".to_owned(),
            base: None,
            state,
            problem: None,
        });
        ids.push(run.id);
        pipe.hub.put(run);
    }
    let listed = format!(
        "# 1 file +3 −1, 1 commit\n# modified src/lib.rs +3 -1\n# commit {} Say it\n",
        "0".repeat(40)
    );
    let git = "diff --git a/x b/x\n\n# cut here: there is more\n";
    for (id, text) in ids.iter().zip([listed.as_str(), git, listed.as_str()]) {
        let got = pipe.call("run_get", json!({"id": id})).await;
        let uri = format!("eyas://runs/{id}/diff");
        assert_eq!(got["content"][2]["uri"], uri, "{got}");
        let answer = read(&mut pipe, &uri).await;
        let content = &answer["result"]["contents"][0];
        assert_eq!(content["text"], text);
        assert_eq!(content["mimeType"], "text/x-diff");
    }
    let mut run = fake::run("x");
    fake::conclude(&mut run, "done");
    let id = run.id;
    pipe.hub.put(run);
    let answer = read(&mut pipe, &format!("eyas://runs/{id}/diff")).await;
    assert_eq!(answer["error"]["code"], -32002);
}
