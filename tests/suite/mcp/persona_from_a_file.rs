use super::pipe::{Pipe, text};
use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path};
use tempfile::TempDir;

const GOOD: &str = "---\nname: helper\ndescription: helps\n---\nYou help.\n";
const SECRET: &str = "hush-4711";

struct Place {
    folder: TempDir,
    pipe: Pipe,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("home/.claude/agents")).unwrap();
        fs::create_dir_all(root.join("home/shop/.git")).unwrap();
        fs::create_dir_all(root.join("home/shop/src")).unwrap();
        let pipe = Pipe::within(root.join("home/shop/src"), Some(root.join("home"))).await;
        let mut place = Self { folder, pipe };
        place.pipe.greet().await;
        place
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn from(&mut self, from: &str) -> Value {
        self.pipe
            .call("persona_create", json!({"id": "helper", "from": from}))
            .await
    }

    async fn refused(&mut self, from: &str) {
        let result = self.from(from).await;
        assert_eq!(result["isError"], true, "{from} was taken");
        assert!(
            !result.to_string().contains(SECRET),
            "{from} is quoted: {result}"
        );
        assert_eq!(self.pipe.hub.count("persona.create"), 0, "{from}");
        let passed = self.pipe.hub.asked();
        let passed = passed.iter().filter(|(_, params)| {
            params.to_string().contains(SECRET) && !params.to_string().contains("unreadable")
        });
        assert_eq!(passed.count(), 0, "{from} was passed on");
    }
}

fn text_of(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn files_of_the_project_and_of_claude_are_taken() {
    let mut place = Place::new().await;
    place.put("home/shop/.claude/agents/helper.md", GOOD);
    place.put("home/shop/src/near.md", GOOD);
    place.put("home/.claude/agents/mine.md", GOOD);
    let absolute = text_of(
        &place
            .folder
            .path()
            .join("home/shop/.claude/agents/helper.md"),
    );
    for from in [
        "../.claude/agents/helper.md",
        "near.md",
        "./near.md",
        "~/.claude/agents/mine.md",
        &absolute,
    ] {
        let result = place.from(from).await;
        assert_eq!(result["isError"], false, "{from}: {}", text(&result));
        let (method, params) = place.pipe.hub.asked().pop().unwrap();
        assert_eq!(
            (method, &params["text"], &params["id"]),
            ("persona.import", &json!(GOOD), &json!("helper"))
        );
    }
    let id = place.from("reviewer").await;
    assert_eq!(id["isError"], false);
    assert_eq!(place.pipe.hub.asked().pop().unwrap().1["from"], "reviewer");
}

#[tokio::test]
async fn fields_override_those_of_the_file() {
    let mut place = Place::new().await;
    place.put("home/shop/src/near.md", GOOD);
    let arguments = json!({"id": "helper", "from": "near.md", "role": "aide"});
    place.pipe.call("persona_create", arguments).await;
    let (method, params) = place.pipe.hub.asked().pop().unwrap();
    assert_eq!(
        (method, params),
        ("persona.update", json!({"id": "helper", "role": "aide"}))
    );
}

#[tokio::test]
async fn nothing_outside_is_opened_whatever_the_path_says() {
    let mut place = Place::new().await;
    let secret = format!("---\nname: x\n---\n{SECRET}\n");
    place.put("home/outside.md", &secret);
    place.put("home/.claude/other/x.md", &secret);
    place.put("elsewhere/x.md", &secret);
    let root = place.folder.path().to_owned();
    symlink(
        root.join("elsewhere/x.md"),
        root.join("home/shop/src/link.md"),
    )
    .unwrap();
    symlink(root.join("elsewhere"), root.join("home/shop/src/folder")).unwrap();
    symlink(
        root.join("elsewhere/x.md"),
        root.join("home/.claude/agents/link.md"),
    )
    .unwrap();
    for from in [
        "../../outside.md",
        "../../../elsewhere/x.md",
        "folder/../../../outside.md",
        "link.md",
        "folder/x.md",
        "~/outside.md",
        "~/.claude/agents/link.md",
        "~/.claude/agents/../other/x.md",
        &text_of(&root.join("elsewhere/x.md")),
        &text_of(&root.join("home/outside.md")),
        "/etc/passwd",
        "/../../../x.md",
    ] {
        place.refused(from).await;
    }
}

#[tokio::test]
async fn a_whole_home_is_no_project() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir_all(home.join("docs")).unwrap();
    fs::write(home.join("docs/x.md"), GOOD).unwrap();
    let mut pipe = Pipe::within(home.clone(), Some(home)).await;
    pipe.greet().await;
    let result = pipe
        .call("persona_create", json!({"id": "x", "from": "docs/x.md"}))
        .await;
    assert!(
        text(&result).starts_with("forbidden: "),
        "{}",
        text(&result)
    );
}

#[tokio::test]
async fn what_is_no_sub_agent_file_is_refused_unquoted() {
    let mut place = Place::new().await;
    place.put(
        "home/shop/src/key.md",
        &format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"
        ),
    );
    place.put(
        "home/shop/src/notes.md",
        &format!("# Notes\n---\n{SECRET}\n---\n"),
    );
    place.put("home/shop/src/open.md", &format!("---\n{SECRET}\n"));
    place.put(
        "home/shop/src/bad.md",
        &format!("---\nunreadable: {SECRET}\n---\n"),
    );
    place.put(
        "home/shop/src/secret.env",
        &format!("---\nKEY={SECRET}\n---\n"),
    );
    place.put(
        "home/shop/src/huge.md",
        &format!("---\nname: x\n---\n{}{SECRET}", "x".repeat(256 * 1024)),
    );
    fs::create_dir(place.folder.path().join("home/shop/src/folder.md")).unwrap();
    let fifo = place.folder.path().join("home/shop/src/fifo.md");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).unwrap();
    for from in [
        "key.md",
        "notes.md",
        "open.md",
        "bad.md",
        "secret.env",
        "huge.md",
        "folder.md",
        "fifo.md",
        "none.md",
    ] {
        place.refused(from).await;
    }
}
