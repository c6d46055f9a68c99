//! The private files of one turn, and the command that names them. All are gone with the turn.

use super::{
    handle::{Inner, Next},
    tools,
};
use crate::{
    agents::{
        acp::Opening,
        badge::Badge,
        definitions::{overlay, told_by_turn},
        process::Command,
    },
    domain::{
        fault::{ErrorKind, Fault},
        policy::Policy,
        turn_form::{PROMPT, PromptBy, Values},
    },
    stdx::{atomic, scratch::Scratch},
};
use std::io;

/// For its owner alone.
const MODE: u32 = 0o600;

/// The folder of a turn's files; removed with all it holds when dropped.
#[derive(Debug)]
pub(super) struct Papers(Scratch);

impl Papers {
    /// Writes a file of this name, and answers its path.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<String> {
        let path = self.0.path().join(name);
        atomic::write(&path, bytes, MODE)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// All that a turn's process needs.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) command: Command,
    /// What it reads on its standard input.
    pub(super) input: Option<String>,
    pub(super) badge: Option<Badge>,
    /// Held until the process has ended.
    pub(super) papers: Papers,
}

/// Writes the files of a turn and makes up its command. Blocks as long as the disk does.
pub(super) fn prepare(
    inner: &Inner,
    next: &Next,
    opening: &Opening,
    policy: &Policy,
    prompt: String,
) -> Result<Prepared, Fault> {
    let (launch, form) = (&inner.launch, &inner.form);
    if prompt.len() > PROMPT {
        let detail = format!(
            "a prompt of {} bytes; at most {PROMPT} are put",
            prompt.len()
        );
        return Err(Fault::new(ErrorKind::TooLarge, detail));
    }
    let security = told_by_turn(policy);
    let mut env = launch.env.clone();
    if let Some(told) = form.policy.under(security) {
        overlay(&mut env, &told.env);
    }
    let papers = Papers(inner.launcher.folder().map_err(Fault::internal)?);
    let given = tools::give(launch, form, opening.reporting, &papers, &mut env);
    let given = given.map_err(Fault::internal)?;
    let persona = opening.persona.as_deref();
    let persona_file = persona
        .filter(|_| form.names("persona_file"))
        .map(|persona| papers.write("persona.md", persona.as_bytes()))
        .transpose()
        .map_err(Fault::internal)?;
    let prompt_file = (form.prompt == PromptBy::File)
        .then(|| papers.write("prompt.md", prompt.as_bytes()))
        .transpose()
        .map_err(Fault::internal)?;
    let cwd = opening.cwd.to_string_lossy();
    let values = Values {
        prompt: (form.prompt == PromptBy::Argument).then_some(prompt.as_str()),
        prompt_file: prompt_file.as_deref(),
        model: opening.model.as_deref().filter(|model| !model.is_empty()),
        persona,
        persona_file: persona_file.as_deref(),
        cwd: Some(&cwd),
        tools: given.name.as_deref(),
        tools_file: given.file.as_deref(),
        security,
        more: &given.args,
    };
    let mut args = launch.definition.launch.args.clone();
    args.extend(form.arguments(next.turn(), &values)?);
    Ok(Prepared {
        command: Command {
            agent: launch.definition.id.clone(),
            program: launch.program.clone(),
            args,
            env,
            cwd: opening.cwd.clone(),
        },
        input: (form.prompt == PromptBy::Stdin).then_some(prompt),
        badge: given.badge,
        papers,
    })
}
