use eyas::{
    domain::{
        fault::ErrorKind,
        instance::Role,
        persona::{ReasoningLevel, Source},
    },
    templates::Catalogue,
};
use std::{fs, os::unix::fs::PermissionsExt as _};

#[test]
fn a_built_in_one_by_a_copy_that_can_be_dropped() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    let builtin = catalogue.get("reviewer").unwrap();
    assert_eq!(builtin.source, Source::Builtin);
    let mine = catalogue
        .update("reviewer", |p| p.model = Some("opus".into()))
        .unwrap();
    assert_eq!(
        (mine.source, mine.model.as_deref()),
        (Source::User, Some("opus"))
    );
    assert_eq!(mine.system_prompt, builtin.system_prompt);
    let file = home.path().join("personas/reviewer.md");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(file.parent().unwrap())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    assert_eq!(
        catalogue
            .update("reviewer", |p| p.model = None)
            .unwrap()
            .model,
        None
    );
    catalogue.delete("reviewer").unwrap();
    assert_eq!(catalogue.get("reviewer").unwrap(), builtin);
    assert!(
        catalogue.delete("reviewer").is_err(),
        "what is in the binary stays"
    );
    let fault = catalogue.get("revewer").unwrap_err();
    assert_eq!(fault.kind, ErrorKind::NotFound);
    assert!(fault.hint.unwrap().contains("\"reviewer\""));
}

#[test]
fn every_field_is_kept_and_can_be_cleared() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    let made = catalogue
        .create("mine", None, |p| {
            p.name = "Mine: \"the\" one".into();
            p.description = "Use when: yes # really\nand\ttwo lines é \u{2028}".into();
            p.role = "no".into();
            p.category = "on".into();
            p.icon = Some("- x".into());
            p.system_prompt = "---\nname: not me\n---\n{{persona.name}}".into();
            p.traits = vec!["a, b".into(), "[c]".into(), "true".into()];
            p.tools = vec!["Bash(git log, git diff)".into()];
            p.model = Some("1.0".into());
            p.temperature = Some(1.0);
            p.max_tokens = Some(4_096);
            p.reasoning_level = Some(ReasoningLevel::Low);
            p.agent = Some("claude".into());
            p.hierarchy_role = Some(Role::Talon);
            p.memory_seeds = vec!["x".repeat(2_000), "'".into()];
            p.identity_templates
                .insert("NOTES.md".into(), "# {{persona.name}}\n".repeat(300));
        })
        .unwrap();
    assert_eq!(catalogue.get("mine").unwrap(), made);
    assert_eq!(
        made.system_prompt,
        "---\nname: not me\n---\n{{persona.name}}"
    );
    assert_eq!(
        catalogue.create("mine", None, |_| {}).unwrap_err().kind,
        ErrorKind::NameExists
    );
    assert_eq!(
        catalogue.create("reviewer", None, |_| {}).unwrap_err().kind,
        ErrorKind::NameExists
    );
    let text = catalogue.export("mine").unwrap();
    let copy = catalogue.create("copy", Some(&text), |_| {}).unwrap();
    assert_eq!(
        eyas::domain::persona::Persona {
            id: "mine".into(),
            ..copy
        },
        made
    );
    let cleared = catalogue
        .update("mine", |p| {
            p.icon = None;
            p.model = None;
            p.temperature = None;
            p.max_tokens = None;
            p.reasoning_level = None;
            p.agent = None;
            p.hierarchy_role = None;
            p.traits.clear();
            p.tools.clear();
            p.memory_seeds.clear();
            p.identity_templates.clear();
            p.role = String::new();
            p.category = String::new();
        })
        .unwrap();
    assert_eq!(catalogue.get("mine").unwrap(), cleared);
    assert_eq!(cleared.icon.or(cleared.model).or(cleared.agent), None);
    assert_eq!(cleared.name, made.name);
}

#[test]
fn one_of_many_creators_wins() {
    let home = tempfile::tempdir().unwrap();
    let won = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    Catalogue::new(home.path())
                        .create("mine", None, |_| {})
                        .is_ok()
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|one| usize::from(one.join().unwrap()))
            .sum::<usize>()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_bare_one_has_a_name_and_a_description() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    let bare = catalogue.create("code-owner", None, |_| {}).unwrap();
    assert_eq!(
        (bare.name.as_str(), bare.description.as_str()),
        ("Code Owner", "Code Owner")
    );
    let told = catalogue
        .create("told", None, |p| {
            p.system_prompt = "\nYou own it.\nAll.\n".into();
        })
        .unwrap();
    assert_eq!(told.description, "You own it.");
    assert_eq!(told.system_prompt, "You own it.\nAll.");
}
