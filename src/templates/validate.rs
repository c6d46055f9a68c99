//! What a persona may be.

use super::rules;
use crate::domain::{
    fault::{ErrorKind, Fault},
    persona::Persona,
    slug,
};

/// The longest system prompt, in bytes.
pub const MAX_PROMPT: usize = 64 * 1024;
const MAX_DESCRIPTION: usize = 8 * 1024;
const MAX_LINE: usize = 256;
const MAX_SEED: usize = 2 * 1024;
const MAX_ENTRIES: usize = 100;
const MAX_TEMPLATES: usize = 16;
const MAX_FILE_NAME: usize = 64;

/// Checks every field of a persona.
///
/// # Errors
/// `required_field`, `invalid_params` or `too_large`, naming the first field that breaks a rule.
pub fn persona(persona: &Persona) -> Result<(), Fault> {
    slug::check("id", &persona.id)?;
    required("name", &persona.name)?;
    required("description", &persona.description)?;
    line("name", &persona.name)?;
    line("role", &persona.role)?;
    line("category", &persona.category)?;
    // Before the description, which may be made from it.
    text("system_prompt", &persona.system_prompt, MAX_PROMPT)?;
    text("description", &persona.description, MAX_DESCRIPTION)?;
    for (field, value) in [
        ("icon", &persona.icon),
        ("model", &persona.model),
        ("agent", &persona.agent),
    ] {
        if let Some(value) = value {
            required(field, value)?;
            line(field, value)?;
        }
    }
    entries("traits", &persona.traits, MAX_LINE)?;
    entries("tools", &persona.tools, MAX_LINE)?;
    entries("memory_seeds", &persona.memory_seeds, MAX_SEED)?;
    if persona
        .temperature
        .is_some_and(|t| !(0.0..=1.0).contains(&t))
    {
        return Err(Fault::invalid("temperature", "must be from 0.0 to 1.0"));
    }
    if persona.max_tokens == Some(0) {
        return Err(Fault::invalid("max_tokens", "must be above 0"));
    }
    identity_templates(persona)
}

fn identity_templates(persona: &Persona) -> Result<(), Fault> {
    const FIELD: &str = "identity_templates";
    if persona.identity_templates.len() > MAX_TEMPLATES {
        return Err(Fault::invalid(
            FIELD,
            format!("has more than {MAX_TEMPLATES} files"),
        ));
    }
    let mut seen: Vec<String> = Vec::new();
    for (name, template) in &persona.identity_templates {
        file_name(FIELD, name)?;
        // Two names that differ in case are one file on some file systems.
        let folded = name.to_ascii_lowercase();
        let standard = super::identity::NAMES
            .iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        if seen.contains(&folded) || standard.is_some_and(|known| known != name) {
            return Err(Fault::invalid(
                FIELD,
                format!("has \"{name}\" in two spellings"),
            ));
        }
        seen.push(folded);
        rules::check(template)
            .map_err(|refused| Fault::invalid(FIELD, format!("of \"{name}\" {refused}")))?;
    }
    Ok(())
}

/// Checks the name of an identity file: a plain file name, `[A-Za-z0-9._-]`, not hidden, ending with `.md`, at most 64 bytes.
///
/// # Errors
/// `required_field` when empty, else `invalid_params`.
pub fn file_name(field: &str, name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::invalid(field, "has a file without a name"));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let good = name.len() <= MAX_FILE_NAME
        && name.bytes().all(plain)
        && !name.starts_with(['.', '-'])
        && name.as_bytes().ends_with(b".md");
    if good {
        return Ok(());
    }
    Err(Fault::invalid(field, "has a file name that cannot be taken").hint(
        "a plain name such as NOTES.md: letters, digits, dot, hyphen and underscore, at most 64, no folder, ending in .md",
    ))
}

fn required(field: &str, value: &str) -> Result<(), Fault> {
    if value.trim().is_empty() {
        return Err(Fault::required(field));
    }
    Ok(())
}

/// One line of text.
pub(crate) fn line(field: &str, value: &str) -> Result<(), Fault> {
    if value.chars().any(char::is_control) {
        return Err(Fault::invalid(
            field,
            "must be one line without control characters",
        ));
    }
    bound(field, value, MAX_LINE)
}

fn text(field: &str, value: &str, max: usize) -> Result<(), Fault> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if value.contains(control) {
        return Err(Fault::invalid(field, "holds a control character"));
    }
    bound(field, value, max)
}

fn bound(field: &str, value: &str, max: usize) -> Result<(), Fault> {
    if value.len() > max {
        let detail = format!(
            "`{field}` has {} bytes, at most {max} are taken",
            value.len()
        );
        return Err(Fault::new(ErrorKind::TooLarge, detail).field(field));
    }
    Ok(())
}

fn entries(field: &str, values: &[String], max: usize) -> Result<(), Fault> {
    if values.len() > MAX_ENTRIES {
        return Err(Fault::invalid(
            field,
            format!("has more than {MAX_ENTRIES} entries"),
        ));
    }
    for value in values {
        if value.trim().is_empty() {
            return Err(Fault::invalid(field, "has a blank entry"));
        }
        text(field, value, max)?;
    }
    Ok(())
}
