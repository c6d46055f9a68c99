use super::web::{Web, missing, ok};
use crate::hub::nest::Nest;
use eyas::agents::fetch::Digest;
use serde_json::{Value, json};
use std::{fs, sync::OnceLock};

/// What `{"tag":…}` of the API looks like, and its files.
fn release(base: &str, version: &str, is_early: bool) -> Value {
    let file = |name: &str| json!({"name": name, "url": format!("{base}/api/{name}"), "browser_download_url": format!("{base}/files/{version}/{name}")});
    json!({
        "tag_name": format!("v{version}"), "draft": false, "prerelease": is_early,
        "assets": [file("hawk-linux"), file("SHA256SUMS")],
    })
}

#[test]
fn the_newest_release_is_found_and_must_be_what_its_checksums_say() {
    let base = std::sync::Arc::new(OnceLock::<String>::new());
    let own = base.clone();
    let web = Web::new(move |request, _| {
        let base = own.get().unwrap();
        let versions = ["1.2.0", "1.10.0", "2.0.0-rc.1", "1.9.9"];
        let path = request.path.as_str();
        if path.starts_with("/repos/nest/hawk/releases?") {
            let all: Vec<Value> = versions
                .iter()
                .map(|version| release(base, version, version.contains("rc")))
                .collect();
            return ok(json!(all).to_string().as_bytes());
        }
        if let Some(tag) = path.strip_prefix("/repos/nest/hawk/releases/tags/v") {
            return if versions.contains(&tag) {
                ok(release(base, tag, false).to_string().as_bytes())
            } else {
                missing()
            };
        }
        match path.rsplit('/').collect::<Vec<_>>()[..] {
            ["hawk-linux", version, ..] => ok(format!("#!/bin/sh\n# {version}\n").as_bytes()),
            // Of one version they are wrong.
            ["SHA256SUMS", version, ..] => {
                let other = if version == "1.9.9" { "1.2.0" } else { version };
                let sum = Digest::of(format!("#!/bin/sh\n# {other}\n").as_bytes());
                let sum = sum.as_str().trim_start_matches("sha256:");
                ok(format!("{}  other\n{sum} *hawk-linux\n", "0".repeat(64)).as_bytes())
            }
            _ => missing(),
        }
    });
    base.set(web.url("")).unwrap();
    let nest = Nest::new().with("EYAS_DEPOT_GITHUB_API", web.url(""));
    fs::create_dir_all(nest.home.join("agents")).unwrap();
    let definition = "[launch]\ncommand = \"hawk\"\n[distribution.github]\nrepository = \"nest/hawk\"\nasset = \"hawk-{os}\"\nchecksums = \"SHA256SUMS\"\n";
    fs::write(
        nest.home.join("agents/hawk.toml"),
        definition.replace("{os}", "linux"),
    )
    .unwrap();
    let agent = |words: &[&str]| -> Value {
        let output = nest.say(&[&["agent"], words, &["--json"]].concat(), "");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    };
    let first = agent(&["install", "hawk@v1.2.0"]);
    assert_eq!(first["installed_version"], "1.2.0", "{first}");
    assert_eq!(first["depot"][0]["vouched"], "publisher");
    // What is there is good enough for `latest`, and not for an update.
    assert_eq!(
        agent(&["install", "hawk@latest"])["installed_version"],
        "1.2.0"
    );
    let updated = agent(&["update", "hawk"]);
    assert_eq!(updated["installed_version"], "1.10.0", "{updated}");
    let versions: Vec<&str> = updated["depot"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["1.10.0", "1.2.0"], "side by side");
    let fault = agent(&["install", "hawk@1.9.9"]);
    assert_eq!(fault["kind"], "digest_mismatch", "{fault}");
    let fault = agent(&["install", "hawk@7.0.0"]);
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
    assert!(
        fault["detail"]
            .as_str()
            .unwrap()
            .contains("no release v7.0.0"),
        "{fault}"
    );
    assert_eq!(
        agent(&["get", "hawk"])["installed_version"],
        "1.10.0",
        "nothing that failed has changed it"
    );
}
