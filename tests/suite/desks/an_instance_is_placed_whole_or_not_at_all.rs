use super::{Ground, called, named, person};
use eyas::{
    api::instance::{InstanceApiServer as _, InstanceCreate, InstanceUpdate},
    domain::{fault::ErrorKind, instance::InstanceStatus},
};
use std::{fs, path::Path, sync::atomic::Ordering};

#[tokio::test]
async fn with_every_file() {
    let ground = Ground::new();
    let dry = InstanceCreate {
        dry_run: true,
        project: Some("eyrie".into()),
        ..named("my-reviewer")
    };
    let plan = ground
        .instances
        .create(&person(), dry.clone())
        .await
        .unwrap();
    assert_eq!(plan.files.len(), 6);
    assert!(
        ground.folders().is_empty() && ground.store.rows.lock().unwrap().is_empty(),
        "a dry run writes nothing"
    );

    let made = ground
        .instances
        .create(
            &person(),
            InstanceCreate {
                dry_run: false,
                ..dry
            },
        )
        .await
        .unwrap();
    assert_eq!(
        (made.instance.display_name.as_str(), made.instance.status),
        ("My Reviewer", InstanceStatus::Created)
    );
    assert!(Path::new(&made.instance.workspace).starts_with(ground.home.path()));
    let seen = ground.instances.get(called("my-reviewer")).await.unwrap();
    assert_eq!(seen.instance, made.instance);
    let strip = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("orkspace"))
            .count()
    };
    for (would, is) in plan.files.iter().zip(&seen.files) {
        assert_eq!(
            (&would.name, strip(&would.content)),
            (&is.name, strip(&is.content))
        );
    }
    assert_eq!(*ground.store.told.lock().unwrap(), ["created"]);
}

#[tokio::test]
async fn and_refused_with_the_reason() {
    let ground = Ground::new();
    ground
        .instances
        .create(&person(), named("there"))
        .await
        .unwrap();
    let base = named("new");
    for (kind, params) in [
        (ErrorKind::RequiredField, InstanceCreate::default()),
        (ErrorKind::InvalidParams, named("../up")),
        (ErrorKind::NameExists, named("there")),
        (
            ErrorKind::NameExists,
            InstanceCreate {
                dry_run: true,
                ..named("there")
            },
        ),
        (
            ErrorKind::NotFound,
            InstanceCreate {
                persona: Some("revewer".into()),
                ..base.clone()
            },
        ),
        (
            ErrorKind::AgentNotFound,
            InstanceCreate {
                agent: Some("absent".into()),
                ..base.clone()
            },
        ),
        (
            ErrorKind::NotFound,
            InstanceCreate {
                parent: Some("ther".into()),
                ..base.clone()
            },
        ),
        (
            ErrorKind::NotFound,
            InstanceCreate {
                project: Some("nope".into()),
                ..base.clone()
            },
        ),
        (
            ErrorKind::InvalidParams,
            InstanceCreate {
                display_name: Some("a\n# b".into()),
                ..base.clone()
            },
        ),
    ] {
        let fault = ground
            .instances
            .create(&person(), params)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
    ground.store.full.store(true, Ordering::Relaxed);
    let fault = ground.instances.create(&person(), base).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::DatabaseUnavailable);
    assert_eq!(ground.folders().len(), 1, "the files went with the row");
}

#[tokio::test]
async fn one_of_many_wins_a_name() {
    let ground = Ground::new();
    let tries = (0..8).map(|_| {
        let desk = ground.instances.clone();
        tokio::spawn(async move { desk.create(&person(), named("same")).await.is_ok() })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!((won, ground.folders().len()), (1, 1));
}

#[tokio::test]
async fn a_change_renders_anew_and_keeps_edits() {
    let ground = Ground::new();
    let made = ground
        .instances
        .create(&person(), named("mine"))
        .await
        .unwrap()
        .instance;
    let soul = Path::new(&made.workspace).join("SOUL.md");
    fs::write(&soul, "edited").unwrap();
    let update = InstanceUpdate {
        name: "mine".into(),
        persona: Some(Some("debugger".into())),
        display_name: Some("Bug Finder".into()),
        ..InstanceUpdate::default()
    };
    let changed = ground.instances.update(&person(), update).await.unwrap();
    assert_eq!(changed.kept, ["SOUL.md.yours"]);
    assert!(
        fs::read_to_string(&soul)
            .unwrap()
            .contains("You are Bug Finder")
    );
    let bad = InstanceUpdate {
        name: "mine".into(),
        persona: Some(Some("nobody".into())),
        ..InstanceUpdate::default()
    };
    assert_eq!(
        ground
            .instances
            .update(&person(), bad)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );
    let clear = InstanceUpdate {
        name: "mine".into(),
        persona: Some(None),
        ..InstanceUpdate::default()
    };
    assert_eq!(
        ground
            .instances
            .update(&person(), clear)
            .await
            .unwrap()
            .instance
            .persona,
        None
    );
    let fault = ground.instances.get(called("mime")).await.unwrap_err();
    assert!(fault.hint.unwrap().contains("\"mine\""));
}
