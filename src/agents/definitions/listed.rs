//! The format of the public registry of ACP agents, and of one agent of it.

use super::user::by_us;
use crate::domain::{
    agent::{AgentDefinition, AgentSource, EnvRules, Launch, Limits, McpScope, Transport},
    distribution::{Archive, Distribution, Package},
    fault::{ErrorKind, Fault},
    slug,
    version::Version,
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// What may stand in the file; more does, and may come.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Written {
    Registry { agents: Vec<Entry> },
    One(Box<Entry>),
}

/// An agent of the registry.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub id: String,
    name: String,
    version: String,
    distribution: Ways,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Ways {
    #[serde(default)]
    binary: BTreeMap<String, Binary>,
    #[serde(default)]
    npx: Option<Run>,
    #[serde(default)]
    uvx: Option<Run>,
}

#[derive(Clone, Debug, Deserialize)]
struct Binary {
    archive: String,
    cmd: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    sha256: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Run {
    package: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// Reads a registry, or one agent.
///
/// # Errors
/// `invalid_params` for anything else.
pub fn read(text: &[u8]) -> Result<Vec<Entry>, Fault> {
    let written: Written = serde_json::from_slice(text).map_err(|_unread| {
        Fault::invalid("from", "is no registry of ACP agents, and none of its agents: no `agents`, or no `id`, `name`, `version` and `distribution`")
    })?;
    Ok(match written {
        Written::Registry { agents } => agents,
        Written::One(entry) => vec![*entry],
    })
}

/// Those of the ids, or the only one.
///
/// # Errors
/// `not_found` with the nearest; `required_field` with all that there are.
pub fn choose<'a>(entries: &'a [Entry], ids: &[String]) -> Result<Vec<&'a Entry>, Fault> {
    let known: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    match (ids, entries) {
        ([], [only]) => Ok(vec![only]),
        ([], _) => Err(Fault::required("ids").hint(format!("say which: {}", known.join(", ")))),
        _ => ids
            .iter()
            .map(|id| {
                let found = entries.iter().find(|entry| entry.id == *id);
                found.ok_or_else(|| {
                    let list = format!("the registry has {}", known.join(", "));
                    Fault::not_found_among("agent", id, known.iter().copied(), &list)
                })
            })
            .collect(),
    }
}

impl Entry {
    /// A definition for this platform. What is known of an agent of that id stays, but for where it comes from and how it is launched.
    ///
    /// # Errors
    /// `invalid_params` for an id, a version or a package that cannot be taken; `artifact_missing` when there is none for the platform.
    pub fn definition(
        &self,
        known: Option<&AgentDefinition>,
        platform: &str,
    ) -> Result<AgentDefinition, Fault> {
        slug::check("id", &self.id)?;
        let binary = self.distribution.binary.get(platform);
        let (npx, uvx) = (
            self.distribution.npx.as_ref(),
            self.distribution.uvx.as_ref(),
        );
        let npm = npx.map(|run| packaged(&run.package, &['@'])).transpose()?;
        let pypi = uvx
            .map(|run| packaged(&run.package, &['=', '@']))
            .transpose()?;
        let (command, args, env) = match (binary, (npx, &npm), (uvx, &pypi)) {
            (Some(binary), ..) => (named(&binary.cmd), &binary.args, &binary.env),
            (None, (Some(run), Some((name, _))), _) | (None, _, (Some(run), Some((name, _)))) => {
                (named(name), &run.args, &run.env)
            }
            _ => {
                let why = format!("agent \"{}\" has nothing for {platform}", self.id);
                return Err(Fault::new(ErrorKind::ArtifactMissing, why));
            }
        };
        let of_package = if binary.is_some() {
            None
        } else {
            [&npm, &pypi].into_iter().flatten().next()
        };
        let version = of_package.and_then(|(_, version)| version.clone());
        let version = Version::parse(version.as_deref().unwrap_or(&self.version))?;
        let distribution = self.places(platform, npm, pypi);
        Ok(AgentDefinition {
            id: self.id.clone(),
            name: self.name.clone(),
            launch: Launch {
                command: command?,
                args: args.clone(),
                env: env.clone(),
            },
            env: known.map_or_else(EnvRules::default, |known| known.env.clone()),
            transport: Transport::default(),
            session: known.map(|known| known.session.clone()).unwrap_or_default(),
            limits: known.map_or_else(Limits::default, |known| known.limits),
            mcp_scope: known.map_or(McpScope::Session, |known| known.mcp_scope),
            capabilities: known
                .map(|known| known.capabilities.clone())
                .unwrap_or_default(),
            version: Some(version.as_str().to_owned()),
            install: by_us(&self.id, &distribution),
            distribution,
            turn: known.and_then(|known| known.turn.clone()),
            source: AgentSource::User,
        })
    }
}

impl Entry {
    fn places(
        &self,
        platform: &str,
        npm: Option<Packaged>,
        pypi: Option<Packaged>,
    ) -> Distribution {
        let package = |found: Option<Packaged>| {
            found.map(|(package, _)| Package {
                package,
                program: None,
            })
        };
        let archive = self.distribution.binary.get(platform).map(|binary| {
            let archive = Archive {
                url: binary.archive.clone(),
                sha256: binary.sha256.clone(),
                program: Some(binary.cmd.trim_start_matches("./").to_owned()),
            };
            (platform.to_owned(), archive)
        });
        Distribution {
            publisher: Some(format!("registry-{}", self.id)),
            archive: archive.into_iter().collect(),
            npm: package(npm),
            pypi: package(pypi),
            ..Distribution::default()
        }
    }
}

