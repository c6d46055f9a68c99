use eyas::templates::source::read_below;
use std::{fs, os::unix::fs::symlink, path::Path};

#[test]
fn nor_is_anything_else_read() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("project");
    fs::create_dir_all(root.join(".claude/agents")).unwrap();
    fs::write(root.join(".claude/agents/a.md"), "---\nname: a\n---\n").unwrap();
    fs::write(home.path().join("secret.md"), "---\nname: s\n---\n").unwrap();
    symlink(home.path().join("secret.md"), root.join("leaf.md")).unwrap();
    symlink(home.path(), root.join("way")).unwrap();
    symlink(&root, home.path().join("alias")).unwrap();
    fs::write(root.join("plain.txt"), "x").unwrap();
    let read = |path: &Path| read_below(path, &[home.path().join("alias")]);
    assert!(read(&root.join(".claude/agents/a.md")).is_ok());
    assert!(
        read(&home.path().join("alias/.claude/agents/a.md")).is_ok(),
        "the root itself may be a link"
    );
    for bad in [
        "leaf.md",
        "way/secret.md",
        "../secret.md",
        "plain.txt",
        "none.md",
        ".claude/agents",
    ] {
        assert!(read(&root.join(bad)).is_err(), "{bad}");
    }
    assert!(read(Path::new("a.md")).is_err());
    assert!(read(&home.path().join("secret.md")).is_err());
}
