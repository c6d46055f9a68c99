use super::{file, id};
use eyas::workspace::{MAX_TEXT, Workspaces, persona_text, text_of};
use std::{fs, path::Path};

#[test]
fn whole_when_it_fits_and_with_edits() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    let files = [
        "SOUL.md",
        "IDENTITY.md",
        "AGENTS.md",
        "TOOLS.md",
        "MEMORY.md",
        "USER.md",
    ]
    .map(|name| file(name, format!("# {name}\n")));
    workspaces.provision(id, &files).unwrap();
    fs::write(workspaces.path(id).join("TOOLS.md"), "edited\n").unwrap();
    assert_eq!(
        persona_text(&workspaces.path(id)).unwrap(),
        "# SOUL.md\n\n# IDENTITY.md\n\n# AGENTS.md\n\nedited\n\n# MEMORY.md"
    );
    assert_eq!(persona_text(Path::new("/nonexistent")), None);
    assert_eq!(text_of(&[], None), None);
}

#[test]
fn cut_where_it_is_largest() {
    let files = [
        file("SOUL.md", "é".repeat(30_000)),
        file("IDENTITY.md", "identity"),
        file("AGENTS.md", format!("{}the end", "a".repeat(6_000))),
        file("MEMORY.md", "m".repeat(100_000)),
    ];
    let text = text_of(&files, Some(Path::new("/w"))).unwrap();
    assert!(
        text.len() <= MAX_TEXT && text.len() > MAX_TEXT - 200,
        "{}",
        text.len()
    );
    assert!(
        text.contains("identity\n\naaa") && text.contains("the end\n\nmmm"),
        "small parts are whole"
    );
    assert!(
        text.contains("[cut here: read the rest in `/w/SOUL.md`]")
            && text.ends_with("`/w/MEMORY.md`]")
    );
    assert!(text_of(&files, None).unwrap().contains("[cut here]"));
}
