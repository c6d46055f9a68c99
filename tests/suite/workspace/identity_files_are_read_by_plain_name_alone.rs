use super::{file, id};
use eyas::{
    domain::fault::ErrorKind,
    workspace::{Workspaces, files, read_identity},
};
use std::{fs, os::unix::fs::symlink};

#[test]
fn and_never_through_a_link() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces
        .provision(
            id,
            &[
                file("TOOLS.md", "t"),
                file("SOUL.md", "s"),
                file("A.md", "a"),
            ],
        )
        .unwrap();
    let workspace = workspaces.path(id);
    fs::write(workspace.join("note.txt"), "n").unwrap();
    fs::write(data.path().join("secret.md"), "secret").unwrap();
    symlink(data.path().join("secret.md"), workspace.join("LINK.md")).unwrap();
    fs::create_dir(workspace.join("DIR.md")).unwrap();
    assert_eq!(read_identity(&workspace, "SOUL.md").unwrap(), "s");
    for bad in [
        "",
        ".",
        "..",
        "../rendered.json",
        "../../../secret.md",
        "/etc/hostname",
        "note.txt",
        "LINK.md",
        "DIR.md",
        "a\0.md",
        "SOUL.md/",
    ] {
        assert!(read_identity(&workspace, bad).is_err(), "{bad:?}");
    }
    assert_eq!(
        read_identity(&workspace, "SOLU.md").unwrap_err().kind,
        ErrorKind::NotFound
    );
    let names: Vec<_> = files(&workspace)
        .into_iter()
        .map(|file| file.name)
        .collect();
    assert_eq!(names, ["SOUL.md", "TOOLS.md", "A.md"]);
}
