//! What keeps git from starting anything that a repository names.

use super::{error::GitError, repository::Repository};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::Path,
};

/// More drivers than that is an attack on the environment's size.
const DRIVERS: usize = 500;

/// Configuration that wins over the repository's.
pub(in crate::workspace) const FIXED: &[(&str, &str)] = &[
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("sequence.editor", "false"),
    ("core.askPass", "false"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", "false"),
    ("core.alternateRefsCommand", "false"),
    ("credential.helper", ""),
    ("protocol.allow", "never"),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("merge.verifySignatures", "false"),
    ("gpg.program", "false"),
    ("gpg.openpgp.program", "false"),
    ("gpg.ssh.program", "false"),
    ("gpg.ssh.defaultKeyCommand", "false"),
    ("gpg.x509.program", "false"),
    ("diff.external", ""),
    // A submodule has a configuration of its own, which these values do not reach.
    ("submodule.recurse", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("status.submoduleSummary", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("rerere.enabled", "false"),
    // What is read by programs looks alike everywhere.
    ("color.ui", "false"),
    ("diff.noprefix", "false"),
    ("diff.mnemonicPrefix", "false"),
    ("diff.relative", "false"),
];

/// Which drivers the repository's configuration names; to read it starts nothing.
pub(in crate::workspace) const LIST_DRIVERS: &[&str] = &[
    "config",
    "-z",
    "--includes",
    "--name-only",
    "--get-regexp",
    r"^(filter|diff|merge|hook)\.",
];

/// The environment of a call to the repository itself.
pub(super) fn repository(repository: &Repository, root: &Path) -> Vec<(&'static str, OsString)> {
    environment(&repository.folder, root)
}

/// The environment of every call: nothing of the hub's own.
pub(in crate::workspace) fn environment(
    folder: &Path,
    root: &Path,
) -> Vec<(&'static str, OsString)> {
    let mut environment = surroundings();
    environment.push(("GIT_DIR", folder.into()));
    environment.push(("GIT_WORK_TREE", root.into()));
    environment
}

/// The same, where git finds the repository by itself.
pub(in crate::workspace) fn surroundings() -> Vec<(&'static str, OsString)> {
    [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_ALLOW_PROTOCOL", "none"),
        ("GIT_PROTOCOL_FROM_USER", "0"),
        ("GIT_MERGE_AUTOEDIT", "no"),
        ("GIT_PAGER", "cat"),
        ("GIT_EDITOR", "false"),
        ("GIT_SEQUENCE_EDITOR", "false"),
        ("GIT_ASKPASS", "false"),
        ("SSH_ASKPASS", "false"),
        ("GIT_SSH_COMMAND", "false"),
        // A `~` in a configuration must lead somewhere, or git refuses the whole of it.
        ("HOME", "/dev/null"),
        ("LC_ALL", "C"),
    ]
    .map(|(name, value)| (name, OsString::from(value)))
    .into()
}

/// Configuration that takes every driver's programs away, from what [`LIST_DRIVERS`] tells.
pub(in crate::workspace) fn drivers_off(
    listed: &[u8],
) -> Result<Vec<(OsString, OsString)>, GitError> {
    let mut drivers = BTreeSet::new();
    for key in listed.split(|byte| *byte == 0) {
        let first = key.iter().position(|byte| *byte == b'.');
        let last = key.iter().rposition(|byte| *byte == b'.');
        if let (Some(first), Some(last)) = (first, last)
            && first < last
        {
            drivers.insert(&key[..last]);
        }
    }
    if drivers.len() > DRIVERS {
        return Err(GitError::Failed {
            what: "config".to_owned(),
            detail: format!("the repository names {} drivers", drivers.len()),
        });
    }
    let mut off = Vec::new();
    for driver in drivers {
        let of = |names: &[(&str, &str)]| {
            names
                .iter()
                .map(|(name, value)| {
                    let mut key = driver.to_owned();
                    key.push(b'.');
                    key.extend_from_slice(name.as_bytes());
                    (OsString::from_vec(key), OsString::from(*value))
                })
                .collect::<Vec<_>>()
        };
        off.extend(if driver.starts_with(b"filter.") {
            of(&[
                ("clean", ""),
                ("smudge", ""),
                ("process", ""),
                ("required", "false"),
            ])
        } else if driver.starts_with(b"diff.") {
            of(&[
                ("command", ""),
                ("textconv", ""),
                ("cachetextconv", "false"),
            ])
        } else if driver.starts_with(b"merge.") {
            // A program that fails makes a conflict; an empty one would take our side in silence.
            of(&[("driver", "false")])
        } else {
            of(&[("enabled", "false"), ("command", "false")])
        });
    }
    Ok(off)
}

/// The arguments, with those that keep a subcommand from calling what a driver names.
pub(in crate::workspace) fn harmless<'a>(args: &[&'a str]) -> Vec<&'a OsStr> {
    let more: &[&str] = match args.first().copied().unwrap_or_default() {
        "diff" | "log" | "show" | "diff-tree" | "diff-index" | "diff-files" | "format-patch" => {
            &["--no-ext-diff", "--no-textconv", "--ignore-submodules=all"]
        }
        "status" => &["--ignore-submodules=all"],
        _ => &[],
    };
    args.iter()
        .take(1)
        .chain(more)
        .chain(args.iter().skip(1))
        .map(|word| OsStr::from_bytes(word.as_bytes()))
        .collect()
}
