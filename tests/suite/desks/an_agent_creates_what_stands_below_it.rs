use super::{Ground, memory::project, named, person};
use eyas::{
    api::instance::{InstanceApiServer as _, InstanceCreate},
    domain::{caller::Caller, fault::ErrorKind, ids::SessionId, instance::Role, rights::Standing},
};
use jsonrpsee::Extensions;

fn agent() -> Extensions {
    let mut agent = Extensions::new();
    agent.insert(Caller::Session(SessionId(eyas::stdx::mint())));
    agent
}

fn standing(role: Role) -> Standing {
    Standing {
        role: Some(role),
        project: Some(project().id),
        instance: Some("boss".into()),
    }
}

#[tokio::test]
async fn a_captain_talons_of_its_own_project() {
    let ground = Ground::new();
    *ground.around.standing.lock().unwrap() = standing(Role::Captain);
    let desk = &ground.instances;
    // Nobody says which role and where: what it may create, in its own project, below itself.
    let made = desk.create(&agent(), named("tal")).await.unwrap().instance;
    assert_eq!(made.role, Some(Role::Talon));
    assert_eq!(made.project, Some(project().id));
    assert_eq!(made.parent.as_deref(), Some("boss"));
    for role in [Role::Captain, Role::Commander] {
        let asked = InstanceCreate {
            role: Some(role),
            ..named("more")
        };
        let fault = desk.create(&agent(), asked).await.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::Forbidden);
    }
    let elsewhere = InstanceCreate {
        parent: Some("tal".into()),
        ..named("more")
    };
    let fault = desk.create(&agent(), elsewhere).await.unwrap_err();
    assert_eq!(fault.field.as_deref(), Some("parent"));
    // A persona that leads lends no role to what a captain creates.
    let leading = InstanceCreate {
        persona: Some("project-captain".into()),
        ..named("more")
    };
    let fault = desk.create(&agent(), leading).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Forbidden);
    assert_eq!(ground.folders().len(), 1);
}

#[tokio::test]
async fn a_commander_captains_and_a_talon_nothing() {
    let ground = Ground::new();
    let desk = &ground.instances;
    *ground.around.standing.lock().unwrap() = standing(Role::Talon);
    let fault = desk.create(&agent(), named("tal")).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Forbidden);
    let replacing = InstanceCreate {
        replace: true,
        ..named("tal")
    };
    let fault = desk.create(&agent(), replacing.clone()).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Forbidden);
    *ground.around.standing.lock().unwrap() = standing(Role::Commander);
    let captain = InstanceCreate {
        project: Some("eyrie".into()),
        ..named("cap")
    };
    let made = desk.create(&agent(), captain).await.unwrap().instance;
    assert_eq!(made.role, Some(Role::Captain));
    let replaced = InstanceCreate {
        name: "other".into(),
        ..replacing
    };
    desk.create(&agent(), replaced).await.unwrap();
    let old = desk.get(super::called("cap")).await.unwrap().instance;
    assert_eq!(old.role, None);
    let talon = InstanceCreate {
        role: Some(Role::Talon),
        ..named("tal")
    };
    let fault = desk.create(&agent(), talon.clone()).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Forbidden);
    desk.create(&person(), talon).await.unwrap();
}
