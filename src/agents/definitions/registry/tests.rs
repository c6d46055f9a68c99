use super::Registry;
use crate::domain::{
    agent::{AgentSource, Carrier, Transport},
    fault::ErrorKind,
};
use std::{fs, path::Path};

fn load(files: &[(&str, &str)]) -> Registry {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    Registry::load(dir.path(), Path::new("/opt/eyas"))
}

#[test]
fn the_built_in_agents_are_there_without_a_folder() {
    let registry = Registry::load(Path::new("/does/not/exist"), Path::new("/opt/eyas"));
    let ids: Vec<&str> = registry.all().iter().map(|a| a.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "claude",
            "codex",
            "gemini",
            "opencode",
            "qwen",
            "vibe",
            "goose",
            "copilot",
            "cursor",
            "kimi",
            "junie",
            "amp",
            "embedded",
            "claude-cli",
            "codex-cli",
            "gemini-cli",
            "opencode-cli"
        ]
    );
    assert!(registry.faults().is_empty());
    let embedded = registry.get("embedded").unwrap();
    assert_eq!(
        registry.resolve(embedded, None).unwrap().path,
        Path::new("/opt/eyas")
    );
}

#[test]
fn a_file_needs_only_a_command_and_overrides_a_built_in_one() {
    let registry = load(&[
        ("my-hawk.toml", "[launch]\ncommand = \"hawk\""),
        (
            "b.toml",
            "id = \"claude\"\nname = \"Mine\"\n[launch]\ncommand = \"/opt/c\"\nargs = [\"x\"]\n[launch.env]\nA = \"1\"\n[env]\npass = [\"HAWK_*\"]\n[limits]\nprompt_ms = 5",
        ),
    ]);
    assert_eq!(registry.faults(), &[]);
    let hawk = registry.get("my-hawk").unwrap();
    assert_eq!(
        (hawk.name.as_str(), hawk.source),
        ("My Hawk", AgentSource::User)
    );
    let claude = registry.get("claude").unwrap();
    assert_eq!((claude.name.as_str(), claude.limits.prompt_ms), ("Mine", 5));
    assert_eq!(claude.limits.initialize_ms, 30_000);
    assert_eq!(registry.all().len(), 18);
    let names = registry.env_names();
    assert!(names.iter().any(|n| n == "HAWK_*") && names.iter().any(|n| n == "PATH"));
}

#[test]
fn a_bad_file_is_named_and_skipped_and_its_text_is_not_quoted() {
    let good = "[launch]\ncommand = \"hawk\"";
    let registry = load(&[
        (
            "a.toml",
            "[launch]\ncommand = \"hawk\"\n[launch.env]\nKEY = \"sk-very-secret",
        ),
        ("b.toml", "[launch]\ncommand = \"hawk\"\nshell = true"),
        ("c.toml", "[launch]\ncommand = \"bin/hawk\""),
        ("d.toml", "[launch]\ncommand = \"\""),
        ("E.toml", good),
        (
            "f.toml",
            "[launch]\ncommand = \"x\"\n[limits]\nclose_ms = 0",
        ),
        ("g.toml", "id = \"same\"\n[launch]\ncommand = \"x\""),
        ("h.toml", "id = \"same\"\n[launch]\ncommand = \"y\""),
        ("i.toml", ""),
        ("notes.txt", "not a definition"),
        ("z.toml", good),
    ]);
    let bad: Vec<String> = registry
        .faults()
        .iter()
        .map(|(path, fault)| {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(fault.detail.contains(name), "{fault}");
            assert!(!fault.detail.contains("sk-very-secret"), "{fault}");
            name.to_owned()
        })
        .collect();
    assert_eq!(
        bad,
        [
            "E.toml", "a.toml", "b.toml", "c.toml", "d.toml", "f.toml", "h.toml", "i.toml"
        ]
    );
    assert!(registry.faults()[2].1.detail.contains("shell"));
    assert_eq!(registry.get("same").unwrap().launch.command, "x");
    assert_eq!(registry.get("z").unwrap().launch.command, "hawk");
}

#[test]
fn an_unknown_agent_is_answered_with_the_nearest() {
    let fault = load(&[]).get("claud").unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentNotFound);
    assert!(fault.hint.unwrap().contains("\"claude\""));
}

#[test]
fn how_it_is_reached_and_set_up_is_said_in_tables_of_their_own() {
    let of = |more: &str| {
        load(&[(
            "hawk.toml",
            &format!("[launch]\ncommand = \"hawk\"\n{more}"),
        )])
    };
    let registry = of(
        "[transport]\nkind = \"unix\"\ndial_ms = 5\n[session]\npersona_file = \"HAWK_MD\"\nmodel_args = [\"-m={model}\"]\nmode = \"plan\"",
    );
    assert_eq!(registry.faults(), &[]);
    let hawk = registry.get("hawk").unwrap();
    let transport = hawk.transport;
    assert_eq!(
        (transport.kind, transport.startup_ms, transport.dial_ms),
        (Carrier::Unix, 30_000, 5)
    );
    assert_eq!(hawk.session.persona_file.as_deref(), Some("HAWK_MD"));
    assert_eq!(hawk.session.mode.as_deref(), Some("plan"));
    let plain = of("");
    assert_eq!(plain.get("hawk").unwrap().transport, Transport::default());
    for wrong in [
        "[transport]\nkind = \"pigeon\"",
        "[transport]\nkind = \"tcp\"\nstartup_ms = 0",
        "[transport]\nport = 80",
        "[session]\npersona_file = \"\"",
        "[session]\npersona_file = \"A=B\"",
        "[session]\npersona_file = \"1A\"",
        "[session]\nmodel_args = [\"--model\"]",
        "[session]\npersona = \"x\"",
    ] {
        let registry = of(wrong);
        assert_eq!(registry.faults().len(), 1, "{wrong}");
        assert!(registry.get("hawk").is_err());
    }
}
