use super::{file, id};
use eyas::workspace::Workspaces;
use std::fs;

#[test]
fn until_it_is_purged() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces.provision(id, &[file("SOUL.md", "1")]).unwrap();
    fs::write(workspaces.path(id).join("notes.txt"), "n").unwrap();
    workspaces.trash(id).unwrap();
    workspaces.trash(id).unwrap();
    assert!(!workspaces.path(id).exists());
    assert!(workspaces.restore(id).unwrap());
    assert_eq!(
        fs::read_to_string(workspaces.path(id).join("notes.txt")).unwrap(),
        "n"
    );
    workspaces.trash(id).unwrap();
    workspaces.purge(id).unwrap();
    assert!(!workspaces.restore(id).unwrap());
    assert_eq!(fs::read_dir(data.path().join("trash")).unwrap().count(), 0);
}
