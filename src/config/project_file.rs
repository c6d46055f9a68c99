//! `.eyas.toml` of a project, as it is found. Whether it counts is not decided here: it comes with the project, so anybody may have written
//! it.

use crate::{domain::project_file::ProjectFile, stdx::beneath};
use rustix::io::Errno;
use std::{io, path::Path};

/// Its name, in the root of a project.
pub const PROJECT_FILE: &str = ".eyas.toml";

/// More than anybody writes by hand.
const MAX_BYTES: u64 = 64 * 1024;

/// A file that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    pub file: ProjectFile,
    /// As it stands there: what a person trusts is this text and no other.
    pub text: String,
}

/// The file of the project at `root`; `None` when there is none.
///
/// # Errors
/// Why it cannot be read, in words that quote nothing of it but names of ours: a link, too large, no text, no TOML, an unknown name, a value
/// that cannot be meant.
pub fn read(root: &Path) -> Result<Option<FoundFile>, String> {
    let bytes = match beneath::read(root, Path::new(PROJECT_FILE), MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => return absent(&error),
    };
    let text = String::from_utf8(bytes).map_err(|_bytes| "it is not UTF-8".to_owned())?;
    let file = parse(&text)?;
    Ok(Some(FoundFile { file, text }))
}

fn absent(error: &io::Error) -> Result<Option<FoundFile>, String> {
    if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return Err("it is a link, and links are not followed".to_owned());
    }
    let kind = error.kind();
    if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
        Ok(None)
    } else if kind == io::ErrorKind::InvalidInput {
        Err("it is not a regular file".to_owned())
    } else if kind == io::ErrorKind::FileTooLarge {
        Err(format!("it has more than {MAX_BYTES} bytes"))
    } else {
        Err(error.to_string())
    }
}

fn parse(text: &str) -> Result<ProjectFile, String> {
    let file: ProjectFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| {
            let before = text.get(..span.start).unwrap_or_default();
            format!("line {}: ", before.matches('\n').count() + 1)
        });
        format!(
            "{}{}",
            line.unwrap_or_default(),
            first_line(error.message())
        )
    })?;
    check(&file)?;
    Ok(file)
}

/// Names that the parser quotes are the file's own words, and as long as it likes.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn check(file: &ProjectFile) -> Result<(), String> {
    for (key, word) in [("persona", &file.persona), ("agent", &file.agent)] {
        if word.as_ref().is_some_and(|word| !is_word(word)) {
            return Err(format!("`{key}` must be 1 to 128 bytes of plain text"));
        }
    }
    if file.max_concurrent == Some(0) {
        return Err("`max_concurrent` must be above 0".to_owned());
    }
    if file.environment.len() > 64 || !file.environment.iter().all(|name| is_variable(name)) {
        return Err("`environment` holds at most 64 names, of letters, digits and _".to_owned());
    }
    let commands = &file.setup.commands;
    let runs = |command: &Vec<String>| {
        command.first().is_some_and(|program| !program.is_empty())
            && !command.iter().any(|word| word.contains('\0'))
    };
    if commands.len() > 32 || !commands.iter().all(runs) {
        return Err(
            "`setup.commands` holds at most 32 commands, each a program and its arguments"
                .to_owned(),
        );
    }
    Ok(())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && !text.chars().any(char::is_control)
}

/// No pattern: who trusts a file should see in it what agents see.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 128
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

#[cfg(test)]
mod tests {
    use super::{PROJECT_FILE, parse, read};
    use crate::domain::project_file::ProjectFile;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_whole_file_is_read() {
        let text = "persona = 'reviewer'\nagent = 'claude-code'\nmode = 'cold'\nmax_concurrent = 2\nenvironment = ['NPM_TOKEN']\n\
            [policy]\nsecurity = 'deny'\nask = 'off'\nask_timeout_ms = 5\n[setup]\ncommands = [['npm', 'ci'], ['make']]\n";
        let file = parse(text).expect("it is right");
        assert_eq!(file.persona.as_deref(), Some("reviewer"));
        assert_eq!(file.setup.commands.len(), 2);
        assert_eq!(parse("").expect("nothing is said"), ProjectFile::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_few_words() {
        let long = format!("{} = 1", "x".repeat(9_000));
        for bad in [
            "persona = ''",
            "persona = 3",
            "max_concurrent = 0",
            "environment = ['*']",
            "environment = ['A=b']",
            "setup.commands = [[]]",
            "setup.commands = [['']]",
            "setup.commands = ['make']",
            "unknown = 1",
            "policy.unknown = 1",
            "policy.security = 'none'",
            "= 3",
            "\n\npersona = [\n",
            &long,
        ] {
            let why = parse(bad).expect_err(bad);
            assert!(why.len() < 300 && !why.contains('\n'), "{why}");
        }
        assert!(
            parse("\n\nunknown = 1")
                .expect_err("a slip")
                .contains("line 3")
        );
    }

    #[test]
    fn only_a_regular_file_of_the_project_itself_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, file) = (folder.path(), folder.path().join(PROJECT_FILE));
        assert_eq!(read(root), Ok(None));
        assert_eq!(read(&root.join("absent")), Ok(None));
        fs::write(root.join("elsewhere"), "persona = 'a'").expect("a file");
        symlink(root.join("elsewhere"), &file).expect("a link");
        assert!(read(root).expect_err("a link").contains("link"));
        fs::remove_file(&file).expect("ours");
        fs::create_dir(&file).expect("a folder");
        assert!(read(root).is_err());
        fs::remove_dir(&file).expect("ours");
        fs::write(&file, "#".repeat(64 * 1024)).expect("a file");
        assert!(read(root).is_ok());
        fs::write(&file, "#".repeat(64 * 1024 + 1)).expect("a file");
        assert!(read(root).is_err());
        fs::write(&file, b"\xff").expect("a file");
        assert!(read(root).is_err());
    }
}
