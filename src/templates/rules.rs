//! What a template may hold: fields, `if` and `each` with `else`, comments. The list of fields is closed.
//!
//! The text is scanned before any parser sees it: the language allowed here is smaller than Handlebars', so partials, decorators, helpers,
//! sub-expressions and raw blocks cannot be spelt in it, and nesting that would exhaust a recursive parser's stack is refused.

use handlebars::Template;
use std::fmt;

/// The longest template, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const MAX_DEPTH: usize = 16;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Flag,
    List,
}

/// Every field that a template may name. The rendering context has a value for each.
pub(crate) const FIELDS: &[(&str, Holds)] = &[
    ("has_persona", Holds::Flag),
    ("has_project", Holds::Flag),
    ("is_captain", Holds::Flag),
    ("is_commander", Holds::Flag),
    ("is_talon", Holds::Flag),
    ("instance.agent", Holds::Text),
    ("instance.display_name", Holds::Text),
    ("instance.id", Holds::Text),
    ("instance.model", Holds::Text),
    ("instance.name", Holds::Text),
    ("instance.parent", Holds::Text),
    ("instance.role", Holds::Text),
    ("instance.workspace", Holds::Text),
    ("persona.agent", Holds::Text),
    ("persona.category", Holds::Text),
    ("persona.description", Holds::Text),
    ("persona.hierarchy_role", Holds::Text),
    ("persona.icon", Holds::Text),
    ("persona.id", Holds::Text),
    ("persona.max_tokens", Holds::Text),
    ("persona.memory_seeds", Holds::List),
    ("persona.model", Holds::Text),
    ("persona.name", Holds::Text),
    ("persona.reasoning_level", Holds::Text),
    ("persona.role", Holds::Text),
    ("persona.system_prompt", Holds::Text),
    ("persona.temperature", Holds::Text),
    ("persona.tools", Holds::List),
    ("persona.traits", Holds::List),
    ("project.name", Holds::Text),
    ("project.path", Holds::Text),
    ("user.name", Holds::Text),
];

/// Why a template is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (line {line})")]
pub struct Refused {
    /// From 1.
    pub line: usize,
    /// Quotes nothing of the template.
    pub what: Why,
}

/// The rule that a template breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    TooLong,
    ControlCharacter,
    Escape,
    Unclosed,
    NotAllowed,
    UnknownField,
    ListOutsideEach,
    NotAList,
    Unbalanced,
    TooDeep,
    Malformed,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "is longer than 64 KiB",
            Self::ControlCharacter => "holds a control character",
            Self::Escape => "has a backslash before `{{`",
            Self::Unclosed => "has a tag that is not closed",
            Self::NotAllowed => "uses more than fields, `if`, `each` and `else`",
            Self::UnknownField => {
                "names a field that does not exist there; inside `each` there is only `this`"
            }
            Self::ListOutsideEach => "prints a list outside `each`",
            Self::NotAList => "walks what is not a list",
            Self::Unbalanced => "has blocks that do not pair",
            Self::TooDeep => "nests blocks deeper than 16",
            Self::Malformed => "is not a template",
        })
    }
}

