//! `.gitignore`, in the simple way: good enough to keep build output out of a survey.

use regex::RegexSet;

/// Directories that nobody asks about, ignored or not.
const SKIPPED: &[&str] = &[
    "target",
    "node_modules",
    "vendor",
    "__pycache__",
    "venv",
    "bower_components",
    "Pods",
];

/// More rules than this in one file are not looked at.
const MAX_RULES: usize = 500;

/// Whether an entry is never looked at: hidden, or a directory of others' code or of output.
pub(super) fn is_skipped(name: &str, is_dir: bool) -> bool {
    name.starts_with('.') || (is_dir && SKIPPED.contains(&name))
}

/// The rules of one `.gitignore`.
#[derive(Debug)]
pub(super) struct Rules {
    patterns: RegexSet,
    /// Of each pattern: it is for directories only; it takes back.
    traits: Vec<(bool, bool)>,
}

impl Rules {
    /// The rules of a text, or none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rules: Vec<(String, bool, bool)> =
            text.lines().filter_map(rule).take(MAX_RULES).collect();
        if rules.is_empty() {
            return None;
        }
        let patterns = RegexSet::new(rules.iter().map(|(pattern, _, _)| pattern)).ok()?;
        let traits = rules.iter().map(|&(_, dir, back)| (dir, back)).collect();
        Some(Self { patterns, traits })
    }

    /// Whether the rules ignore a path (relative to their file, with `/`), take it back, or say nothing.
    pub(super) fn ignores(&self, path: &str, is_dir: bool) -> Option<bool> {
        self.patterns
            .matches(path)
            .into_iter()
            .filter_map(|index| self.traits.get(index))
            .rfind(|(dir_only, _)| is_dir || !dir_only)
            .map(|(_, takes_back)| !takes_back)
    }
}

/// One line as a pattern, whether it is for directories only, and whether it takes back.
fn rule(line: &str) -> Option<(String, bool, bool)> {
    let line = line.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (line, takes_back) = match line.strip_prefix('!') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (line, dir_only) = match line.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let anchored = line.contains('/');
    let line = line.strip_prefix('/').unwrap_or(line);
    if line.is_empty() {
        return None;
    }
    let start = if anchored { "^" } else { "(?:^|/)" };
    Some((format!("{start}{}$", glob(line)), dir_only, takes_back))
}

/// A glob as a regular expression.
fn glob(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            out.push_str("(?:.*/)?");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            out.push_str(".*");
            rest = after;
        } else if let Some((class, after)) = class(rest) {
            out.push_str(&class);
            rest = after;
        } else {
            match letter {
                '*' => out.push_str("[^/]*"),
                '?' => out.push_str("[^/]"),
                '\\' => {}
                plain => out.push_str(&regex::escape(plain.encode_utf8(&mut [0; 4]))),
            }
            rest = &rest[letter.len_utf8()..];
        }
    }
    out
}

/// `[abc]` or `[!a-z]` at the start of a pattern, as a regular expression has it.
fn class(pattern: &str) -> Option<(String, &str)> {
    let inside = pattern.strip_prefix('[')?;
    let end = inside.find(']').filter(|end| *end > 0)?;
    let letters = &inside[..end];
    let plain = letters
        .chars()
        .all(|c| c.is_alphanumeric() || "!^-_.".contains(c));
    let letters = letters.replacen('!', "^", 1);
    plain.then(|| (format!("[{letters}]"), &inside[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn the_usual_rules_are_understood() {
        let rules = Rules::parse(
            "# output\n*.log\n/dist\nbuild/\n!keep.log\ndocs/**/gen\n*.py[co]\n\na?c\nlogs/*.txt\n[\n",
        )
        .unwrap();
        for (path, is_dir, expected) in [
            ("x.log", false, Some(true)),
            ("deep/x.log", false, Some(true)),
            ("deep/keep.log", false, Some(false)),
            ("dist", true, Some(true)),
            ("sub/dist", true, None),
            ("sub/build", true, Some(true)),
            ("build", false, None),
            ("docs/a/b/gen", true, Some(true)),
            ("docs/gen", true, Some(true)),
            ("m.pyc", false, Some(true)),
            ("m.py", false, None),
            ("abc", false, Some(true)),
            ("logs/a.txt", false, Some(true)),
            ("logs/b/a.txt", false, None),
        ] {
            assert_eq!(rules.ignores(path, is_dir), expected, "{path}");
        }
        assert!(Rules::parse("# nothing\n\n").is_none());
    }
}