/// A package's name, and its version where one is said.
type Packaged = (String, Option<String>);

/// The last part of a path or of a package's name, as a command.
fn named(text: &str) -> Result<String, Fault> {
    let name = Path::new(text).file_name().and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| Fault::invalid("from", format!("{text:?} names no command")))
}

/// `@scope/name@1.2.3` or `name==1.2.3`: the name, and the version where one is said.
fn packaged(text: &str, marks: &[char]) -> Result<Packaged, Fault> {
    let at = text
        .char_indices()
        .skip(1)
        .find(|(_, letter)| marks.contains(letter));
    let (name, rest) = at.map_or((text, ""), |(at, _)| text.split_at(at));
    let version = rest.trim_start_matches(marks);
    if name.is_empty() || name.starts_with('-') {
        return Err(Fault::invalid("from", format!("{text:?} is no package")));
    }
    let version = (!version.is_empty() && version != "latest").then(|| version.to_owned());
    Ok((name.to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::{choose, read};
    use crate::domain::fault::ErrorKind;

    const REGISTRY: &str = r#"{"version":"1.0.0","extensions":[],"agents":[
        {"id":"one","name":"One","version":"1.2.3","description":"x","license":"MIT","icon":"i.svg","distribution":{
            "binary":{"linux-x86_64":{"archive":"https://example.org/one-1.2.3.tar.gz","cmd":"./bin/one","args":["acp"],"env":{"A":"1"}},
                      "windows-x86_64":{"archive":"https://example.org/one.zip","cmd":"one.exe"}},
            "npx":{"package":"@scope/one@1.2.4","args":["--acp"]}}},
        {"id":"two","name":"Two","version":"0.1.0","distribution":{"npx":{"package":"@scope/two@0.2.0","args":["--acp"]}}},
        {"id":"three","name":"Three","version":"3.0.0","distribution":{"uvx":{"package":"three-agent==3.0.1"}}},
        {"id":"four","name":"Four","version":"4.0.0","distribution":{"binary":{"windows-x86_64":{"archive":"https://example.org/4.zip","cmd":"4.exe"}}}}]}"#;

    #[test]
    fn every_way_of_the_registry_becomes_one_of_ours() {
        let entries = read(REGISTRY.as_bytes()).expect("a registry");
        let made = |id: &str, platform: &str| {
            let entry = choose(&entries, &[id.to_owned()]).expect(id)[0];
            entry.definition(None, platform)
        };
        let one = made("one", "linux-x86_64").expect("a definition");
        assert_eq!(
            (one.launch.command.as_str(), one.launch.args.as_slice()),
            ("one", &["acp".to_owned()][..])
        );
        assert_eq!(one.version.as_deref(), Some("1.2.3"));
        assert_eq!(
            one.distribution.archive["linux-x86_64"].program.as_deref(),
            Some("bin/one")
        );
        assert_eq!(one.launch.env["A"], "1");
        // Where there is no binary the package is taken, with its own arguments and version.
        let one = made("one", "linux-aarch64").expect("a definition");
        assert_eq!(
            (one.launch.args[0].as_str(), one.version.as_deref()),
            ("--acp", Some("1.2.4"))
        );
        assert!(one.distribution.archive.is_empty());
        let two = made("two", "linux-x86_64").expect("a definition");
        assert_eq!(
            two.distribution
                .npm
                .as_ref()
                .map(|one| one.package.as_str()),
            Some("@scope/two")
        );
        assert_eq!(
            (two.launch.command.as_str(), two.version.as_deref()),
            ("two", Some("0.2.0"))
        );
        let three = made("three", "linux-x86_64").expect("a definition");
        assert_eq!(
            three
                .distribution
                .pypi
                .as_ref()
                .map(|one| one.package.as_str()),
            Some("three-agent")
        );
        assert_eq!(
            (three.launch.command.as_str(), three.version.as_deref()),
            ("three-agent", Some("3.0.1"))
        );
        assert_eq!(
            made("four", "linux-x86_64").expect_err("none").kind,
            ErrorKind::ArtifactMissing
        );
    }

    #[test]
    fn what_is_no_registry_is_said_and_several_want_a_choice() {
        for text in ["", "[]", "{}", "{\"agents\":[{}]}", "<html>"] {
            assert_eq!(
                read(text.as_bytes()).expect_err(text).kind,
                ErrorKind::InvalidParams,
                "{text}"
            );
        }
        let entries = read(REGISTRY.as_bytes()).expect("a registry");
        let fault = choose(&entries, &[]).expect_err("which");
        assert!(
            fault
                .hint
                .expect("a hint")
                .contains("one, two, three, four")
        );
        let fault = choose(&entries, &["twoo".to_owned()]).expect_err("none");
        assert!(fault.hint.expect("a hint").contains("\"two\""));
        let one =
            r#"{"id":"../x","name":"X","version":"1.0.0","distribution":{"npx":{"package":"x"}}}"#;
        let entries = read(one.as_bytes()).expect("an agent");
        let only = choose(&entries, &[]).expect("the only one")[0];
        only.definition(None, "linux-x86_64")
            .expect_err("a path is no id");
    }
}
