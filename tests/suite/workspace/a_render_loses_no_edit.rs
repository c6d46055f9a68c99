use super::{file, id};
use eyas::workspace::{Rendered, Workspaces};
use std::{fs, os::unix::fs::symlink};

#[test]
fn and_reports_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    let files = |n: u32| {
        ["SOUL.md", "TOOLS.md", "MEMORY.md", "USER.md"]
            .map(|name| file(name, format!("{name} {n}")))
    };
    workspaces.provision(id, &files(1)).unwrap();
    let at = |name: &str| workspaces.path(id).join(name);
    let text = |name: &str| fs::read_to_string(at(name)).unwrap();

    assert_eq!(
        workspaces.render(id, &files(1)).unwrap(),
        Rendered::default(),
        "nothing to do"
    );

    fs::write(at("SOUL.md"), "mine").unwrap();
    fs::write(at("MEMORY.md"), "learnt").unwrap();
    let done = workspaces.render(id, &files(2)).unwrap();
    assert_eq!(done.kept, ["SOUL.md.yours", "MEMORY.md"]);
    assert_eq!(done.written, ["SOUL.md", "TOOLS.md", "USER.md"]);
    assert_eq!(
        (text("SOUL.md"), text("SOUL.md.yours")),
        ("SOUL.md 2".into(), "mine".into())
    );
    assert_eq!(
        (text("MEMORY.md"), text("USER.md")),
        ("learnt".into(), "USER.md 2".into())
    );

    fs::write(at("SOUL.md"), "mine again").unwrap();
    let done = workspaces.render(id, &files(3)).unwrap();
    assert_eq!(
        done.kept,
        ["SOUL.md.yours-2", "MEMORY.md"],
        "memory still counts as edited"
    );
    assert_eq!(
        (text("SOUL.md.yours"), text("SOUL.md.yours-2")),
        ("mine".into(), "mine again".into())
    );

    fs::remove_file(at("TOOLS.md")).unwrap();
    fs::remove_file(at("../rendered.json")).unwrap();
    let done = workspaces.render(id, &files(4)).unwrap();
    assert_eq!(
        done.kept,
        ["SOUL.md.yours-3", "MEMORY.md", "USER.md"],
        "what is not known to be ours is kept"
    );
    assert_eq!(text("TOOLS.md"), "TOOLS.md 4");
}

#[test]
fn what_is_rendered_no_more_goes_unless_it_was_edited() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces
        .provision(
            id,
            &[file("SOUL.md", "1"), file("A.md", "a"), file("B.md", "b")],
        )
        .unwrap();
    let at = |name: &str| workspaces.path(id).join(name);
    fs::write(at("B.md"), "mine").unwrap();
    workspaces.render(id, &[file("SOUL.md", "1")]).unwrap();
    assert!(!at("A.md").exists());
    assert_eq!(fs::read_to_string(at("B.md")).unwrap(), "mine");
}

#[test]
fn a_link_in_place_of_a_file_is_never_written_through() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces.provision(id, &[file("SOUL.md", "1")]).unwrap();
    let soul = workspaces.path(id).join("SOUL.md");
    let precious = data.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    fs::remove_file(&soul).unwrap();
    symlink(&precious, &soul).unwrap();
    let done = workspaces.render(id, &[file("SOUL.md", "2")]).unwrap();
    assert_eq!(done.kept, ["SOUL.md.yours"]);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(fs::read_to_string(&soul).unwrap(), "2");
    fs::remove_file(&soul).unwrap();
    fs::create_dir(&soul).unwrap();
    assert_eq!(
        workspaces.render(id, &[file("SOUL.md", "2")]).unwrap().kept,
        ["SOUL.md.yours-2"]
    );
}
