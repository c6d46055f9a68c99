use super::{Ground, called, named, person};
use eyas::{
    api::instance::{InstanceApiServer as _, InstanceCreate},
    domain::{
        fault::ErrorKind,
        instance::{InstanceStatus, Role},
    },
};
use std::{path::Path, sync::Arc};

fn captain(name: &str) -> InstanceCreate {
    InstanceCreate {
        persona: Some("project-captain".into()),
        project: Some("eyrie".into()),
        ..named(name)
    }
}

fn captains(ground: &Ground) -> Vec<String> {
    let rows = ground.store.rows.lock().unwrap();
    let captains = rows.iter().filter(|row| row.role == Some(Role::Captain));
    let there = captains.filter(|row| row.deleted_at.is_none());
    there.map(|row| row.name.clone()).collect()
}

#[tokio::test]
async fn a_second_one_is_refused_and_the_first_is_named() {
    let ground = Ground::new();
    let desk = &ground.instances;
    let first = desk.create(&person(), captain("first")).await.unwrap();
    assert_eq!(first.instance.role, Some(Role::Captain), "the persona's");
    for dry_run in [false, true] {
        let second = InstanceCreate {
            dry_run,
            ..captain("second")
        };
        let fault = desk.create(&person(), second).await.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::InUse);
        assert!(fault.detail.contains("\"first\""), "{fault}");
        let hint = fault.hint.unwrap();
        assert!(hint.contains("eyas instance create"), "{hint}");
        assert!(hint.contains("--replace"), "{hint}");
    }
    let talon = InstanceCreate {
        role: Some(Role::Talon),
        parent: Some("first".into()),
        ..captain("second")
    };
    desk.create(&person(), talon).await.unwrap();
    assert_eq!(ground.folders().len(), 2);
}

#[tokio::test]
async fn of_many_at_once_one_comes_to_lead() {
    let ground = Arc::new(Ground::new());
    let tries = (0..8).map(|n| {
        let ground = ground.clone();
        tokio::spawn(async move {
            let created = ground
                .instances
                .create(&person(), captain(&format!("one-{n}")))
                .await;
            created.map_err(|fault| fault.kind)
        })
    });
    let mut led = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(_) => led += 1,
            Err(kind) => assert_eq!(kind, ErrorKind::InUse),
        }
    }
    assert_eq!(
        (led, captains(&ground).len(), ground.folders().len()),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn another_takes_its_place_where_that_is_said() {
    let ground = Ground::new();
    let desk = &ground.instances;
    let first = desk.create(&person(), captain("first")).await.unwrap();
    let agents = Path::new(&first.instance.workspace).join("AGENTS.md");
    let says_so = || {
        std::fs::read_to_string(&agents)
            .unwrap()
            .contains("As a captain")
    };
    assert!(says_so());
    let second = InstanceCreate {
        replace: true,
        ..captain("second")
    };
    desk.create(&person(), second.clone()).await.unwrap();
    assert_eq!(captains(&ground), ["second"]);
    let old = desk.get(called("first")).await.unwrap().instance;
    assert_eq!((old.role, old.status), (None, InstanceStatus::Stopped));
    assert!(!says_so(), "its files say no more that it leads");
    // Its open runs go on: none was cancelled.
    assert_eq!(*ground.around.asked.lock().unwrap(), ["unpin first"]);
    // A name that is taken replaces nobody.
    let again = desk.create(&person(), second).await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::NameExists);
    assert_eq!(captains(&ground), ["second"]);
}

#[tokio::test]
async fn one_that_comes_back_finds_its_place_taken() {
    let ground = Ground::new();
    let desk = &ground.instances;
    desk.create(&person(), captain("first")).await.unwrap();
    desk.delete(&person(), called("first")).await.unwrap();
    desk.create(&person(), captain("second")).await.unwrap();
    let fault = desk.restore(&person(), called("first")).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::InUse);
    desk.delete(&person(), called("second")).await.unwrap();
    desk.restore(&person(), called("first")).await.unwrap();
    assert_eq!(captains(&ground), ["first"]);
}
