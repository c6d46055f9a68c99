//! Findings as text for people and models.

mod sections;

pub(super) use sections::number;

use super::{
    prompt::{Prompt, Topic},
    survey::{Findings, plain},
};

/// Whom the surveyor stands in for, where it does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stand {
    /// The persona's name.
    pub(super) persona: Option<String>,
    /// The agent that was preferred and is not installed.
    pub(super) instead_of: Option<String>,
    /// The command that installs it.
    pub(super) install: Option<String>,
}

/// The report, in sections: what was asked for by name comes first.
pub(super) fn sections(stand: &Stand, prompt: &Prompt, findings: &Findings) -> Vec<String> {
    let mut all = vec![who(stand, prompt), sections::matches(prompt, findings)];
    let mut asked: Vec<Topic> = prompt.topics.clone();
    let others = [
        Topic::Languages,
        Topic::EntryPoints,
        Topic::Commands,
        Topic::Todos,
        Topic::Git,
    ];
    asked.extend(others.iter().filter(|topic| !prompt.topics.contains(topic)));
    let (first, rest) = asked.split_at(prompt.topics.len());
    all.extend(first.iter().map(|topic| one(*topic, findings, true)));
    all.push(sections::about(findings));
    all.extend(rest.iter().map(|topic| one(*topic, findings, false)));
    all.push(sections::bounds(findings));
    all.retain(|section| !section.is_empty());
    all
}

fn one(topic: Topic, findings: &Findings, asked: bool) -> String {
    match topic {
        Topic::Languages => sections::languages(findings, asked),
        Topic::EntryPoints => sections::entries(findings, asked),
        Topic::Commands => sections::commands(findings, asked),
        Topic::Todos => sections::notes(findings, asked),
        Topic::Git => sections::git(findings, asked),
    }
}

/// Who speaks, and what it cannot do.
fn who(stand: &Stand, prompt: &Prompt) -> String {
    let mut parts = Vec::new();
    if let Some(persona) = &stand.persona {
        parts.push(format!("Working as {}.", plain(persona, 80)));
    }
    parts.push(
        "This is the surveyor, the agent inside Eyas: no model is behind it. It read the project and states only facts it \
         found; it judges nothing, changes nothing and runs nothing."
            .to_owned(),
    );
    if let Some(agent) = &stand.instead_of {
        parts.push(format!(
            "It stands in for \"{}\", which is not installed.",
            plain(agent, 60)
        ));
    }
    if let Some(command) = &stand.install {
        parts.push(format!("Install it with: `{}`", plain(command, 200)));
    }
    if let Some(verb) = &prompt.change {
        parts.push(format!(
            "\n\nThe prompt asks to {verb} something. That was not done; below is where such work would begin."
        ));
    }
    parts.join(" ")
}
