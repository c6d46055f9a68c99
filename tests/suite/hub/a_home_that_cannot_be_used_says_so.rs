use super::nest::{INFO, Nest, finish};
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt as _, fs::chown, process::CommandExt as _},
    process::Command,
};

/// Nobody in particular.
const OTHER: u32 = 65_534;

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

fn fault(command: Command) -> Value {
    let output = finish(command, INFO);
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{output:?}"));
    answer["error"]["data"].clone()
}

#[test]
fn a_home_that_cannot_be_written_has_a_kind_and_a_hint() {
    let mut nest = Nest::new();
    fs::set_permissions(nest.root(), Permissions::from_mode(0o555)).unwrap();
    let mut command = nest.eyas(&["rpc"]);
    if root() {
        // Root writes everywhere.
        command.uid(OTHER);
    }
    let said = fault(command);
    assert_eq!(said["kind"], "database_unavailable", "{said}");
    assert!(said["hint"].as_str().unwrap().contains("EYAS_HOME"));
    nest.home = "/proc/self/no-home".into();
    assert_eq!(fault(nest.eyas(&["rpc"]))["kind"], "database_unavailable");
}

#[test]
fn a_long_home_has_a_short_socket() {
    let mut nest = Nest::new();
    nest.home = nest.root().join("n".repeat(120)).join("home");
    assert!(nest.info()["id"].is_string());
    let socket = nest.endpoint().unwrap().endpoint.unwrap();
    assert!(socket.as_os_str().len() < 100, "{socket:?}");
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let folder = fs::metadata(socket.parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if !root() {
        return;
    }
    let nest = Nest::new();
    nest.info();
    let socket = nest.endpoint().unwrap().endpoint.unwrap();
    chown(&socket, Some(OTHER), None).unwrap();
    let said = fault(nest.eyas(&["rpc"]));
    assert_eq!(said["kind"], "forbidden");
    assert!(said["detail"].as_str().unwrap().contains("another user"));
    chown(&socket, Some(0), None).unwrap();
    assert!(nest.info()["id"].is_string());
    nest.say(&["hub", "stop"], "");
    chown(&nest.home, Some(OTHER), None).unwrap();
    assert_eq!(fault(nest.eyas(&["rpc"]))["kind"], "forbidden");
}

#[test]
fn another_users_process_is_turned_away() {
    if !root() {
        return;
    }
    let nest = Nest::new();
    nest.info();
    // Even with every door open, the peer's credentials keep it out.
    let socket = nest.endpoint().unwrap().endpoint.unwrap();
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    open(nest.root(), 0o755);
    open(&nest.home, 0o755);
    open(&socket, 0o666);
    open(&nest.home.join("hub.json"), 0o644);
    let mut command = nest.eyas(&["rpc"]);
    command.uid(OTHER);
    assert_eq!(fault(command)["kind"], "forbidden");
}

#[test]
fn files_are_private() {
    let nest = Nest::new();
    nest.info();
    let mode = |name: &str| {
        let found = fs::metadata(nest.home.join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    for name in ["hub.json", "hub.lock", "hub.sock", "logs/hub.log"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    for name in [".", "logs"] {
        assert_eq!(mode(name), 0o700, "{name}");
    }
}
