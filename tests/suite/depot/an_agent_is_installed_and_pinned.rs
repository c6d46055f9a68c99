use super::{
    below,
    web::{Answer, Request, Step, Web, missing, ok, ranged},
};
use crate::hub::nest::{Nest, finish, kill, until};
use eyas::agents::fetch::Digest;
use serde_json::{Value, json};
use std::{fs, io::Write as _, path::PathBuf, process::Output, sync::Arc, thread};

/// An archive with a program that becomes the fake agent.
fn archive() -> Vec<u8> {
    archive_of("")
}

fn archive_of(comment: &str) -> Vec<u8> {
    let script = format!(
        "#!/bin/sh\n# {comment}\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_fake-agent")
    );
    let mut tape = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_gnu();
    head.set_size(script.len() as u64);
    head.set_mode(0o755);
    tape.append_data(&mut head, "hawk-1/bin/hawk", script.as_bytes())
        .unwrap();
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(&tape.into_inner().unwrap()).unwrap();
    to.finish().unwrap()
}

/// A home that defines the agent `hawk`, to be had from a server.
struct Place {
    nest: Nest,
    web: Web,
}

impl Place {
    fn new(
        definition: &str,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let web = Web::new(answer);
        let nest = Nest::new().with("EYAS_DEPOT_STALL_MS", "2000");
        let agents = nest.home.join("agents");
        fs::create_dir_all(&agents).unwrap();
        let text = definition.replace("WEB", &web.url(""));
        fs::write(agents.join("hawk.toml"), text).unwrap();
        Self { nest, web }
    }

    fn depot(&self) -> PathBuf {
        self.nest.home.join("depot")
    }

    /// What `eyas agent … --json` says.
    fn agent(&self, words: &[&str]) -> (Value, Output) {
        let output = self
            .nest
            .say(&[&["agent"], words, &["--json"]].concat(), "");
        let value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (value, output)
    }

    /// Versions in the depot, and nothing that is half made.
    fn versions(&self) -> Vec<String> {
        let making = self.depot().join(".making");
        if making.exists() {
            assert_eq!(below(&making), Vec::<String>::new());
        }
        let folder = self.depot().join("nest/hawk");
        let mut names = match fs::read_dir(folder) {
            Ok(entries) => entries
                .map(|one| one.unwrap().file_name().into_string().unwrap())
                .collect(),
            Err(_) => Vec::new(),
        };
        names.sort();
        names
    }
}

fn definition(version: &str, sha256: Option<&str>) -> String {
    let sha256 = sha256
        .map(|sum| format!("sha256 = \"{sum}\"\n"))
        .unwrap_or_default();
    format!(
        "version = \"{version}\"\n[launch]\ncommand = \"hawk\"\n[distribution]\npublisher = \"nest\"\n[distribution.archive.any]\nurl = \"WEB/hawk-{{version}}.tar.gz\"\n{sha256}"
    )
}

fn sum(bytes: &[u8]) -> String {
    Digest::of(bytes)
        .as_str()
        .trim_start_matches("sha256:")
        .to_owned()
}

