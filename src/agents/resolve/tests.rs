use super::{Places, resolve};
use crate::{
    agents::{definitions::Registry, depot::Depot},
    domain::{agent::AgentDefinition, distribution::SourceKind, fault::ErrorKind},
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn definition(command: &str) -> AgentDefinition {
    let registry = Registry::load(Path::new("/nowhere"), Path::new("/own"));
    let mut definition = registry.get("opencode").unwrap().clone();
    definition.launch.command = command.to_owned();
    definition
}

fn places(path: Option<&str>) -> Places<'_> {
    Places {
        path,
        own_binary: Path::new("/own"),
        depot: None,
    }
}

#[test]
fn a_name_is_searched_on_the_path_given_and_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("hawk");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    let own = Path::new("/own");
    let path = format!(":relative:{}", dir.path().display());
    let found = |command: &str, path: Option<&str>| {
        resolve(&definition(command), places(path)).map(|found| found.path)
    };

    let fault = found("hawk", Some(&path)).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentNotFound);
    assert!(fault.hint.unwrap().contains("eyas agent install opencode"));

    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(found("hawk", Some(&path)).unwrap(), program);
    assert_eq!(found(program.to_str().unwrap(), None).unwrap(), program);
    assert!(found("hawk", None).is_err());
    assert!(found("hawk", Some("")).is_err());
    assert!(found("sh", None).is_err());
    assert!(found("./hawk", Some(&path)).is_err());
    assert!(found(dir.path().to_str().unwrap(), None).is_err());
    assert!(found("/does/not/exist", Some(&path)).is_err());
    assert_eq!(found("eyas", None).unwrap(), own);
}

#[test]
fn every_place_says_why_it_has_nothing_and_a_damaged_pin_is_no_absence() {
    let root = tempfile::tempdir().unwrap();
    let lock = root.path().join("agents.lock");
    let depot = Depot::new(&root.path().join("depot"), &lock);
    let places = Places {
        depot: Some(&depot),
        ..places(Some("/nowhere"))
    };
    let fault = resolve(&definition("hawk"), places).unwrap_err();
    for words in ["depot: no version", "path: `hawk` is not on PATH"] {
        assert!(fault.detail.contains(words), "{fault}");
    }
    fs::write(&lock, "nonsense = 1\n").unwrap();
    let fault = resolve(
        &definition("sh"),
        Places {
            path: Some("/bin"),
            ..places
        },
    )
    .unwrap_err();
    assert_eq!(fault.kind, ErrorKind::InvalidParams);
    // A path in so many words is not looked for elsewhere.
    let found = resolve(&definition("/bin/sh"), places).unwrap();
    assert_eq!(found.source, SourceKind::Explicit);
}
