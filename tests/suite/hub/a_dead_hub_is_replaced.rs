use super::nest::{INFO, Nest, feed, kill};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};

#[test]
fn the_face_after_a_killed_hub_starts_another() {
    let nest = Nest::new();
    let first = nest.info();
    kill(nest.endpoint().unwrap().pid);
    let second = nest.info();
    assert!(second["id"].is_string());
    assert_ne!(first["id"], second["id"]);
}

#[test]
fn a_face_that_was_connected_goes_on_with_another() {
    let nest = Nest::new();
    let mut face = nest.eyas(&["rpc"]).spawn().unwrap();
    let mut said = BufReader::new(face.stdout.take().unwrap()).lines();
    let mut ask = || -> Value {
        feed(&mut face, INFO);
        serde_json::from_str(&said.next().unwrap().unwrap()).unwrap()
    };
    let first = ask();
    kill(nest.endpoint().unwrap().pid);
    // The end of a killed process may reach the face after the next line does: then that call is answered with `hub_lost`.
    let second = super::nest::until("another hub", || {
        let answer = ask();
        answer["result"]["id"].is_string().then_some(answer)
    });
    assert_ne!(first["result"]["id"], second["result"]["id"]);
    drop(face.stdin.take());
    assert!(face.wait().unwrap().success());
}

#[test]
fn a_stale_socket_and_garbage_in_hub_json_are_replaced() {
    let nest = Nest::new();
    std::fs::create_dir_all(&nest.home).unwrap();
    drop(std::os::unix::net::UnixListener::bind(nest.home.join("hub.sock")).unwrap());
    std::fs::write(nest.home.join("hub.json"), "{\"endpoint\":").unwrap();
    assert!(nest.info()["id"].is_string());
}
