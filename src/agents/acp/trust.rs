//! What an agent leaves out in a directory that it does not trust: its context files, our tools. It says so at most on stderr, or asks before
//! anybody has put a prompt. That is reported, and never answered: whom a directory may command is for a person to say.

use super::link::Link;
use crate::stdx::text::head;
use regex::Regex;
use std::sync::LazyLock;

/// Bytes of a line that are told.
const SAID: usize = 300;

static WANTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let place = "(folder|workspace|director(y|ies)|project)";
    let forms = format!(
        r"(?i)(\buntrusted\s+{place}|\b{place}\s+(is|was)\s+(not|un)\s*trusted|\bnot\s+(yet\s+)?trusted\b.*{place}|\btrust\s+(this|the)\s+{place}|\b{place}\b.*\bnot\s+trusted\b)"
    );
    Regex::new(&forms).ok()
});

impl Link {
    /// What the agent said of trust that it lacks, or asked while no turn was under way.
    #[must_use]
    pub fn trust_wanted(&self) -> Option<String> {
        let asked = self
            .asked_for_nothing()
            .map(|title| format!("it asked \"{}\" before any prompt", head(&title, SAID)));
        asked.or_else(|| line(&self.process().stderr_tail()))
    }
}

fn line(stderr: &str) -> Option<String> {
    let wanted = WANTED.as_ref()?;
    let line = stderr.lines().rev().find(|line| wanted.is_match(line))?;
    Some(head(line.trim(), SAID).to_owned())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_is_said_of_trust_is_told_from_the_rest() {
        for said in [
            "WARN: Skipping project agents due to untrusted folder. To enable, trust it.",
            "This folder is not trusted: context files are ignored",
            "Do you trust this workspace?",
            "the directory /p is not trusted",
            "not yet trusted: the project",
        ] {
            let stderr = format!("hello\n{said}\nbye\n");
            assert_eq!(line(&stderr).as_deref(), Some(said));
        }
        for other in [
            "loaded trusted_folders.toml",
            "trusting the model with this",
            "certificate is not trusted",
            "",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }
}
