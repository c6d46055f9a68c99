use super::{file, id};
use eyas::workspace::Workspaces;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn with_private_modes() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces
        .provision(id, &[file("SOUL.md", "soul"), file("USER.md", "")])
        .unwrap();
    let workspace = workspaces.path(id);
    assert_eq!(
        workspace,
        data.path().join(format!("instances/{id}/workspace"))
    );
    assert_eq!(
        fs::read_to_string(workspace.join("SOUL.md")).unwrap(),
        "soul"
    );
    for folder in [
        &workspace,
        workspace.parent().unwrap(),
        &data.path().join("instances"),
    ] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    for path in [
        workspace.join("SOUL.md"),
        workspace.join("../rendered.json"),
    ] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(
        workspaces
            .provision(id, &[file("SOUL.md", "other")])
            .is_err(),
        "it is there already"
    );
    assert_eq!(
        fs::read_to_string(workspace.join("SOUL.md")).unwrap(),
        "soul"
    );
}

#[test]
fn a_failure_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    let twice = [file("SOUL.md", "a"), file("SOUL.md", "b")];
    assert!(workspaces.provision(id, &twice).is_err());
    let left: Vec<_> = fs::read_dir(data.path().join("instances"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, [".lock"]);
}

#[test]
fn what_a_crash_left_is_cleared() {
    let data = tempfile::tempdir().unwrap();
    let (workspaces, id) = (Workspaces::new(data.path()), id());
    workspaces.provision(id, &[file("SOUL.md", "a")]).unwrap();
    for left in [".new-1/workspace", ".gone-2/workspace"] {
        fs::create_dir_all(data.path().join("instances").join(left)).unwrap();
    }
    assert_eq!(workspaces.sweep().unwrap(), [id]);
    assert!(
        !data.path().join("instances/.new-1").exists()
            && !data.path().join("instances/.gone-2").exists()
    );
    assert!(workspaces.path(id).is_dir());
}
