//! Definitions taken from a registry.

use super::verbs::AgentVerbs;
use crate::{
    agents::{
        definitions::{self, listed},
        sources,
    },
    api::agent::AgentAdd,
    domain::{
        agent::{AgentDefinition, AgentSource},
        fault::{ErrorKind, Fault},
    },
    hub::rights::on_disk,
    stdx::atomic,
};
use std::{fs::File, io::Read as _, path::Path};

/// Of a registry.
const MOST: usize = 8 << 20;

/// Writes the definitions that are asked for, and answers their ids. All of them are made before the first is written.
pub(super) async fn add(verbs: &AgentVerbs, params: AgentAdd) -> Result<Vec<String>, Fault> {
    let text = text(verbs, &params.from).await?;
    let entries = listed::read(&text)?;
    let registry = verbs.desk.registry();
    let platform = sources::platform();
    let chosen = listed::choose(&entries, &params.ids)?;
    let mut made = Vec::new();
    for entry in chosen {
        let mut known = registry.all().iter().map(AsRef::as_ref);
        let known: Option<&AgentDefinition> = known.find(|one| one.id == entry.id);
        if known.is_some_and(|one| one.source == AgentSource::User) && !params.replace {
            let detail = format!("you have a definition of agent \"{}\" already", entry.id);
            return Err(Fault::new(ErrorKind::NameExists, detail).hint("`replace` writes over it"));
        }
        made.push(entry.definition(known, &platform)?);
    }
    let folder = verbs.settings.agents_dir.clone();
    on_disk(move || write(&folder, &made)).await
}

fn write(folder: &Path, made: &[AgentDefinition]) -> Result<Vec<String>, Fault> {
    let unwritable = |error: std::io::Error| {
        Fault::new(
            ErrorKind::InvalidParams,
            format!("{} cannot be written: {error}", folder.display()),
        )
    };
    let texts = made
        .iter()
        .map(|definition| {
            definitions::written(definition).map(|text| (definition.id.clone(), text))
        })
        .collect::<Result<Vec<_>, _>>()?;
    atomic::private_dir(folder).map_err(unwritable)?;
    for (id, text) in &texts {
        atomic::write(&folder.join(format!("{id}.toml")), text.as_bytes(), 0o600)
            .map_err(unwritable)?;
    }
    Ok(texts.into_iter().map(|(id, _)| id).collect())
}

async fn text(verbs: &AgentVerbs, from: &str) -> Result<Vec<u8>, Fault> {
    if from.starts_with("http://") || from.starts_with("https://") {
        let (text, _) = verbs.fetcher()?.small(from, &[], MOST).await?;
        return Ok(text);
    }
    let path = Path::new(from).to_owned();
    if !path.is_absolute() {
        return Err(Fault::invalid(
            "from",
            "must be an absolute path, or an address that begins with https://",
        ));
    }
    on_disk(move || {
        let mut text = Vec::new();
        let limit = u64::try_from(MOST).unwrap_or(u64::MAX);
        let read = File::open(&path).and_then(|file| file.take(limit + 1).read_to_end(&mut text));
        read.map_err(|error| {
            Fault::invalid(
                "from",
                format!("{} cannot be read: {error}", path.display()),
            )
        })?;
        if text.len() > MOST {
            return Err(Fault::new(
                ErrorKind::TooLarge,
                format!("{} is larger than {MOST} bytes", path.display()),
            ));
        }
        Ok(text)
    })
    .await
}
