//! One section per kind of fact; empty where there is none.

use super::super::{
    prompt::Prompt,
    survey::{Findings, Match, plain},
};
use std::fmt::Write as _;

/// What the words of the prompt were found in.
pub(super) fn matches(prompt: &Prompt, findings: &Findings) -> String {
    if prompt.words.is_empty() {
        return String::new();
    }
    let words: Vec<String> = prompt
        .words
        .iter()
        .map(|word| format!("`{}`", plain(&word.shown, 60)))
        .collect();
    let mut text = format!(
        "## Where the words of the prompt occur\n\nSearched for {}.",
        words.join(", ")
    );
    if findings.matches.is_empty() {
        text.push_str(" None of them occurs in a file name or a text file that was read.");
        return text;
    }
    if !findings.missing.is_empty() {
        write(
            &mut text,
            format_args!(
                " Not among the best files: {}.",
                findings.missing.join(", ")
            ),
        );
    }
    text.push('\n');
    for found in &findings.matches {
        write(
            &mut text,
            format_args!("\n- `{}` ({})", found.path, counts(found)),
        );
        for (number, line) in &found.lines {
            write(
                &mut text,
                format_args!("\n  - {}:{number}: {line}", found.path),
            );
        }
    }
    text
}

fn counts(found: &Match) -> String {
    let words: Vec<String> = found
        .words
        .iter()
        .map(|(word, count, in_path)| match (count, in_path) {
            (0, _) => format!("{word} in its path"),
            (count, true) => format!("{word} ×{count} and in its path"),
            (count, false) => format!("{word} ×{count}"),
        })
        .collect();
    let words = words.join(", ");
    match found.length {
        0 => words,
        length => format!("{} lines; {words}", number(length)),
    }
}

/// What the project says of itself.
pub(super) fn about(findings: &Findings) -> String {
    let mut text = format!("## The project: {}", findings.name);
    if let Some(description) = &findings.manifests.description {
        write(
            &mut text,
            format_args!("\n\nIts manifest says: {description}"),
        );
    }
    if let Some(readme) = &findings.readme {
        write(
            &mut text,
            format_args!("\n\n{} begins: {}", readme.path, readme.paragraph),
        );
    }
    write(
        &mut text,
        format_args!(
            "\n\n{} files, {}.",
            number(findings.tree.files),
            bytes(findings.tree.bytes)
        ),
    );
    let folders: Vec<String> = findings
        .tree
        .folders
        .iter()
        .take(8)
        .map(|(folder, files)| format!("`{}/` ({})", plain(folder, 60), number(*files)))
        .collect();
    if !folders.is_empty() {
        write(
            &mut text,
            format_args!(" Largest directories: {}.", folders.join(", ")),
        );
    }
    text
}

pub(super) fn languages(findings: &Findings, asked: bool) -> String {
    let take = if asked { 30 } else { 6 };
    list(
        "Languages",
        findings
            .tree
            .languages
            .iter()
            .take(take)
            .map(|(name, files, lines)| {
                format!("{name}: {} files, {} lines", number(*files), number(*lines))
            }),
        asked.then_some("no file of a known language was found"),
    )
}

pub(super) fn entries(findings: &Findings, asked: bool) -> String {
    let take = if asked { 24 } else { 8 };
    list(
        "Entry points",
        findings
            .manifests
            .entries
            .iter()
            .take(take)
            .map(|entry| format!("`{}`: {}", entry.path, entry.what)),
        asked.then_some("no manifest declares one and no file has the name of one"),
    )
}

pub(super) fn commands(findings: &Findings, asked: bool) -> String {
    let take = if asked { 24 } else { 8 };
    list(
        "Commands, inferred from manifests and not run",
        findings
            .manifests
            .commands
            .iter()
            .take(take)
            .map(|command| format!("{}: `{}` ({})", command.purpose, command.line, command.from)),
        asked.then_some("no manifest was found that gives rise to one"),
    )
}

pub(super) fn notes(findings: &Findings, asked: bool) -> String {
    let take = if asked { 60 } else { 5 };
    let notes = &findings.notes;
    let mut text = list(
        &format!("TODO, FIXME, HACK, XXX: {}", number(notes.total)),
        notes
            .kept
            .iter()
            .take(take)
            .map(|note| format!("{}:{}: {}", plain(&note.path, 300), note.line, note.text)),
        asked.then_some("no comment has such a mark"),
    );
    let shown = notes.kept.len().min(take);
    if notes.total > shown && shown > 0 {
        write(
            &mut text,
            format_args!("\n- and {} more", number(notes.total - shown)),
        );
    }
    text
}

pub(super) fn git(findings: &Findings, asked: bool) -> String {
    let lines = findings.git.iter().flat_map(|git| {
        let branch = git
            .branch
            .as_ref()
            .map(|branch| format!("branch `{branch}`"));
        let detached = git
            .detached
            .as_ref()
            .map(|commit| format!("HEAD is detached at {commit}"));
        let recent = git
            .recent
            .iter()
            .map(|message| format!("HEAD moved by: {message}"));
        branch.into_iter().chain(detached).chain(recent)
    });
    list(
        "Git",
        lines,
        asked.then_some("no `.git` was found in this directory"),
    )
}

/// What was not looked at, and how long it took.
pub(super) fn bounds(findings: &Findings) -> String {
    let mut text = format!("Surveyed in {} ms.", findings.took_ms);
    if let Some(cut) = &findings.cut {
        write(
            &mut text,
            format_args!(" The survey ended {cut}; there is more than it saw."),
        );
    }
    if findings.tree.unreadable > 0 {
        write(
            &mut text,
            format_args!(
                " {} entries could not be read.",
                number(findings.tree.unreadable)
            ),
        );
    }
    if findings.tree.links > 0 {
        write(
            &mut text,
            format_args!(
                " {} symbolic links were not followed.",
                number(findings.tree.links)
            ),
        );
    }
    text.push_str(" Hidden and ignored files, dependencies, build output, binaries and files over 1 MiB were not read.");
    text
}

fn list(title: &str, lines: impl Iterator<Item = String>, none: Option<&str>) -> String {
    let lines: Vec<String> = lines.map(|line| format!("- {line}")).collect();
    match (lines.is_empty(), none) {
        (true, None) => String::new(),
        (true, Some(none)) => format!("## {title}\n\nNone: {none}."),
        (false, _) => format!("## {title}\n\n{}", lines.join("\n")),
    }
}

/// With commas between thousands.
pub(in super::super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{} KiB", count >> 10),
        _ => format!("{}.{} MiB", count >> 20, ((count & 0xf_ffff) * 10) >> 20),
    }
}

/// Writing to a string cannot fail.
fn write(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::{bytes, number};

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [number(0), number(999), number(1000), number(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [bytes(9), bytes(2048), bytes(1_572_864)],
            ["9 bytes", "2 KiB", "1.5 MiB"]
        );
    }
}
