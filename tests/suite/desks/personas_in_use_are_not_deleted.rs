use super::{Ground, named, person};
use eyas::{
    api::{
        instance::{InstanceApiServer as _, InstanceCreate},
        persona::{
            PersonaApiServer as _, PersonaCreate, PersonaDelete, PersonaFields, PersonaId,
            PersonaUpdate,
        },
    },
    domain::fault::ErrorKind,
};

fn create(id: &str, from: Option<String>) -> PersonaCreate {
    PersonaCreate {
        id: id.into(),
        from,
        fields: PersonaFields::default(),
    }
}

#[tokio::test]
async fn without_force() {
    let ground = Ground::new();
    let desk = &ground.personas;
    let made = desk
        .create(&person(), create("mine", Some("reviewer".into())))
        .await
        .unwrap();
    assert_eq!(
        made.system_prompt,
        desk.get(PersonaId {
            id: "reviewer".into()
        })
        .await
        .unwrap()
        .system_prompt
    );
    ground
        .instances
        .create(
            &person(),
            InstanceCreate {
                persona: Some("mine".into()),
                ..named("one")
            },
        )
        .await
        .unwrap();
    let delete = |force| PersonaDelete {
        id: "mine".into(),
        force,
    };
    assert_eq!(
        desk.delete(&person(), delete(false))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::InUse
    );
    assert_eq!(
        desk.delete(&person(), delete(true)).await.unwrap().id,
        "mine"
    );
    assert_eq!(
        desk.delete(&person(), delete(true)).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn and_reach_an_agent_as_one_text() {
    let ground = Ground::new();
    let desk = &ground.personas;
    let id = || PersonaId {
        id: "reviewer".into(),
    };
    let text = desk.preview(id()).await.unwrap().text;
    assert!(
        text.contains(&desk.get(id()).await.unwrap().system_prompt)
            && text.contains("eyas:conclusion")
    );
    assert!(
        !text.contains("``"),
        "no workspace is named where there is none"
    );
    let fields = PersonaFields {
        model: Some(Some("opus".into())),
        ..PersonaFields::default()
    };
    let update = PersonaUpdate {
        id: "reviewer".into(),
        fields,
    };
    desk.update(&person(), update).await.unwrap();
    assert!(
        desk.preview(id())
            .await
            .unwrap()
            .text
            .contains("Preferred model: opus")
    );
}

#[tokio::test]
async fn and_come_from_sub_agent_files() {
    let ground = Ground::new();
    let folder = ground.home.path().join("agents");
    std::fs::create_dir(&folder).unwrap();
    let text = "---\nname: Tester\ndescription: tests\ncolor: blue\n---\nYou test.\n";
    std::fs::write(folder.join("tester.md"), text).unwrap();
    let desk = &ground.personas;
    for (id, from) in [
        ("a", folder.join("tester.md").display().to_string()),
        ("b", "~/.claude/agents/tester.md".into()),
    ] {
        let made = desk
            .create(&person(), create(id, Some(from)))
            .await
            .unwrap();
        assert_eq!(
            (made.name.as_str(), made.system_prompt.as_str()),
            ("Tester", "You test.")
        );
        assert_eq!(made.extra["color"], "blue");
    }
    for from in ["/etc/passwd", "/etc/x.md", "relative/x.md", "nobody"] {
        assert!(
            desk.create(&person(), create("c", Some(from.into())))
                .await
                .is_err(),
            "{from}"
        );
    }
}
