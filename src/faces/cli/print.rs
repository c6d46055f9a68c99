//! The only place that prints. Text for people passes [`plain`] on its way out: an agent's words cannot move the cursor, rename the
//! window, or hide what they are.

use crate::{
    domain::fault::Fault,
    stdx::text::{is_obeyed, plain},
};
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{ErrorKind as IoErrorKind, Write, stderr, stdout},
};

/// Text for a person, to stdout, with a line end.
///
/// # Errors
/// `internal` when stdout cannot be written; a reader that went away is not an error.
pub fn out(text: &str) -> Result<(), Fault> {
    write(&mut stdout().lock(), &line(text))
}

/// Text for a person, to stderr. There is nobody to tell when that fails.
pub fn err(text: &str) {
    drop(write(&mut stderr().lock(), &line(text)));
}

/// Text as it is, to stdout: to a file untouched, to a terminal made harmless.
///
/// # Errors
/// As [`out`].
pub fn raw(text: &str, terminal: bool) -> Result<(), Fault> {
    let text = if terminal { &line(text) } else { text };
    write(&mut stdout().lock(), text)
}

/// An object of the API, to stdout. What a terminal would obey is escaped, which leaves the JSON's meaning as it is.
///
/// # Errors
/// As [`out`].
pub fn json<T: Serialize>(value: &T) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value).map_err(Fault::internal)?;
    let mut safe = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if letter != '\n' && is_obeyed(letter) {
            write!(safe, "\\u{:04x}", u32::from(letter)).map_err(Fault::internal)?;
        } else {
            safe.push(letter);
        }
    }
    safe.push('\n');
    write(&mut stdout().lock(), &safe)
}

/// A fault: in words to stderr, or as JSON to stdout.
pub fn fault(fault: &Fault, as_json: bool) {
    if as_json && json(fault).is_ok() {
        return;
    }
    err(&format!("error: {} ({})", fault.detail, fault.kind));
    if let Some(hint) = &fault.hint {
        err(&format!("hint: {}", as_command(hint)));
    }
}

/// Hints are the same on every face and name tools; here they are commands: `persona_list` is `eyas persona list`.
fn as_command(hint: &str) -> String {
    let mut hint = hint.to_owned();
    for noun in ["persona", "instance", "project", "run", "agent"] {
        for verb in ["list", "get", "create"] {
            hint = hint.replace(&format!("{noun}_{verb}"), &format!("eyas {noun} {verb}"));
        }
    }
    hint
}

/// Draws `text` over the last line of stderr. Only for a terminal.
pub fn redraw(text: &str) {
    drop(write(
        &mut stderr().lock(),
        &format!("\r\x1b[2K{}", plain(text)),
    ));
}

fn line(text: &str) -> String {
    let mut text = plain(text.trim_end());
    text.push('\n');
    text
}

fn write(to: &mut impl Write, text: &str) -> Result<(), Fault> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() != IoErrorKind::BrokenPipe => {
            Err(Fault::internal(format!("cannot write: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{as_command, plain};

    #[test]
    fn nothing_that_a_terminal_obeys_passes() {
        let hostile = "a\x1b]0;title\x07\x1b[2Jb\r\nc\td\u{9b}31m\u{202e}txt\x7f";
        let shown = plain(hostile);
        assert_eq!(
            shown,
            "a␛]0;title␇␛[2Jb\nc\td\u{fffd}31m\u{fffd}txt\u{fffd}"
        );
        assert!(
            shown
                .chars()
                .all(|c| c == '\n' || c == '\t' || !c.is_control())
        );
        assert_eq!(plain("déjà vu 鷹 🦅"), "déjà vu 鷹 🦅");
    }

    #[test]
    fn a_hint_names_commands() {
        assert_eq!(
            as_command("list them with persona_list"),
            "list them with eyas persona list"
        );
    }
}
