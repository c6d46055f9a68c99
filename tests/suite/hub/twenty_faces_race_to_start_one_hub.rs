use super::nest::{INFO, Nest, answers, feed};
use std::collections::BTreeSet;

/// The ids of the hubs that twenty faces, started at once, were answered by.
fn race(nest: &Nest) -> BTreeSet<String> {
    let mut faces: Vec<_> = (0..20)
        .map(|_| nest.eyas(&["rpc"]).spawn().unwrap())
        .collect();
    for face in &mut faces {
        feed(face, INFO);
    }
    faces
        .into_iter()
        .map(|face| {
            let answers = answers(&face.wait_with_output().unwrap());
            assert_eq!(answers.len(), 1);
            answers[0]["result"]["id"]
                .as_str()
                .unwrap_or_else(|| panic!("{answers:?}"))
                .to_owned()
        })
        .collect()
}

#[test]
fn twenty_faces_are_answered_by_one_hub() {
    assert_eq!(race(&Nest::new()).len(), 1);
}

#[test]
fn also_in_a_runtime_directory() {
    let nest = Nest::new();
    let runtime = nest.root().join("run");
    std::fs::create_dir(&runtime).unwrap();
    let nest = nest.with("XDG_RUNTIME_DIR", runtime.to_string_lossy());
    assert_eq!(race(&nest).len(), 1);
    let endpoint = nest.endpoint().unwrap().endpoint.unwrap();
    assert!(endpoint.starts_with(runtime.join("eyas")), "{endpoint:?}");
}

#[test]
fn also_where_a_hub_was_killed() {
    let nest = Nest::new();
    let first = race(&nest);
    super::nest::kill(nest.endpoint().unwrap().pid);
    let second = race(&nest);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second);
}
