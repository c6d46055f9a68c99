//! The desks of `persona.*` and `instance.*` over a store in memory.

mod a_deleted_instance_can_be_restored;
mod an_agent_creates_what_stands_below_it;
mod an_instance_is_placed_whole_or_not_at_all;
mod an_instance_starts_and_stops;
mod memory;
mod one_captain_leads_a_project;
mod only_a_person_changes_anything;
mod personas_in_use_are_not_deleted;

use eyas::{
    api::instance::InstanceCreate,
    hub::{
        instance::{InstanceDesk, Parts},
        persona::PersonaDesk,
    },
    templates::{Catalogue, Identity},
    workspace::Workspaces,
};
use jsonrpsee::Extensions;
use memory::{Around, Memory};
use std::sync::Arc;

struct Ground {
    home: tempfile::TempDir,
    store: Arc<Memory>,
    around: Arc<Around>,
    instances: InstanceDesk,
    personas: PersonaDesk,
}

impl Ground {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (store, around) = (Arc::new(Memory::default()), Arc::new(Around::default()));
        let catalogue = Catalogue::new(home.path());
        let identity = Identity::new(home.path());
        let instances = InstanceDesk::new(Parts {
            catalogue: catalogue.clone(),
            identity: identity.clone(),
            workspaces: Workspaces::new(home.path()),
            instances: store.clone(),
            projects: store.clone(),
            events: store.clone(),
            surroundings: around.clone(),
            user_name: None,
        });
        let sub_agents = Some(home.path().join("agents"));
        let personas = PersonaDesk {
            catalogue,
            identity,
            instances: store.clone(),
            projects: store.clone(),
            sub_agents,
        };
        Self {
            home,
            store,
            around,
            instances,
            personas,
        }
    }

    fn folders(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.home.path().join("instances"))
            .into_iter()
            .flatten();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }
}

fn person() -> Extensions {
    Extensions::new()
}

fn named(name: &str) -> InstanceCreate {
    InstanceCreate {
        name: name.into(),
        persona: Some("reviewer".into()),
        ..InstanceCreate::default()
    }
}

fn called(name: &str) -> eyas::api::instance::InstanceName {
    eyas::api::instance::InstanceName { name: name.into() }
}
