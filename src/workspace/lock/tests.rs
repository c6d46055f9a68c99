use super::{Server, Standing, claim, external};
use crate::domain::fault::ErrorKind;
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};
use tempfile::TempDir;

fn project() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("p");
    fs::create_dir(&root).expect("a folder");
    (folder, root)
}

fn server(hub: &str) -> Server {
    server_with(hub, &[])
}

/// One that has somewhere else to put locks.
fn server_with(hub: &str, elsewhere: &[PathBuf]) -> Server {
    Server {
        elsewhere: elsewhere.to_vec(),
        pid: std::process::id(),
        start_time: 1,
        boot_id: "boot".to_owned(),
        hub: hub.to_owned(),
        home: PathBuf::from("/home"),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn one_serves_and_another_sees_who() {
    let (_folder, root) = project();
    let (ours, theirs) = (server("ours"), server("theirs"));
    assert_eq!(external(&root, &theirs), None);
    let held = claim(&root, &ours).expect("nobody is there");
    assert_eq!(external(&root, &ours), None);
    assert_eq!(external(&root, &theirs), Some(Some(ours.clone())));
    let fault = claim(&root, &theirs).expect_err("it is taken");
    assert_eq!(fault.kind, ErrorKind::ExternalInstance);
    assert!(fault.detail.contains(&ours.pid.to_string()), "{fault}");
    drop(held);
    assert_eq!(external(&root, &theirs), None);
    let next = claim(&root, &theirs).expect("it was given back");
    assert_eq!(names(&root), [".eyas"]);
    assert_eq!(names(&root.join(".eyas")), [".gitignore", "lock"]);
    drop(next);
    assert!(names(&root).is_empty(), "it is left as it was found");
}

#[test]
fn what_others_keep_there_stays() {
    let (_folder, root) = project();
    let held = claim(&root, &server("ours")).expect("nobody is there");
    fs::write(root.join(".eyas/notes"), "theirs").expect("a file");
    drop(held);
    let left = [".gitignore", "lock", "notes"];
    assert_eq!(names(&root.join(".eyas")), left);
    assert_eq!(fs::read(root.join(".eyas/lock")).expect("it is there"), b"");
    assert_eq!(external(&root, &server("theirs")), None);
}

#[test]
fn one_at_a_time_serves_however_many_come_and_go() {
    let (_folder, root) = project();
    let serving = AtomicU32::new(0);
    thread::scope(|scope| {
        for n in 0..4 {
            let (root, serving) = (&root, &serving);
            scope.spawn(move || {
                let mut served = 0;
                while served < 25 {
                    let Ok(held) = claim(root, &server(&n.to_string())) else {
                        continue;
                    };
                    assert!(!held.held.is_empty(), "served without a lock");
                    assert_eq!(serving.fetch_add(1, Ordering::SeqCst), 0, "two serve");
                    assert!(root.join(".eyas/.gitignore").is_file(), "git sees it");
                    serving.fetch_sub(1, Ordering::SeqCst);
                    drop(held);
                    served += 1;
                }
            });
        }
    });
    assert!(names(&root).is_empty());
}

#[test]
fn what_stands_there_is_nothing_without_the_lock() {
    let (folder, root) = project();
    let aside = [folder.path().join("private")];
    let (ours, theirs) = (server_with("ours", &aside), server_with("theirs", &aside));
    let lock = root.join(".eyas/lock");
    // As after a crash, and after the number of the dead went to a process that lives.
    let dead = serde_json::to_vec(&theirs).expect("a record");
    let large = vec![b'x'; 1 << 20];
    for text in [&dead[..], b"garbage", b"\xff\x00{", &large, b""] {
        fs::create_dir_all(root.join(".eyas")).expect("a folder");
        fs::write(&lock, text).expect("ours");
        assert_eq!(external(&root, &ours), None);
        let held = claim(&root, &ours).expect("nobody holds it");
        assert_eq!(external(&root, &theirs), Some(Some(read_of(&ours))));
        drop(held);
        let is_somebodys = text.len() > 1 && text != dead;
        assert_eq!(lock.exists(), is_somebodys, "what is not ours stays");
        fs::remove_file(&lock).ok();
    }
    let held = claim(&root, &theirs).expect("nobody is there");
    for text in [&b"garbage"[..], b"{}", &large] {
        fs::write(&lock, text).expect("ours");
        assert_eq!(external(&root, &ours), Some(None));
        assert!(claim(&root, &ours).is_err());
    }
    drop(held);
}

/// As others read it.
fn read_of(server: &Server) -> Server {
    Server {
        elsewhere: Vec::new(),
        ..server.clone()
    }
}

#[test]
fn a_removed_lock_and_a_replaced_root_are_known() {
    let (_folder, root) = project();
    let held = claim(&root, &server("ours")).expect("nobody is there");
    assert_eq!(held.standing(), Standing::Held);
    fs::remove_dir_all(root.join(".eyas")).expect("ours");
    assert_eq!(held.standing(), Standing::Removed);
    let other = root.with_extension("old");
    fs::rename(&root, &other).expect("ours");
    assert_eq!(held.standing(), Standing::Replaced);
    fs::create_dir(&root).expect("a folder");
    assert_eq!(held.standing(), Standing::Replaced);
}

/// One serves and another knows, by a lock that is not in the tree.
fn is_locked_elsewhere(root: &Path, why: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let private = folder.path().join("private");
    // Each finds one that the other has not.
    let (gone, own) = (folder.path().join("no/such"), folder.path().join("own"));
    let ours = server_with("ours", &[gone.clone(), private.clone()]);
    let theirs = server_with("theirs", &[private.clone(), own]);
    for (first, second) in [(&ours, &theirs), (&theirs, &ours)] {
        let held = claim(root, first).expect(why);
        assert_eq!(held.standing(), Standing::Held, "{why}");
        assert_eq!(external(root, first), None, "{why}");
        let seen = external(root, second);
        assert_eq!(seen, Some(Some(read_of(first))), "{why}");
        let fault = claim(root, second).expect_err(why);
        assert_eq!(fault.kind, ErrorKind::ExternalInstance, "{why}");
        assert_eq!(names(&private.join("locks")).len(), 1, "{why}");
        fs::remove_dir_all(private.join("locks")).expect("ours");
        assert_eq!(held.standing(), Standing::Removed, "{why}");
        drop(held);
        assert_eq!(external(root, second), None, "{why}");
        drop(claim(root, second).expect(why));
        assert!(names(&private.join("locks")).is_empty(), "{why}");
    }
}

#[test]
fn what_is_a_link_is_not_followed_and_the_lock_lies_elsewhere() {
    let (folder, root) = project();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    symlink(&outside, root.join(".eyas")).expect("a link");
    is_locked_elsewhere(&root, "a folder that is a link");
    assert!(names(&outside).is_empty());
    fs::remove_file(root.join(".eyas")).expect("ours");
    fs::create_dir(root.join(".eyas")).expect("a folder");
    let precious = folder.path().join("precious");
    fs::write(&precious, "precious").expect("a file");
    for link in [
        |from: &Path, to: &Path| symlink(from, to),
        |from: &Path, to: &Path| fs::hard_link(from, to),
    ] {
        link(&precious, &root.join(".eyas/lock")).expect("a link");
        is_locked_elsewhere(&root, "a lock that is a link");
        assert_eq!(fs::read(&precious).expect("still there"), b"precious");
        fs::remove_file(root.join(".eyas/lock")).expect("ours");
    }
}

#[test]
fn where_no_file_can_be_the_lock_lies_elsewhere() {
    let (_folder, root) = project();
    fs::write(root.join(".eyas"), "a file").expect("a file");
    is_locked_elsewhere(&root, "a file for a folder");
    assert_eq!(fs::read(root.join(".eyas")).expect("it stays"), b"a file");
    fs::remove_file(root.join(".eyas")).expect("ours");
    let lock = root.join(".eyas/lock");
    fs::create_dir_all(&lock).expect("a folder");
    is_locked_elsewhere(&root, "a folder for a lock");
    fs::remove_dir(&lock).expect("ours");
    let made = Command::new("mkfifo").arg(&lock).status();
    assert!(made.expect("mkfifo is there").success());
    is_locked_elsewhere(&root, "a pipe for a lock");
    fs::remove_file(&lock).expect("ours");
    fs::write(&lock, "somebody's notes").expect("a file");
    is_locked_elsewhere(&root, "a file that is no record");
    let notes = fs::read(&lock).expect("it stays");
    assert_eq!(notes, b"somebody's notes");
}

#[test]
fn a_directory_that_cannot_be_written_to_has_its_lock_elsewhere() {
    let (_folder, root) = project();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).expect("ours");
    // For the superuser no directory is like that.
    if fs::write(root.join("probe"), "").is_err() {
        is_locked_elsewhere(&root, "a read-only tree");
    }
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn of_two_who_find_different_places_one_serves() {
    let (folder, root) = project();
    let aside = [folder.path().join("private")];
    let (ours, theirs) = (server_with("ours", &aside), server_with("theirs", &aside));
    let in_tree = claim(&root, &ours).expect("nobody is there");
    // It became a file of somebody's meanwhile, then a link: the second finds no room in the tree.
    fs::write(root.join(".git"), "").expect("a file");
    fs::rename(root.join(".eyas"), root.join("moved")).expect("ours");
    symlink("nowhere", root.join(".eyas")).expect("a link");
    let elsewhere = claim(&root, &theirs).expect("nothing tells of the first");
    fs::remove_file(root.join(".eyas")).expect("ours");
    assert!(external(&root, &ours).is_some());
    assert!(claim(&root, &ours).is_err(), "there is room, and yet");
    drop(in_tree);
    drop(elsewhere);
    drop(claim(&root, &ours).expect("all have gone"));
}

#[test]
fn a_place_elsewhere_that_is_not_ours_alone_is_not_used() {
    let (folder, root) = project();
    fs::write(root.join(".eyas"), "a file").expect("a file");
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    let private = folder.path().join("private");
    symlink(&outside, &private).expect("a link");
    let ours = server_with("ours", std::slice::from_ref(&private));
    drop(claim(&root, &ours).expect("served without a lock"));
    assert!(names(&outside).is_empty());
    fs::remove_file(&private).expect("ours");
    fs::create_dir(&private).expect("a folder");
    fs::set_permissions(&private, fs::Permissions::from_mode(0o777)).expect("ours");
    drop(claim(&root, &ours).expect("served without a lock"));
    assert!(names(&private).is_empty());
}

#[test]
fn what_the_repository_tracks_is_never_changed() {
    for tracked in ["lock", ".gitignore", "notes"] {
        let (_folder, root) = project();
        git(&root, &["init", "-q"]);
        fs::create_dir(root.join(".eyas")).expect("a folder");
        let record = serde_json::to_vec(&server("an old one")).expect("a record");
        let text: &[u8] = if tracked == "lock" { &record } else { b"" };
        fs::write(root.join(".eyas").join(tracked), text).expect("a file");
        git(&root, &["add", "-f", &format!(".eyas/{tracked}")]);
        let mail = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
        git(&root, &[&mail[..], &["commit", "-qm", "x"]].concat());
        is_locked_elsewhere(&root, tracked);
        assert_eq!(names(&root.join(".eyas")), [tracked]);
        assert_eq!(git(&root, &["status", "--porcelain"]), "", "{tracked}");
    }
    // Added while it is held: it stays as it is.
    let (_folder, root) = project();
    git(&root, &["init", "-q"]);
    let held = claim(&root, &server("ours")).expect("nobody is there");
    git(&root, &["add", "-f", ".eyas/lock"]);
    drop(held);
    assert_eq!(git(&root, &["status", "--porcelain"]), "A  .eyas/lock\n");
}

fn git(root: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    let answer = command.arg("-C").arg(root).args(args).output();
    String::from_utf8(answer.expect("git is there").stdout).expect("text")
}

#[test]
fn git_sees_nothing_of_it() {
    let (_folder, root) = project();
    git(&root, &["init", "-q"]);
    let held = claim(&root, &server("ours")).expect("nobody is there");
    let status = ["status", "--porcelain", "--untracked-files=all"];
    assert_eq!(git(&root, &status), "");
    drop(held);
    assert_eq!(git(&root, &status), "");
}
