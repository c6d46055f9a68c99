//! `agent.env_file`: a person's file of values, for runs that nobody's terminal is behind.

use super::Values;
use crate::domain::fault::{ErrorKind, Fault};
use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// More than any list of keys needs.
const MAX_BYTES: u64 = 256 * 1024;

/// Reads `KEY=value` lines. Blank lines and lines that begin with `#` are passed over, `export ` before a name too; a
/// value in matching quotes loses them. Nothing is expanded.
///
/// # Errors
/// `invalid_params` when the file cannot be read, is another's, can be read by others, or has a line of another kind
/// (named by its number; its text may be a secret).
pub fn read_file(path: &Path) -> Result<Values, Fault> {
    let fault = |detail: String| {
        Fault::new(
            ErrorKind::InvalidParams,
            format!("agent.env_file {} {detail}", path.display()),
        )
        .field("agent.env_file")
    };
    let unreadable = |error: std::io::Error| fault(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    // Of the open file, not of the path: what is checked is what is read.
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(fault("is not a file".to_owned()));
    }
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(fault(format!("can be used by others (mode {mode:04o})"))
            .hint(format!("chmod 600 {}", path.display())));
    }
    let us = rustix::process::geteuid().as_raw();
    if about.uid() != us && us != 0 {
        return Err(fault("belongs to another user".to_owned()));
    }
    let mut text = String::new();
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(fault(format!("is larger than {MAX_BYTES} bytes")));
    }
    parse(&text).map_err(|line| fault(format!("line {line} is not KEY=value")))
}

/// The values, or the number of the first line that has none.
fn parse(text: &str) -> Result<Values, usize> {
    let mut values = Values::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(index + 1)?;
        let name = name.trim();
        if !is_name(name) {
            return Err(index + 1);
        }
        values.insert(name.to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(values)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::{parse, read_file};
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[test]
    fn lines_are_names_and_values() {
        let text = "# keys\n\nA=1\nexport B = \"two words\"\nC='x=y'\nD=\nE=\"\n  F=it's \r\n";
        let values = parse(text).unwrap();
        let seen: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "x=y"),
                ("D", ""),
                ("E", "\""),
                ("F", "it's")
            ]
        );
        assert_eq!(parse("A=1\nsk-secret\n"), Err(2));
        assert_eq!(parse("1A=1"), Err(1));
        assert_eq!(parse("=1"), Err(1));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_and_nothing_of_it_is_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        fs::write(&path, "A=1\nsk-secret").unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(read_file(&path).unwrap_err().hint.is_some());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let fault = read_file(&path).unwrap_err();
        assert!(fault.detail.contains("line 2") && !fault.detail.contains("sk-"));
        fs::write(&path, "A=1").unwrap();
        assert_eq!(read_file(&path).unwrap().len(), 1);
        assert!(read_file(dir.path()).is_err());
        assert!(read_file(&dir.path().join("none")).is_err());
    }
}
