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
    Server {
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
                    assert!(held.lock.is_some(), "served without a lock");
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
    let (_folder, root) = project();
    let (ours, theirs) = (server("ours"), server("theirs"));
    let lock = root.join(".eyas/lock");
    // As after a crash, and after the number of the dead went to a process that lives.
    let dead = serde_json::to_vec(&theirs).expect("a record");
    let large = vec![b'x'; 1 << 20];
    for text in [&dead[..], b"garbage", b"\xff\x00{", &large, b""] {
        fs::create_dir_all(root.join(".eyas")).expect("a folder");
        fs::write(&lock, text).expect("ours");
        assert_eq!(external(&root, &ours), None);
        drop(claim(&root, &ours).expect("nobody holds it"));
    }
    let held = claim(&root, &theirs).expect("nobody is there");
    for text in [&b"garbage"[..], b"{}", &large] {
        fs::write(&lock, text).expect("ours");
        assert_eq!(external(&root, &ours), Some(None));
        assert!(claim(&root, &ours).is_err());
    }
    drop(held);
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

#[test]
fn no_lock_is_put_where_a_link_leads() {
    let (folder, root) = project();
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    symlink(&outside, root.join(".eyas")).expect("a link");
    let held = claim(&root, &server("ours")).expect("served without a lock");
    assert_eq!(held.standing(), Standing::Held);
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
        drop(claim(&root, &server("ours")).expect("served without a lock"));
        assert_eq!(fs::read(&precious).expect("still there"), b"precious");
        fs::remove_file(root.join(".eyas/lock")).expect("ours");
    }
}

#[test]
fn a_directory_that_cannot_be_written_to_is_served_without_a_lock() {
    let (_folder, root) = project();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).expect("ours");
    let held = claim(&root, &server("ours")).expect("served without a lock");
    assert_eq!(held.standing(), Standing::Held);
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn git_sees_nothing_of_it() {
    let (_folder, root) = project();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        let answer = command.arg("-C").arg(&root).args(args).output();
        String::from_utf8(answer.expect("git is there").stdout).expect("text")
    };
    git(&["init", "-q"]);
    let held = claim(&root, &server("ours")).expect("nobody is there");
    let status = ["status", "--porcelain", "--untracked-files=all"];
    assert_eq!(git(&status), "");
    drop(held);
    assert_eq!(git(&status), "");
}