#[test]
fn it_is_fetched_verified_pinned_started_and_removed() {
    let bytes = archive();
    let text = definition("1.0.0", Some(&sum(&bytes)));
    let place = Place::new(&text, move |_, _| ok(&bytes));
    let (fault, output) = place.agent(&["resolve", "hawk"]);
    assert_eq!(fault["kind"], "agent_not_found", "{fault}");
    assert_eq!(fault["hint"], "install it with: eyas agent install hawk");
    assert_eq!(output.status.code(), Some(1));

    let (agent, _) = place.agent(&["install", "hawk"]);
    assert_eq!(agent["installed_version"], "1.0.0", "{agent}");
    assert_eq!(agent["found_by"], "depot");
    let one = &agent["depot"][0];
    assert_eq!(
        (&one["vouched"], &one["used"]),
        (&json!("definition"), &json!(true)),
        "{agent}"
    );
    assert_eq!(place.versions(), ["1.0.0"]);
    let lock = fs::read_to_string(place.nest.home.join("agents.lock")).unwrap();
    assert!(
        lock.contains("version = \"1.0.0\"") && lock.contains("sha256:"),
        "{lock}"
    );

    let (probe, _) = place.agent(&["probe", "hawk"]);
    assert_eq!(
        (&probe["login"], &probe["protocol_version"]),
        (&json!("ready"), &json!(1)),
        "{probe}"
    );
    assert!(
        probe["program"]
            .as_str()
            .unwrap()
            .ends_with("nest/hawk/1.0.0/hawk-1/bin/hawk"),
        "{probe}"
    );
    let (seen, _) = place.agent(&["doctor", "hawk"]);
    assert_eq!(seen["sound"], true, "{seen}");

    // It is there already: nobody is asked again.
    place.agent(&["install", "hawk"]);
    assert_eq!(place.web.asked().len(), 1);
    let (agent, _) = place.agent(&["remove", "hawk@1.0.0"]);
    assert_eq!(agent["installed"], false, "{agent}");
    assert!(place.versions().is_empty());
}

#[test]
fn what_is_not_what_was_promised_leaves_nothing() {
    let bytes = archive();
    let place = Place::new(&definition("1.0.0", Some(&sum(b"other"))), move |_, _| {
        ok(&bytes)
    });
    let (fault, output) = place.agent(&["install", "hawk"]);
    assert_eq!(
        (&fault["kind"], output.status.code()),
        (&json!("digest_mismatch"), Some(1)),
        "{fault}"
    );
    assert!(place.versions().is_empty());
    assert!(!place.nest.home.join("agents.lock").exists());

    let place = Place::new(&definition("1.0.0", None), |_, _| missing());
    let (fault, _) = place.agent(&["install", "hawk"]);
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
    assert!(
        fault["detail"].as_str().unwrap().contains("archive: "),
        "{fault}"
    );
    assert!(place.versions().is_empty());
}

#[test]
fn a_promise_holds_for_its_version_however_that_is_written() {
    let bytes = archive();
    let promised = definition("v1.0.0", Some(&sum(b"other")));
    let place = Place::new(&promised, move |_, _| ok(&bytes));
    let (fault, _) = place.agent(&["install", "hawk"]);
    assert_eq!(fault["kind"], "digest_mismatch", "{fault}");
}

#[test]
fn what_is_pinned_is_not_replaced_under_the_same_name() {
    let bytes = archive();
    let place = Place::new(&definition("1.0.0", None), move |_, before| match before {
        0 => ok(&bytes),
        _ => ok(&archive_of("another")),
    });
    let (agent, _) = place.agent(&["install", "hawk"]);
    assert_eq!(agent["depot"][0]["vouched"], "first_use", "{agent}");
    // Another machine with the same lock file: its depot is empty.
    fs::remove_dir_all(place.depot()).unwrap();
    let (fault, _) = place.agent(&["install", "hawk"]);
    assert_eq!(fault["kind"], "digest_mismatch", "{fault}");
    assert!(
        fault["detail"].as_str().unwrap().contains("agents.lock"),
        "{fault}"
    );
    assert!(place.versions().is_empty());
}

#[test]
fn where_nothing_is_fetched_the_depot_alone_is_asked() {
    let bytes = archive();
    let place = Place::new(&definition("1.0.0", None), move |_, _| ok(&bytes));
    let local = |words: &[&str]| {
        let mut command = place.nest.eyas(&[&["agent"], words, &["--json"]].concat());
        command.env("EYAS_AGENT_SOURCE", "local");
        serde_json::from_slice::<Value>(&finish(command, "").stdout).unwrap()
    };
    // The hub may fetch; this shell does not want it to.
    place.nest.info();
    let fault = local(&["install", "hawk"]);
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
    assert!(place.web.asked().is_empty());
    place.agent(&["install", "hawk"]);
    assert_eq!(
        local(&["install", "hawk@latest"])["installed_version"],
        "1.0.0"
    );
    assert_eq!(place.web.asked().len(), 1);
}

