//! What a prompt wants: facts of some kind, or a change that the surveyor cannot make.

/// A kind of facts that a prompt asks for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Topic {
    Todos,
    Commands,
    EntryPoints,
    Languages,
    Git,
}

/// Verbs that ask for more than looking, when they lead a clause.
const CHANGES: &[&str] = &[
    "add",
    "apply",
    "build",
    "bump",
    "change",
    "clean",
    "commit",
    "convert",
    "correct",
    "create",
    "delete",
    "deploy",
    "draft",
    "edit",
    "execute",
    "extend",
    "extract",
    "fix",
    "generate",
    "implement",
    "improve",
    "install",
    "introduce",
    "make",
    "merge",
    "migrate",
    "modify",
    "move",
    "optimise",
    "optimize",
    "patch",
    "publish",
    "push",
    "rebase",
    "refactor",
    "remove",
    "rename",
    "replace",
    "resolve",
    "revert",
    "rewrite",
    "run",
    "simplify",
    "split",
    "test",
    "update",
    "upgrade",
    "write",
];

/// Words before the verb of a request that say nothing of it.
const POLITE: &[&str] = &[
    "a", "ahead", "also", "and", "can", "could", "first", "finally", "go", "help", "i", "just",
    "kindly", "let", "lets", "me", "must", "need", "next", "now", "please", "s", "should", "t",
    "task", "then", "to", "try", "us", "want", "we", "will", "would", "you", "your",
];

const TOPICS: &[(Topic, &[&str])] = &[
    (Topic::Todos, &["todo", "todos", "fixme", "fixmes"]),
    (
        Topic::Commands,
        &[
            "build", "compile", "run", "test", "tests", "testing", "lint", "install", "command",
            "commands", "script", "scripts",
        ],
    ),
    (
        Topic::EntryPoints,
        &[
            "entry",
            "entrypoint",
            "entrypoints",
            "binary",
            "binaries",
            "main",
            "start",
            "starts",
        ],
    ),
    (
        Topic::Languages,
        &[
            "language",
            "languages",
            "size",
            "sizes",
            "lines",
            "loc",
            "big",
            "large",
        ],
    ),
    (
        Topic::Git,
        &["git", "branch", "commit", "commits", "history"],
    ),
];

/// The topics of a prompt, in the order in which the report has them.
pub(super) fn topics(text: &str) -> Vec<Topic> {
    let words: Vec<String> = words(text).collect();
    TOPICS
        .iter()
        .filter(|(_, names)| words.iter().any(|word| names.contains(&word.as_str())))
        .map(|(topic, _)| *topic)
        .collect()
}

/// The verb of a change, where a clause begins with one: "fix the parser" asks for a change, "how do we fix it" and
/// "find what we add" do not.
pub(super) fn change(text: &str) -> Option<String> {
    text.split(['.', '!', '?', ';', ':', ',', '\n'])
        .flat_map(|clause| clause.split(" and "))
        .flat_map(|clause| clause.split(" then "))
        .find_map(|clause| {
            let verb = words(clause).find(|word| !POLITE.contains(&word.as_str()))?;
            CHANGES.contains(&verb.as_str()).then_some(verb)
        })
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{Topic, change, topics};

    #[test]
    fn a_change_is_told_from_a_question() {
        for (text, verb) in [
            ("Fix the parser", "fix"),
            ("Could you please implement retries?", "implement"),
            ("Look at the pool and then rewrite it", "rewrite"),
            ("1. read it\n2. \n- Write tests for it", "write"),
            ("I want you to rename x", "rename"),
        ] {
            assert_eq!(change(text).as_deref(), Some(verb), "{text}");
        }
        for text in [
            "How do I fix the parser?",
            "find where we add users",
            "Where is the build script",
            "Explain what writes the file",
            "",
            "???",
        ] {
            assert_eq!(change(text), None, "{text}");
        }
    }

    #[test]
    fn topics_are_named() {
        assert_eq!(topics("List all TODOs"), [Topic::Todos]);
        assert_eq!(
            topics("how do I run it, on which branch?"),
            [Topic::Commands, Topic::Git]
        );
        assert_eq!(topics("where is the lease renewed"), []);
    }
}
