use eyas::{
    domain::{fault::ErrorKind, persona::Persona},
    templates::{Catalogue, catalogue::Filter},
};

type Change = fn(&mut Persona);

#[test]
fn and_the_home_stays_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new(home.path());
    let template = |persona: &mut Persona, name: &str, text: &str| {
        persona
            .identity_templates
            .insert(name.to_owned(), text.to_owned());
    };
    let changes: [(&str, Change); 16] = [
        ("name", |p| p.name = "  ".into()),
        ("name", |p| p.name = "a\nb".into()),
        ("description", |p| p.description = String::new()),
        ("system_prompt", |p| p.system_prompt = "a\0b".into()),
        ("system_prompt", |p| {
            p.system_prompt = "a".repeat(64 * 1024 + 1);
        }),
        ("temperature", |p| p.temperature = Some(1.01)),
        ("temperature", |p| p.temperature = Some(f64::NAN)),
        ("temperature", |p| p.temperature = Some(f64::INFINITY)),
        ("temperature", |p| p.temperature = Some(-0.1)),
        ("max_tokens", |p| p.max_tokens = Some(0)),
        ("traits", |p| p.traits = vec![" ".into()]),
        ("tools", |p| p.tools = vec!["a\u{7}".into()]),
        ("memory_seeds", |p| p.memory_seeds = vec![String::new()]),
        ("model", |p| p.model = Some(String::new())),
        ("icon", |p| p.icon = Some("a\nb".into())),
        ("traits", |p| p.traits = vec!["a".into(); 101]),
    ];
    for (field, change) in changes {
        let fault = catalogue.create("mine", None, change).expect_err(field);
        assert_eq!(fault.field.as_deref(), Some(field), "{fault}");
    }
    for name in [
        "",
        ".",
        "..",
        "../a.md",
        "a/b.md",
        "a\\b.md",
        "a\0.md",
        "a.txt",
        ".md",
        "soul.md",
        &format!("{}.md", "a".repeat(62)),
    ] {
        let fault = catalogue
            .create("mine", None, |p| template(p, name, "x"))
            .expect_err(name);
        assert_eq!(
            fault.field.as_deref(),
            Some("identity_templates"),
            "{name}: {fault}"
        );
    }
    for text in [
        "{{> a}}",
        "{{#if",
        "{{persona.nope}}",
        "{{lookup persona \"id\"}}",
    ] {
        let fault = catalogue
            .create("mine", None, |p| template(p, "A.md", text))
            .expect_err(text);
        assert_eq!(fault.kind, ErrorKind::InvalidParams);
    }
    for id in ["", "A", "..", "a/b", "a--b", &"a".repeat(64)] {
        assert!(catalogue.create(id, None, |_| {}).is_err(), "{id}");
    }
    assert!(
        catalogue
            .list(&Filter::default())
            .unwrap()
            .items
            .iter()
            .all(|p| p.id != "mine")
    );
}
