//! What is work in a worktree, and what its set-up left there.

use super::{Plan, Yard, commit, git, write};
use std::fs;

#[tokio::test]
async fn what_stands_in_the_place_of_a_submodule_is_work() {
    let yard = Yard::new();
    let inner = yard.folder.with_file_name("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q", "-b", "main"]);
    write(&inner, "x", "x\n");
    commit(&inner, "inner");
    let id = git(&inner, &["rev-parse", "HEAD"]);
    let link = format!("160000,{id},vendor/part");
    yard.git(&["update-index", "--add", "--cacheinfo", &link]);
    yard.git(&["commit", "-q", "-m", "a submodule"]);
    let plan = yard.made().await;
    let place = plan.path.join("vendor/part");
    assert!(place.is_dir());
    assert!(!plan.standing().await.unwrap().is_dirty());
    write(&place, "new.txt", "new\n");
    let standing = plan.standing().await.unwrap();
    assert!(standing.changed && standing.is_dirty());
    assert_eq!(standing.uncommitted, ["vendor/part/"]);
    fs::remove_dir_all(&place).unwrap();
    assert!(!plan.standing().await.unwrap().is_dirty());
    // One that is there in full, with what is in it committed.
    git(&inner, &["clone", "-q", ".", &place.display().to_string()]);
    let standing = plan.standing().await.unwrap();
    assert_eq!(standing.uncommitted, ["vendor/part/"]);
    let fault = plan.apply().await.unwrap_err();
    assert!(fault.detail.contains("vendor/part/"), "{fault}");
}

#[tokio::test]
async fn what_git_ignores_is_work_unless_the_set_up_left_it() {
    let yard = Yard::new();
    let plan = yard.made().await;
    write(&plan.path, "deep/report.log", "all of it\n");
    let standing = plan.standing().await.unwrap();
    assert!(!standing.changed && standing.is_dirty());
    assert_eq!(standing.ignored, ["deep/report.log"]);
    assert!(standing.losses().contains("deep/report.log"));
    write(&plan.path, "other.log", "left by the set-up\n");
    std::thread::sleep(std::time::Duration::from_millis(20));
    plan.set_up().unwrap();
    assert!(!plan.standing().await.unwrap().is_dirty());
    assert_eq!(Plan::noted(&plan.path).unwrap(), plan);
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&plan.path, "other.log", "by an agent\n");
    // A time that a program sets is not believed.
    let file = fs::File::options()
        .write(true)
        .open(plan.path.join("other.log"));
    file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    // A second end of the set-up does not hide it.
    plan.set_up().unwrap();
    assert_eq!(plan.standing().await.unwrap().ignored, ["other.log"]);
}

#[tokio::test]
async fn repositories_that_the_set_up_left_are_no_work_until_something_changes_in_them() {
    let yard = Yard::new();
    let inner = yard.folder.with_file_name("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q", "-b", "main"]);
    write(&inner, "deep/x", "x\n");
    commit(&inner, "inner");
    let id = git(&inner, &["rev-parse", "HEAD"]);
    let link = format!("160000,{id},vendor/part");
    yard.git(&["update-index", "--add", "--cacheinfo", &link]);
    yard.git(&["commit", "-q", "-m", "a submodule"]);
    let plan = yard.made().await;
    for place in ["vendor/part", "tools", "kept.log"] {
        let place = plan.path.join(place);
        git(&inner, &["clone", "-q", ".", &place.display().to_string()]);
    }
    assert_eq!(plan.standing().await.unwrap().uncommitted.len(), 2);
    pause();
    plan.set_up().unwrap();
    let standing = plan.standing().await.unwrap();
    assert!(!standing.changed && !standing.is_dirty(), "{standing:?}");
    assert_eq!(plan.apply().await.unwrap(), Vec::<String>::new());
    pause();
    write(&plan.path, "vendor/part/deep/x", "by an agent\n");
    fs::remove_file(plan.path.join("tools/deep/x")).unwrap();
    write(&plan.path, "kept.log/new", "by an agent\n");
    let standing = plan.standing().await.unwrap();
    assert_eq!(standing.uncommitted, ["vendor/part/", "tools/"]);
    assert_eq!(standing.ignored, ["kept.log/"]);
    // Not known any more, all of it counts.
    fs::write(plan.path.with_extension("left"), "garbage").unwrap();
    assert_eq!(plan.standing().await.unwrap().ignored, ["kept.log/"]);
    plan.remove().await.unwrap();
    assert_eq!(fs::read_dir(&yard.folder).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_of_the_set_up_that_is_linked_elsewhere_later_is_no_work() {
    let yard = Yard::new();
    let plan = yard.made().await;
    let store = yard.folder.with_file_name("store");
    write(&plan.path, "linked.log", "of a package\n");
    pause();
    plan.set_up().unwrap();
    pause();
    fs::hard_link(plan.path.join("linked.log"), &store).unwrap();
    assert!(!plan.standing().await.unwrap().is_dirty());
    // One that came later with an old time and another name is an agent's.
    write(&plan.path, "mine.log", "by an agent\n");
    let file = fs::File::options()
        .write(true)
        .open(plan.path.join("mine.log"));
    file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::hard_link(plan.path.join("mine.log"), store.with_extension("2")).unwrap();
    assert_eq!(plan.standing().await.unwrap().ignored, ["mine.log"]);
    write(&plan.path, "linked.log", "by an agent\n");
    assert_eq!(plan.standing().await.unwrap().ignored.len(), 2);
}

/// The clock of files goes by ticks.
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}
