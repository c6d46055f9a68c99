use super::{Ground, called, named, person};
use eyas::{
    api::{
        instance::InstanceApiServer as _,
        persona::{PersonaApiServer as _, PersonaCreate, PersonaDelete},
    },
    domain::{caller::Caller, fault::ErrorKind, ids::SessionId},
};
use jsonrpsee::Extensions;

#[tokio::test]
async fn agents_look_at_most() {
    let ground = Ground::new();
    ground
        .instances
        .create(&person(), named("one"))
        .await
        .unwrap();
    for caller in [
        Caller::Stray,
        Caller::Session(SessionId(eyas::stdx::mint())),
    ] {
        let mut agent = Extensions::new();
        agent.insert(caller);
        let faults = [
            ground
                .instances
                .create(&agent, named("two"))
                .await
                .unwrap_err(),
            ground
                .instances
                .delete(&agent, called("one"))
                .await
                .unwrap_err(),
            ground
                .instances
                .stop(&agent, called("one"))
                .await
                .unwrap_err(),
            ground
                .personas
                .create(
                    &agent,
                    PersonaCreate {
                        id: "x".into(),
                        ..PersonaCreate::default()
                    },
                )
                .await
                .unwrap_err(),
            ground
                .personas
                .delete(
                    &agent,
                    PersonaDelete {
                        id: "x".into(),
                        force: true,
                    },
                )
                .await
                .unwrap_err(),
        ];
        assert!(
            faults
                .iter()
                .all(|fault| fault.kind == ErrorKind::Forbidden)
        );
    }
    let mut named_person = Extensions::new();
    named_person.insert(Caller::Person);
    ground
        .instances
        .create(&named_person, named("two"))
        .await
        .unwrap();
}