/// Checks a template against the rules.
///
/// # Errors
/// The first rule that it breaks, and the line.
pub fn check(text: &str) -> Result<(), Refused> {
    let refused = |at: usize, what| Refused {
        line: text
            .get(..at)
            .map_or(1, |before| before.matches('\n').count() + 1),
        what,
    };
    if text.len() > MAX_BYTES {
        return Err(refused(0, Why::TooLong));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some(at) = text.find(control) {
        return Err(refused(at, Why::ControlCharacter));
    }
    let mut open = Blocks::default();
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|found| at + found) {
        if text[..start].ends_with('\\') {
            return Err(refused(start, Why::Escape));
        }
        let rest = &text[start..];
        let (skip, end) = if rest.starts_with("{{!--") {
            (5, "--}}")
        } else {
            (2, "}}")
        };
        let Some(close) = rest[skip..].find(end).map(|found| skip + found) else {
            return Err(refused(start, Why::Unclosed));
        };
        if !rest.starts_with("{{!") {
            open.tag(&rest[2..close])
                .map_err(|what| refused(start, what))?;
        }
        at = start + close + end.len();
    }
    if !open.0.is_empty() {
        return Err(refused(text.len(), Why::Unbalanced));
    }
    Template::compile(text).map(drop).map_err(|error| Refused {
        line: error.pos().map_or(1, |(line, _)| line),
        what: Why::Malformed,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    If,
    Each,
    /// Behind the `else` of an `each`, where the fields are those outside it.
    EachElse,
}

#[derive(Debug, Default)]
struct Blocks(Vec<Block>);

impl Blocks {
    fn tag(&mut self, tag: &str) -> Result<(), Why> {
        let tag = tag.strip_prefix('~').unwrap_or(tag);
        let tag = tag.strip_suffix('~').unwrap_or(tag);
        let mut words = tag.split_whitespace();
        match [words.next(), words.next(), words.next(), words.next()] {
            [Some("#if"), Some(field), None, None] => {
                self.holds(field)?;
                self.push(Block::If)
            }
            [Some("#each"), Some(field), None, None] => match self.holds(field)? {
                Holds::List => self.push(Block::Each),
                Holds::Text | Holds::Flag => Err(Why::NotAList),
            },
            [Some("else"), None, None, None] => self.otherwise(),
            [Some("else"), Some("if"), Some(field), None] => {
                self.otherwise()?;
                self.holds(field).map(drop)
            }
            [Some("/if"), None, None, None] => self.pop(&[Block::If]),
            [Some("/each"), None, None, None] => self.pop(&[Block::Each, Block::EachElse]),
            [Some(field), None, None, None] => match self.holds(field)? {
                Holds::Text | Holds::Flag => Ok(()),
                Holds::List => Err(Why::ListOutsideEach),
            },
            _ => Err(Why::NotAllowed),
        }
    }

    fn holds(&self, field: &str) -> Result<Holds, Why> {
        let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '.');
        if !field.chars().all(plain) {
            return Err(Why::NotAllowed);
        }
        if self.0.contains(&Block::Each) {
            return match field {
                "this" => Ok(Holds::Text),
                _ => Err(Why::UnknownField),
            };
        }
        let known = FIELDS.iter().find(|(name, _)| *name == field);
        known.map(|(_, holds)| *holds).ok_or(Why::UnknownField)
    }

    fn push(&mut self, block: Block) -> Result<(), Why> {
        if self.0.len() >= MAX_DEPTH {
            return Err(Why::TooDeep);
        }
        self.0.push(block);
        Ok(())
    }

    fn pop(&mut self, any_of: &[Block]) -> Result<(), Why> {
        match self.0.pop() {
            Some(block) if any_of.contains(&block) => Ok(()),
            Some(_) | None => Err(Why::Unbalanced),
        }
    }

    fn otherwise(&mut self) -> Result<(), Why> {
        let block = self.0.last_mut().ok_or(Why::Unbalanced)?;
        if *block == Block::Each {
            *block = Block::EachElse;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Why, check};

    #[test]
    fn fields_tests_lists_and_comments_are_taken() {
        for good in [
            "",
            "plain } text {",
            "{{persona.name}} {{~ user.name ~}}",
            "{{#if has_persona}}a{{else}}b{{/if}}",
            "{{#if has_persona}}a{{else if has_project}}b{{else}}c{{/if}}",
            "{{#each persona.traits}}- {{this}}{{#if this}}!{{/if}}{{else}}{{persona.id}}{{/each}}",
            "{{! don't (mind) [this] }}{{!-- {{> nor}} this --}}",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let deep = "{{#if has_persona}}".repeat(5_000);
        for (bad, why) in [
            ("{{> other}}", Why::NotAllowed),
            ("{{#> other}}{{/other}}", Why::NotAllowed),
            ("{{#*inline \"a\"}}x{{/inline}}", Why::NotAllowed),
            ("{{* decorate}}", Why::NotAllowed),
            ("{{{{raw}}}}x{{{{/raw}}}}", Why::NotAllowed),
            ("{{{persona.name}}}", Why::NotAllowed),
            ("{{&persona.name}}", Why::NotAllowed),
            ("{{lookup persona \"name\"}}", Why::NotAllowed),
            ("{{log \"x\"}}", Why::NotAllowed),
            ("{{#with persona}}{{name}}{{/with}}", Why::NotAllowed),
            ("{{#unless has_persona}}{{/unless}}", Why::NotAllowed),
            ("{{#if (eq a b)}}{{/if}}", Why::NotAllowed),
            ("{{@root.persona.name}}", Why::NotAllowed),
            (
                "{{#each persona.traits}}{{../user.name}}{{/each}}",
                Why::NotAllowed,
            ),
            (
                "{{#each persona.traits}}{{@index}}{{/each}}",
                Why::NotAllowed,
            ),
            (
                "{{#each persona.traits as |t|}}{{t}}{{/each}}",
                Why::NotAllowed,
            ),
            ("{{persona.[name]}}", Why::NotAllowed),
            (
                "{{#each persona.traits}}{{user.name}}{{/each}}",
                Why::UnknownField,
            ),
            ("{{persona.nmae}}", Why::UnknownField),
            ("{{#if persona.nmae}}{{/if}}", Why::UnknownField),
            ("{{persona}}", Why::UnknownField),
            ("{{this}}", Why::UnknownField),
            ("{{persona.traits}}", Why::ListOutsideEach),
            ("{{#each persona.name}}{{/each}}", Why::NotAList),
            ("\\{{persona.name}}", Why::Escape),
            ("{{persona.name", Why::Unclosed),
            ("{{!-- no end }}", Why::Unclosed),
            ("{{#if has_persona}}", Why::Unbalanced),
            ("{{/if}}", Why::Unbalanced),
            ("{{else}}", Why::Unbalanced),
            ("{{#if has_persona}}{{/each}}", Why::Unbalanced),
            ("a\0b", Why::ControlCharacter),
            (deep.as_str(), Why::TooLong),
            (&deep[..19 * 2_000], Why::TooDeep),
        ] {
            assert_eq!(check(bad).expect_err(bad).what, why, "{bad:.60}");
        }
        assert_eq!(check("\n\n{{> x}}").expect_err("a partial").line, 3);
    }
}
