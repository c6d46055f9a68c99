//! The promises of the depot on a real registry of images. Not among what `cargo test` runs: it needs Debian's `docker-registry` on PATH, or its
//! path in `EYAS_TEST_REGISTRY`. `cargo test --test registry`.

#![allow(
    clippy::unwrap_used,
    reason = "a test may end where a promise is broken"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a test is a user: it reads where it is, and starts a server"
)]

use eyas::{
    agents::{fetch::Digest, sources::platform},
    domain::distribution::filled,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A registry of its own, ended when dropped.
struct Registry {
    child: Child,
    host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let program =
            std::env::var("EYAS_TEST_REGISTRY").unwrap_or_else(|_| "docker-registry".to_owned());
        // Free now; whoever takes it in the moment between fails this test.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n",
            folder.join("images").display()
        );
        fs::write(folder.join("config.yml"), config).unwrap();
        let child = Command::new(program)
            .arg("serve")
            .arg(folder.join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is there");
        let registry = Self { child, host };
        let begun = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// One request; the head and the body of the answer.
    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head, answer[end + 4..].to_vec())
    }

    fn blob(&self, bytes: &[u8]) -> Value {
        let (head, _) = self.ask("POST", "/v2/agents/hawk/blobs/uploads/", "", b"");
        let place = head
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .unwrap()
            .trim();
        let path = place.split_once(&self.host).map_or(place, |(_, path)| path);
        let digest = Digest::of(bytes);
        let path = format!("{path}&digest={digest}");
        let (head, body) = self.ask("PUT", &path, "application/octet-stream", bytes);
        assert!(
            head.contains("201"),
            "{head} {}",
            String::from_utf8_lossy(&body)
        );
        json!({"mediaType": LAYER, "digest": digest.as_str(), "size": bytes.len()})
    }

    fn manifest(&self, name: &str, kind: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string().into_bytes();
        let (head, body) = self.ask(
            "PUT",
            &format!("/v2/agents/hawk/manifests/{name}"),
            kind,
            &bytes,
        );
        assert!(
            head.contains("201"),
            "{head} {}",
            String::from_utf8_lossy(&body)
        );
        json!({"mediaType": kind, "digest": Digest::of(&bytes).as_str(), "size": bytes.len()})
    }

    /// An image for this platform under an index, with a program that says `text`.
    fn publish(&self, tag: &str, text: &str) -> String {
        let script = format!("#!/bin/sh\necho {text}\n");
        let mut tape = tar::Builder::new(Vec::new());
        let mut head = tar::Header::new_gnu();
        head.set_size(script.len() as u64);
        head.set_mode(0o755);
        tape.append_data(&mut head, "bin/hawk", script.as_bytes())
            .unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&tape.into_inner().unwrap()).unwrap();
        let layer = self.blob(&packed.finish().unwrap());
        let mut config = self.blob(b"{}");
        config["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
        let mut own = self.manifest(
            &Digest::of(manifest.to_string().as_bytes()).to_string(),
            MANIFEST,
            &manifest,
        );
        let here = filled("{os} {goarch}", "", &platform());
        let (os, arch) = here.split_once(' ').unwrap();
        own["platform"] = json!({"os": os, "architecture": arch});
        let digest = own["digest"].as_str().unwrap().to_owned();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [own]});
        self.manifest(tag, INDEX, &index);
        digest
    }
}

fn eyas(home: &Path, words: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_eyas"))
        .args(words)
        .args(["--json", "--in-process"])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", home)
        .env("EYAS_HOME", home.join("eyas"))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn images_are_listed_fetched_by_digest_and_updated() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start(folder.path());
    let first = registry.publish("1.0.0", "first");
    let agents = folder.path().join("eyas/agents");
    fs::create_dir_all(&agents).unwrap();
    let definition = format!(
        "[launch]\ncommand = \"hawk\"\n[distribution.oci]\nrepository = \"{}/agents/hawk\"\n",
        registry.host
    );
    fs::write(agents.join("hawk.toml"), definition).unwrap();
    let agent = eyas(folder.path(), &["agent", "install", "hawk"]);
    assert_eq!(agent["installed_version"], "1.0.0", "{agent}");
    assert_eq!(agent["depot"][0]["digest"], first.as_str());
    let second = registry.publish("1.1.0", "second");
    let agent = eyas(folder.path(), &["agent", "update", "hawk"]);
    assert_eq!(agent["depot"][0]["digest"], second.as_str(), "{agent}");
    let said = Command::new(agent["path"].as_str().unwrap())
        .output()
        .unwrap();
    assert_eq!(said.stdout, b"second\n");
    let fault = eyas(folder.path(), &["agent", "install", "hawk@3.0.0"]);
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
    drop(registry);
    let fault = eyas(folder.path(), &["agent", "update", "hawk"]);
    assert_eq!(fault["kind"], "store_unavailable", "{fault}");
}
