use eyas::templates::{Catalogue, catalogue::Filter};
use std::{fs, os::unix::fs::symlink};

#[test]
fn and_is_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("personas");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bad.md"), "no front matter").unwrap();
    fs::write(folder.join("Odd Name.md"), "---\nname: x\n---\n").unwrap();
    fs::write(folder.join("binary.md"), [0xff, 0xfe, 0]).unwrap();
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    fs::create_dir(folder.join("folder.md")).unwrap();
    fs::write(
        home.path().join("elsewhere"),
        "---\nname: linked\ndescription: d\n---\nB",
    )
    .unwrap();
    symlink(home.path().join("elsewhere"), folder.join("linked.md")).unwrap();
    symlink(home.path().join("gone"), folder.join("dangling.md")).unwrap();
    let catalogue = Catalogue::new(home.path());
    let ids: Vec<_> = catalogue
        .list(&Filter::default())
        .unwrap()
        .items
        .into_iter()
        .map(|p| p.id)
        .collect();
    assert_eq!(ids.len(), 21);
    assert!(
        ids.contains(&"linked".to_owned()),
        "a person may keep the file elsewhere"
    );
    let broken: Vec<_> = catalogue
        .broken()
        .into_iter()
        .map(|b| b.path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(broken, ["Odd Name.md", "bad.md", "binary.md", "folder.md"]);
    let fault = catalogue.get("bad").unwrap_err();
    assert!(fault.detail.contains("bad.md"), "{fault}");
}
