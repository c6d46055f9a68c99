use super::web::{Answer, Request, Web, body, missing, ok};
use crate::hub::nest::Nest;
use base64::Engine as _;
use eyas::{agents::fetch::Digest, domain::distribution::filled};
use serde_json::{Value, json};
use std::{fs, io::Write as _};

const LIST: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn layer(name: &str, text: &str) -> Vec<u8> {
    let mut tape = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_gnu();
    head.set_size(text.len() as u64);
    head.set_mode(0o755);
    tape.append_data(&mut head, name, text.as_bytes()).unwrap();
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(&tape.into_inner().unwrap()).unwrap();
    to.finish().unwrap()
}

/// A registry with one image, of two layers, behind a token that only one person gets.
#[derive(Clone)]
struct Registry {
    layers: Vec<Vec<u8>>,
    manifest: Vec<u8>,
    index: Vec<u8>,
}

impl Registry {
    fn new() -> Self {
        let layers = vec![
            layer("bin/hawk", "#!/bin/sh\necho old\n"),
            layer("bin/hawk", "#!/bin/sh\necho new\n"),
        ];
        let described = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": Digest::of(bytes).as_str(), "size": bytes.len()});
        let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described("application/vnd.oci.image.config.v1+json", b"{}"),
            "layers": layers.iter().map(|one| described(kind, one)).collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        let here = filled("{os} {goarch}", "", &eyas::agents::sources::platform());
        let (os, arch) = here.split_once(' ').unwrap();
        let mut own = described(MANIFEST, &manifest);
        own["platform"] = json!({"os": os, "architecture": arch});
        let mut other = described(MANIFEST, b"another");
        other["platform"] = json!({"os": "windows", "architecture": "amd64"});
        let index = json!({"schemaVersion": 2, "mediaType": LIST, "manifests": [other, own]});
        Self {
            layers,
            manifest,
            index: index.to_string().into_bytes(),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.as_str();
        if path.starts_with("/token?") {
            let basic = base64::engine::general_purpose::STANDARD.encode("me:secret");
            return if request.head("authorization") == Some(&format!("Basic {basic}")) {
                ok(br#"{"token":"let-me-in"}"#)
            } else {
                body("401 Unauthorized", &[], b"who are you")
            };
        }
        if request.head("authorization") != Some("Bearer let-me-in") {
            let realm = format!(
                "Bearer realm=\"http://{}/token\",service=\"nest\"",
                request.head("host").unwrap()
            );
            return body("401 Unauthorized", &[("www-authenticate", realm)], b"{}");
        }
        let described =
            |kind: &str, bytes: &[u8]| body("200 OK", &[("content-type", kind.to_owned())], bytes);
        let Some(what) = path.strip_prefix("/v2/agents/hawk/") else {
            return ok(b"{}");
        };
        if what.starts_with("tags/list") {
            return ok(br#"{"name":"agents/hawk","tags":["latest","1.0.0","1.1.0","2.0.0-rc.1"]}"#);
        }
        match what {
            "manifests/1.1.0" | "manifests/1.0.0" => described(LIST, &self.index),
            what if what == format!("manifests/{}", Digest::of(&self.manifest)) => {
                described(MANIFEST, &self.manifest)
            }
            what => {
                let blob = self
                    .layers
                    .iter()
                    .find(|one| what == format!("blobs/{}", Digest::of(one)));
                blob.map_or_else(missing, |blob| ok(blob))
            }
        }
    }
}

fn nest(web: &Web, login: &str) -> Nest {
    let nest = Nest::new();
    let docker = nest.root().join("docker");
    fs::create_dir_all(&docker).unwrap();
    let auth = base64::engine::general_purpose::STANDARD.encode(login);
    fs::write(
        docker.join("config.json"),
        json!({"auths": {web.host(): {"auth": auth}}}).to_string(),
    )
    .unwrap();
    fs::create_dir_all(nest.home.join("agents")).unwrap();
    let definition = format!(
        "[launch]\ncommand = \"hawk\"\n[distribution.oci]\nrepository = \"{}/agents/hawk\"\n",
        web.host()
    );
    fs::write(nest.home.join("agents/hawk.toml"), definition).unwrap();
    let docker = docker.to_str().unwrap().to_owned();
    nest.with("DOCKER_CONFIG", docker)
}

fn install(nest: &Nest, what: &str) -> Value {
    let output = nest.say(&["agent", "install", what, "--json"], "");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn a_token_is_fetched_the_platform_is_chosen_and_layers_lie_one_over_the_other() {
    let registry = Registry::new();
    let served = registry.clone();
    let web = Web::new(move |request, _| served.answer(request));
    let nest = nest(&web, "me:secret");
    let agent = install(&nest, "hawk");
    assert_eq!(agent["installed_version"], "1.1.0", "{agent}");
    assert_eq!(
        agent["depot"][0]["digest"],
        Digest::of(&registry.manifest).as_str()
    );
    let program = agent["path"].as_str().unwrap();
    assert_eq!(
        fs::read_to_string(program).unwrap(),
        "#!/bin/sh\necho new\n"
    );
}

#[test]
fn a_registry_that_does_not_let_us_in_or_lies_is_told() {
    let web = Web::new(move |request, _| Registry::new().answer(request));
    let fault = install(&nest(&web, "me:wrong"), "hawk@1.0.0");
    assert_eq!(fault["kind"], "store_unavailable", "{fault}");
    assert!(
        fault["hint"].as_str().unwrap().contains("docker login"),
        "{fault}"
    );
    assert!(!fault.to_string().contains("wrong"), "{fault}");

    // It answers another manifest than its index promises.
    let web = Web::new(move |request, _| {
        let mut registry = Registry::new();
        if request.path.contains("/manifests/sha256:") {
            let promised = Digest::of(&registry.manifest);
            registry.manifest.push(b' ');
            assert!(request.path.ends_with(promised.as_str()));
            return body(
                "200 OK",
                &[("content-type", MANIFEST.to_owned())],
                &registry.manifest,
            );
        }
        registry.answer(request)
    });
    let fault = install(&nest(&web, "me:secret"), "hawk@1.0.0");
    assert_eq!(fault["kind"], "digest_mismatch", "{fault}");
    // It answers other bytes than a layer's.
    let web = Web::new(move |request, _| {
        if request.path.contains("/blobs/") && request.head("authorization").is_some() {
            ok(b"other bytes")
        } else {
            Registry::new().answer(request)
        }
    });
    let fault = install(&nest(&web, "me:secret"), "hawk@1.0.0");
    assert_eq!(fault["kind"], "digest_mismatch", "{fault}");
    let web = Web::new(move |request, _| Registry::new().answer(request));
    let fault = install(&nest(&web, "me:secret"), "hawk@9.9.9");
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
}
