//! Markdown with YAML front matter, kept as its author wrote it: where the parts lie, what the keys hold, and changing one key alone.

use crate::domain::fault::{ErrorKind, Fault};
use serde_json::{Map, Value};
use std::ops::Range;

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// A text and where its parts lie.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FrontMatter {
    text: String,
    front: Range<usize>,
    /// Where the body begins.
    body: usize,
    /// The keys in their order.
    pub(crate) keys: Map<String, Value>,
}

impl FrontMatter {
    /// Finds the parts and reads the keys. No fault quotes the text: it may be somebody's secret that was named by mistake.
    pub(crate) fn parse(text: String) -> Result<Self, Fault> {
        if text.len() > MAX_BYTES {
            let detail = format!(
                "the file has {} bytes, at most {MAX_BYTES} are read",
                text.len()
            );
            return Err(Fault::new(ErrorKind::TooLarge, detail).field("text"));
        }
        let (front, body) = parts(&text)?;
        let keys = read_keys(&text[front.clone()])?;
        Ok(Self {
            text,
            front,
            body,
            keys,
        })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The body with `\n` line ends, without blank lines around it.
    pub(crate) fn prompt(&self) -> String {
        prompt_of(&self.text[self.body..])
    }

    /// The text with some keys set (`Some`: YAML of the value) or removed, and the body replaced where one is given.
    pub(crate) fn with(&self, keys: &[(&str, Option<String>)], prompt: Option<&str>) -> String {
        let newline = if self.text[..self.front.start].ends_with("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let mut front = self.text[self.front.clone()].to_owned();
        for (key, value) in keys {
            let line = value
                .as_ref()
                .map(|value| format!("{key}: {value}{newline}"));
            replace(&mut front, key, line.as_deref().unwrap_or_default());
        }
        let close = &self.text[self.front.end..self.body];
        let body = &self.text[self.body..];
        let body = prompt.map_or_else(|| body.to_owned(), |prompt| rewrap(body, prompt, newline));
        let close_end = if close.ends_with('\n') || body.is_empty() {
            ""
        } else {
            newline
        };
        let head = &self.text[..self.front.start];
        format!("{head}{front}{close}{close_end}{body}")
    }
}

/// A prompt as it is compared and shown: `\n` line ends, no blank lines around it.
pub(crate) fn prompt_of(body: &str) -> String {
    body.replace("\r\n", "\n")
        .trim_start_matches('\n')
        .trim_end()
        .to_owned()
}

/// The new prompt between the blank lines of the old body.
fn rewrap(body: &str, prompt: &str, newline: &str) -> String {
    let lead = body.len() - body.trim_start_matches(['\r', '\n']).len();
    let trail = body.trim_end().len().max(lead);
    let end = if trail < body.len() {
        &body[trail..]
    } else {
        newline
    };
    let prompt = prompt.replace('\n', newline);
    format!("{}{prompt}{end}", &body[..lead])
}

fn parts(text: &str) -> Result<(Range<usize>, usize), Fault> {
    let absent = || {
        Fault::invalid("text", "has no front matter").hint(
            "the first line is `---`, then YAML with at least a `name`, then `---`, then the prompt",
        )
    };
    let bom = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut at = bom;
    let mut start = None;
    for line in text[bom..].split_inclusive('\n') {
        let fence = line.trim_end() == "---";
        match start {
            None if fence && line.ends_with('\n') => start = Some(at + line.len()),
            None => return Err(absent()),
            Some(start) if fence => return Ok((start..at, at + line.len())),
            Some(_) => {}
        }
        at += line.len();
    }
    Err(if start.is_some() {
        Fault::invalid(
            "text",
            "has front matter that is not closed by a line `---`",
        )
    } else {
        absent()
    })
}

fn read_keys(front: &str) -> Result<Map<String, Value>, Fault> {
    let blank = |line: &str| line.trim().is_empty() || line.starts_with('#');
    if front.lines().all(blank) {
        return Ok(Map::new());
    }
    yaml(front).or_else(|error| {
        // Sub-agent files in the wild hold sentences with colons, unquoted; their own reader takes them, so we do.
        yaml(&quote_sentences(front)).map_err(|_second| {
            let line = error.location().map_or(1, |location| location.line());
            let detail = format!(
                "has front matter that is not a YAML mapping (line {})",
                line + 1
            );
            Fault::invalid("text", detail)
        })
    })
}

fn yaml(front: &str) -> Result<Map<String, Value>, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_nodes: 20_000,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(front, options)
}

/// Puts top-level plain values that hold `: ` or ` #` into quotes.
fn quote_sentences(front: &str) -> String {
    let quoted = |line: &str| {
        let (key, value) = line.split_once(": ")?;
        let value = value.trim();
        let is_key = key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let plain = !value.starts_with([
            '"', '\'', '[', '{', '|', '>', '&', '*', '!', '#', '%', '@', '`',
        ]);
        let breaks = value.contains(": ") || value.contains(" #") || value.ends_with(':');
        (is_key && plain && breaks).then(|| format!("{key}: {}", Value::from(value)))
    };
    let lines = front
        .lines()
        .map(|line| quoted(line).unwrap_or_else(|| line.to_owned()));
    lines.map(|line| line + "\n").collect()
}

/// Replaces the lines of a top-level key, or adds them at the end.
fn replace(front: &mut String, key: &str, with: &str) {
    let mut at = 0;
    let mut block: Option<Range<usize>> = None;
    for line in front.split_inclusive('\n') {
        let next = at + line.len();
        let inside = line.starts_with([' ', '\t', '-', ']', '}']);
        let silent = line.trim().is_empty() || line.starts_with('#');
        match &mut block {
            None if opens(line, key) => block = Some(at..next),
            Some(block) if inside => block.end = next,
            Some(_) if !silent => break,
            Some(_) | None => {}
        }
        at = next;
    }
    if let Some(block) = block {
        front.replace_range(block, with);
    } else {
        if !front.is_empty() && !front.ends_with('\n') {
            front.push('\n');
        }
        front.push_str(with);
    }
}

fn opens(line: &str, key: &str) -> bool {
    let bare = line.strip_prefix(['"', '\'']).unwrap_or(line);
    let rest = bare.strip_prefix(key);
    let rest = rest.map(|rest| rest.strip_prefix(['"', '\'']).unwrap_or(rest));
    rest.is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with(':'))
}

/// A value in one line of YAML: plain where that is safe, else as JSON, which YAML contains.
pub(crate) fn yaml_of(value: &Value) -> String {
    let item = |item: &Value| word(item, " .");
    match value.as_array().filter(|items| !items.is_empty()) {
        Some(items) => format!(
            "[{}]",
            items.iter().map(item).collect::<Vec<_>>().join(", ")
        ),
        None => word(value, " .,/()'"),
    }
}

fn word(value: &Value, also: &str) -> String {
    let plain = value.as_str().filter(|text| is_plain(text, also));
    plain.map_or_else(|| value.to_string(), str::to_owned)
}

fn is_plain(text: &str, also: &str) -> bool {
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || also.contains(c))
        && !text.ends_with(' ')
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}
