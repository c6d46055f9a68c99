//! Where an agent's program is found: an absolute path, our own executable, or a name on PATH.

use super::definitions::OWN;
use crate::domain::{
    agent::AgentDefinition,
    fault::{ErrorKind, Fault},
};
use std::path::{Path, PathBuf};

/// Finds the program. `path` is the PATH to search, the caller's rather than the hub's: a hub that was started by a
/// login manager knows little of where a person installs things.
///
/// # Errors
/// `agent_not_found`, with the command that installs it.
pub fn resolve(
    definition: &AgentDefinition,
    path: Option<&str>,
    own_binary: &Path,
) -> Result<PathBuf, Fault> {
    let command = definition.launch.command.as_str();
    if command == OWN {
        return Ok(own_binary.to_owned());
    }
    if Path::new(command).is_absolute() {
        return which::which_in(command, None::<&str>, "/").map_err(|why| {
            missing(
                definition,
                &format!("{command} is not an executable file ({why})"),
            )
        });
    }
    if command.contains('/') {
        return Err(missing(
            definition,
            &format!("`{command}` is neither a name nor an absolute path"),
        ));
    }
    let folders = absolute_folders(path.unwrap_or_default());
    which::which_in(command, Some(folders), "/")
        .map_err(|why| missing(definition, &format!("`{command}` is not on PATH ({why})")))
}

/// PATH without its empty and relative entries: they would mean whatever directory the hub happens to run in.
fn absolute_folders(path: &str) -> String {
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .collect::<Vec<_>>()
        .join(":")
}

fn missing(definition: &AgentDefinition, why: &str) -> Fault {
    let fault = Fault::new(
        ErrorKind::AgentNotFound,
        format!("agent \"{}\" is not installed: {why}", definition.id),
    );
    match &definition.install {
        Some(command) => fault.hint(format!("install it with: {command}")),
        None => fault.hint("correct `launch.command` in its definition, or add its folder to PATH"),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::{
        agents::definitions::Registry,
        domain::{agent::AgentDefinition, fault::ErrorKind},
    };
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    fn definition(command: &str) -> AgentDefinition {
        let registry = Registry::load(Path::new("/nowhere"), Path::new("/own"));
        let mut definition = registry.get("opencode").unwrap().clone();
        definition.launch.command = command.to_owned();
        definition
    }

    #[test]
    fn a_name_is_searched_on_the_path_given_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("hawk");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        let own = Path::new("/own");
        let path = format!(":relative:{}", dir.path().display());
        let found = |command: &str, path: Option<&str>| resolve(&definition(command), path, own);

        let fault = found("hawk", Some(&path)).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::AgentNotFound);
        assert!(fault.hint.unwrap().contains("npm install"));

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
}
