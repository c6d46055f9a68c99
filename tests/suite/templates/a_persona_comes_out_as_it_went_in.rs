use eyas::{
    domain::fault::ErrorKind,
    templates::{Catalogue, persona_file::PersonaFile},
};

fn catalogue() -> (tempfile::TempDir, Catalogue) {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    (home, catalogue)
}

#[test]
fn byte_for_byte_whatever_its_layout() {
    let (_home, catalogue) = catalogue();
    for (n, text) in [
        "---\nname: plain\ndescription: d\ntools: Read, Bash(git log, git diff)\nmodel: inherit\ncolor: red\n---\n\nYou are.\n",
        "\u{feff}---\r\nname: plain\r\ndescription: \"d: e\"\r\n---\r\nBody\r\n---\r\nmore\r\n",
        "---\nname: plain\ndescription: no newline at the end\n---\nBody",
        "---\nname: plain\ndescription: no body\n---",
        "---  \nname: plain\n# a comment\ndescription: >\n  folded\n  text\nhooks: {PreToolUse: [{matcher: Bash}]}\ntools:\n- Read\n- Write\n--- \n\n\nBody\n\n\n",
        "---\nname: plain\ndescription: Use when: a colon stands alone # and a hash\\n\\n<example>x</example>\npermissionMode: plan\n---\nBody\n",
    ]
    .iter()
    .enumerate()
    {
        let persona = catalogue.import(text, None, true).unwrap_or_else(|fault| panic!("{n}: {fault}"));
        assert_eq!(persona.id, "plain");
        assert_eq!(catalogue.export("plain").unwrap(), *text, "{n}");
        let cleared = catalogue.update("plain", |_| {}).unwrap();
        assert_eq!(cleared, persona, "{n}");
        assert_eq!(catalogue.export("plain").unwrap(), *text, "{n}: an update without a change");
    }
}

#[test]
fn sub_agent_words_are_understood() {
    let text = "---\nname: plain\ndescription: Use when: this\ntools: Read, Bash(git log, git diff)\nmodel: inherit\ncolor: red\nmaxTurns: 3\n---\nYou.\r\n";
    let persona = PersonaFile::parse(text)
        .unwrap()
        .persona("plain", eyas::domain::persona::Source::User)
        .unwrap();
    assert_eq!(persona.tools, ["Read", "Bash(git log, git diff)"]);
    assert_eq!(persona.description, "Use when: this");
    assert_eq!(persona.model, None);
    assert_eq!(persona.name, "Plain");
    assert_eq!(persona.system_prompt, "You.");
    assert_eq!(
        persona.extra.keys().collect::<Vec<_>>(),
        ["color", "maxTurns"]
    );
}

#[test]
fn a_change_touches_its_own_key_alone() {
    let (_home, catalogue) = catalogue();
    let text = "---\r\nname: plain\r\n# why\r\ndescription: d\r\ntools: Read, Write\r\ncolor: red   # mine\r\n---\r\n\r\nBody\r\n\r\n";
    catalogue.import(text, None, false).unwrap();
    catalogue
        .update("plain", |persona| {
            persona.tools.push("Bash".into());
            persona.temperature = Some(0.5);
            persona.system_prompt = "One\nTwo".into();
        })
        .unwrap();
    assert_eq!(
        catalogue.export("plain").unwrap(),
        "---\r\nname: plain\r\n# why\r\ndescription: d\r\ntools: Read, Write, Bash\r\ncolor: red   # mine\r\ntemperature: 0.5\r\n---\r\n\r\nOne\r\nTwo\r\n\r\n"
    );
    catalogue
        .update("plain", |persona| persona.temperature = None)
        .unwrap();
    assert!(!catalogue.export("plain").unwrap().contains("temperature"));
}

#[test]
fn a_name_for_people_survives_an_id() {
    let (_home, catalogue) = catalogue();
    let text = "---\nname: Code Reviewer\ndescription: d\n---\nBody\n";
    let fault = catalogue.import(text, None, false).unwrap_err();
    assert_eq!(fault.field.as_deref(), Some("id"));
    let persona = catalogue
        .import(text, Some("code-reviewer"), false)
        .unwrap();
    assert_eq!(
        (persona.id.as_str(), persona.name.as_str()),
        ("code-reviewer", "Code Reviewer")
    );
    let out = catalogue.export("code-reviewer").unwrap();
    assert!(
        out.contains("name: code-reviewer\n") && out.contains("title: Code Reviewer\n"),
        "{out}"
    );
}

#[test]
fn what_is_no_sub_agent_file_is_refused_without_being_quoted() {
    let (home, catalogue) = catalogue();
    let bomb = {
        let mut text = String::from("---\nname: x\na0: &a0 [s3cret]\n");
        for n in 1..30 {
            let before = n - 1;
            text += &format!("a{n}: &a{n} [*a{before},*a{before},*a{before},*a{before}]\n");
        }
        text + "---\n"
    };
    let deep = format!("---\nname: x\nextra: {}\n---\n", "[".repeat(5_000));
    for bad in [
        "",
        "s3cret",
        "---",
        "---\nname: x\ns3cret",
        "\n---\nname: x\n---\n",
        "---\n[s3cret: [\n---\n",
        "---\n- s3cret\n---\n",
        "---\nname: x\nname: s3cret\n---\n",
        "---\nname: x\ntemperature: s3cret\n---\n",
        "---\nname: x\nrole: [s3cret]\n---\n",
        "---\nname: x\nmax_tokens: -1\n---\n",
        "---\nname: x\ntemperature: .nan\n---\n",
        bomb.as_str(),
        deep.as_str(),
    ] {
        let fault = catalogue.import(bad, Some("x"), false).expect_err(bad);
        assert!(!format!("{fault:?}").contains("s3cret"), "{fault:?}");
    }
    let large = format!("---\nname: x\n---\n{}", "a".repeat(256 * 1024));
    assert_eq!(
        catalogue.import(&large, None, false).unwrap_err().kind,
        ErrorKind::TooLarge
    );
    assert!(!home.path().join("personas/x.md").exists());
}