#[test]
fn two_who_install_at_once_fetch_once() {
    let bytes = Arc::new(archive());
    let place = Place::new(&definition("1.0.0", None), move |request, _| {
        ranged(request, &bytes, usize::MAX, None)
    });
    place.nest.info();
    thread::scope(|scope| {
        let both = [(), ()].map(|()| scope.spawn(|| place.agent(&["install", "hawk"]).0));
        for one in both {
            let agent = one.join().unwrap();
            assert_eq!(agent["installed_version"], "1.0.0", "{agent}");
        }
    });
    assert_eq!(place.web.asked().len(), 1);
    assert_eq!(place.versions(), ["1.0.0"]);
}

#[test]
fn a_hub_that_is_killed_while_it_installs_leaves_nothing() {
    let bytes = archive();
    let place = Place::new(
        &definition("1.0.0", None),
        move |request, before| match before {
            0 => ranged(request, &bytes, 10, Some(Step::Stall)),
            _ => ok(&bytes),
        },
    );
    let pid = u32::try_from(place.nest.info()["pid"].as_u64().unwrap()).unwrap();
    let mut installing = place
        .nest
        .eyas(&["agent", "install", "hawk"])
        .spawn()
        .unwrap();
    until("it begins to fetch", || {
        (!place.web.asked().is_empty()).then_some(())
    });
    let making = place.depot().join(".making");
    until("something is made", || {
        (!below(&making).is_empty()).then_some(())
    });
    installing.kill().unwrap();
    installing.wait().unwrap();
    kill(pid);
    until("the hub is gone", || {
        let left = fs::read(format!("/proc/{pid}/environ"));
        left.map_or(true, |left| left.is_empty()).then_some(())
    });
    assert!(!below(&making).is_empty(), "as a killed hub leaves it");
    let (agent, _) = place.agent(&["install", "hawk"]);
    assert_eq!(agent["installed_version"], "1.0.0", "{agent}");
    assert_eq!(place.versions(), ["1.0.0"]);
}

#[test]
fn a_server_that_stalls_is_told_from_one_that_has_nothing() {
    let place = Place::new(&definition("1.0.0", None), |_, _| vec![Step::Stall]);
    let mut command = place.nest.eyas(&["agent", "install", "hawk", "--json"]);
    command.env("EYAS_DEPOT_STALL_MS", "50");
    let fault: Value = serde_json::from_slice(&finish(command, "").stdout).unwrap();
    assert_eq!(fault["kind"], "store_unavailable", "{fault}");
    assert!(place.versions().is_empty());
}

#[test]
fn definitions_come_from_a_registry_and_are_installed() {
    let bytes = archive();
    let platform = eyas::agents::sources::platform();
    let place = Place::new(&definition("1.0.0", None), move |_, _| ok(&bytes));
    let registry = json!({"version": "1.0.0", "agents": [
        {"id": "kite", "name": "Kite", "version": "2.0.0", "description": "x",
         "distribution": {"binary": {platform: {"archive": place.web.url("/kite.tar.gz"), "cmd": "./hawk-1/bin/hawk", "args": []}}}},
        {"id": "other", "name": "Other", "version": "1.0.0", "distribution": {"npx": {"package": "other@1.0.0"}}},
    ]});
    let file = place.nest.root().join("registry.json");
    fs::write(&file, registry.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let (fault, _) = place.agent(&["add", file]);
    assert_eq!(fault["kind"], "required_field", "{fault}");
    let (page, _) = place.agent(&["add", file, "kite"]);
    assert_eq!(page["items"][0]["version"], "2.0.0", "{page}");
    let (fault, _) = place.agent(&["add", file, "kite"]);
    assert_eq!(fault["kind"], "name_exists", "{fault}");
    let (agent, _) = place.agent(&["install", "kite"]);
    assert_eq!(agent["installed_version"], "2.0.0", "{agent}");
    let (probe, _) = place.agent(&["probe", "kite"]);
    assert_eq!(probe["login"], "ready", "{probe}");
}
