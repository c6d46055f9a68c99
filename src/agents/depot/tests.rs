use super::{Depot, Pin, Receipt};
use crate::{
    agents::definitions::Registry,
    domain::{
        agent::AgentDefinition,
        distribution::{SourceKind, Vouched},
        fault::ErrorKind,
        time::Timestamp,
        version::Version,
    },
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn hawk() -> AgentDefinition {
    let registry = Registry::load(Path::new("/nowhere"), Path::new("/own"));
    let mut definition = registry.get("opencode").unwrap().clone();
    definition.id = "hawk".to_owned();
    definition.distribution.publisher = Some("nest".to_owned());
    definition
}

fn depot(root: &Path) -> Depot {
    Depot::new(&root.join("depot"), &root.join("agents.lock"))
}

fn receipt(version: &str) -> Receipt {
    Receipt {
        agent: "hawk".to_owned(),
        version: version.to_owned(),
        source: SourceKind::Archive,
        from: "https://example.org/hawk".to_owned(),
        digest: None,
        vouched: Vouched::FirstUse,
        platform: None,
        program: "bin/hawk".into(),
        interpreter: None,
        installed_at: Timestamp(0),
    }
}

async fn put(depot: &Depot, version: &str) {
    put_as(depot, version, &receipt(version)).await;
}

async fn put_as(depot: &Depot, version: &str, receipt: &Receipt) {
    let version = Version::parse(version).unwrap();
    let claim = depot.claim(&hawk(), &version, || ()).await.unwrap();
    let aside = depot.aside().unwrap();
    fs::create_dir(aside.tree().join("bin")).unwrap();
    let program = aside.tree().join("bin/hawk");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    depot.place(&claim, aside, &hawk(), receipt).unwrap();
}

fn pin(version: &str) -> Pin {
    Pin {
        version: version.to_owned(),
        source: SourceKind::Archive,
        from: "there".to_owned(),
        digest: Some("sha256:00".to_owned()),
        platform: None,
    }
}

#[tokio::test]
async fn bytes_other_than_those_pinned_are_not_used() {
    let root = tempfile::tempdir().unwrap();
    let depot = depot(root.path());
    let found = Receipt {
        digest: Some("sha256:11".to_owned()),
        ..receipt("1.2.3")
    };
    put_as(&depot, "1.2.3", &found).await;
    depot.lock_file().set("hawk", Some(pin("1.2.3"))).unwrap();
    let refused = depot.used(&hawk()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::DigestMismatch, "{refused}");
    let same = Pin {
        digest: found.digest.clone(),
        ..pin("1.2.3")
    };
    depot.lock_file().set("hawk", Some(same)).unwrap();
    assert_eq!(depot.used(&hawk()).unwrap().receipt, found);
}

#[tokio::test]
async fn the_pinned_version_is_used_else_the_newest_release() {
    let root = tempfile::tempdir().unwrap();
    let depot = depot(root.path());
    let used = || depot.used(&hawk()).map(|held| held.receipt.version);
    assert_eq!(used().unwrap_err().kind, ErrorKind::AgentNotFound);
    for version in ["0.9.9", "1.10.0", "1.2.3", "2.0.0-rc.1"] {
        put(&depot, version).await;
    }
    assert_eq!(used().unwrap(), "1.10.0");
    depot.lock_file().set("hawk", Some(pin("1.2.3"))).unwrap();
    assert_eq!(used().unwrap(), "1.2.3");
    let program = depot.program(&hawk()).unwrap();
    assert!(program.path.ends_with("nest/hawk/1.2.3/bin/hawk"));
    // Another version than the pinned one is never taken in its stead.
    depot.lock_file().set("hawk", Some(pin("3.0.0"))).unwrap();
    assert!(used().unwrap_err().detail.contains("3.0.0"));
    depot.lock_file().set("hawk", None).unwrap();
    let held = depot.used(&hawk()).unwrap();
    depot.remove(&hawk(), &held).unwrap();
    assert_eq!(used().unwrap(), "1.2.3");
    let shown = depot.describe(&hawk());
    assert_eq!(
        shown
            .iter()
            .map(|one| (one.version.as_str(), one.used))
            .collect::<Vec<_>>(),
        [("2.0.0-rc.1", false), ("1.2.3", true), ("0.9.9", false)]
    );
}

#[tokio::test]
async fn what_is_not_whole_is_not_there() {
    let root = tempfile::tempdir().unwrap();
    let depot = depot(root.path());
    put(&depot, "1.0.0").await;
    let folder = root.path().join("depot/nest/hawk");
    fs::create_dir(folder.join("2.0.0")).unwrap();
    fs::create_dir(folder.join("3.0.0")).unwrap();
    fs::write(folder.join("3.0.0/eyas-receipt.json"), "{").unwrap();
    // A receipt of another version, copied by hand.
    fs::create_dir(folder.join("4.0.0")).unwrap();
    fs::copy(
        folder.join("1.0.0/eyas-receipt.json"),
        folder.join("4.0.0/eyas-receipt.json"),
    )
    .unwrap();
    assert_eq!(depot.versions(&hawk()).len(), 1);
    // Installing over it makes it whole.
    put(&depot, "2.0.0").await;
    assert_eq!(depot.used(&hawk()).unwrap().receipt.version, "2.0.0");
    fs::remove_file(folder.join("2.0.0/bin/hawk")).unwrap();
    let fault = depot.program(&hawk()).unwrap_err();
    assert!(fault.detail.contains("is gone"), "{fault}");
}

#[tokio::test]
async fn one_at_a_time_makes_a_version_and_a_dead_maker_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let depot = depot(root.path());
    let version = Version::parse("1.0.0").unwrap();
    let first = depot.claim(&hawk(), &version, || ()).await.unwrap();
    let (told, hears) = tokio::sync::oneshot::channel();
    let second = tokio::spawn({
        let (depot, version) = (depot.clone(), version.clone());
        async move {
            depot
                .claim(&hawk(), &version, || told.send(()).unwrap())
                .await
                .is_ok()
        }
    });
    hears.await.unwrap();
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap());

    let aside = depot.aside().unwrap();
    let (path, making) = (aside.tree(), root.path().join("depot/.making"));
    assert_eq!(depot.tidy(), 0, "its maker lives");
    drop(aside);
    assert!(!path.exists());
    // As a maker leaves it that was killed.
    fs::create_dir(making.join("dead")).unwrap();
    fs::write(making.join("dead/part"), "x").unwrap();
    fs::write(making.join("dead.lock"), "").unwrap();
    assert_eq!(depot.tidy(), 1);
    assert_eq!(fs::read_dir(making).unwrap().count(), 0);
}

#[test]
fn a_lock_file_that_cannot_be_read_pins_nothing_by_silence() {
    let root = tempfile::tempdir().unwrap();
    let depot = depot(root.path());
    fs::write(
        root.path().join("agents.lock"),
        "[agents.hawk]\nversion = 1\n",
    )
    .unwrap();
    assert_eq!(
        depot.used(&hawk()).unwrap_err().kind,
        ErrorKind::InvalidParams
    );
    let fault = depot
        .lock_file()
        .set("other", Some(pin("1.0.0")))
        .unwrap_err();
    assert!(fault.hint.is_some(), "{fault}");
}
