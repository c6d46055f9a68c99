//! The words of a prompt that are worth looking for.

use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashSet;

/// More words make a search for everything.
const MAX_WORDS: usize = 8;
/// Longer "words" are pasted data.
const MAX_LEN: usize = 60;

/// Words of any request, words that every project is full of, the verbs of a change (what is to be changed is what is
/// looked for) and topics that have a section of their own.
const STOP: &str = "\
    a about above across add after again against all along already also always an analyse analyze and another \
    answer any anything are around as ask at be because been before being below best better between both brief \
    briefly build but by can cannot change check code codebase come comes could create current currently delete \
    describe detail details did directory do does doing don done down each either else etc even every everything \
    exactly example examples exist exists explain false far few file files find first fix fixme fixmes folder for \
    from full further gets give given gives go goes going good got had happen happens has have having he help her \
    here him his how however i identify if implement improve in inside instead into is isn it its just keep know \
    language languages last let like list ll loc located look looking looks made make makes many may me mean means \
    might modify more most much must my name need needed needs never new next no not nothing now of off on once \
    one only onto optimise optimize or other others our out over overview own part parts per place places please \
    point project put rather re read really refactor remove rename replace repo report repository review rewrite \
    right run said same say see seem shall she short should show since so some something still such sum summarise \
    summarize summary sure survey take tell than that the their them then there these they thing things think this \
    those through thus to todo todos together too true try two under understand until up update upon us use used \
    uses using ve very want was way we well were what whatever when where whether which while who whole whom whose \
    why will with within without work working works would write yes yet you your";

/// One word, and how it is found.
#[derive(Clone, Debug)]
pub(in super::super) struct Word {
    /// As the prompt has it.
    pub(in super::super) shown: String,
    /// What finds it: without regard to case, with `-`, `_`, a space or nothing between its parts, and without its
    /// commonest endings.
    pub(in super::super) pattern: String,
    pub(in super::super) regex: Regex,
}

/// The words worth looking for: what stands in quotes first, then identifiers and paths, then the rest in their order.
pub(super) fn significant(text: &str) -> Vec<Word> {
    let stop: HashSet<&str> = STOP.split_whitespace().collect();
    let (quoted, rest) = quoted(text);
    let mut found: Vec<(u8, String)> = quoted.into_iter().map(|phrase| (0, phrase)).collect();
    found.extend(
        rest.split(|c: char| !(c.is_alphanumeric() || "_-./:".contains(c)))
            .map(trimmed)
            .filter(|token| is_significant(token, &stop))
            .map(|token| (u8::from(!is_identifier(token)) + 1, token.to_owned())),
    );
    found.sort_by_key(|(rank, _)| *rank);
    let mut words: Vec<Word> = Vec::new();
    for (_, shown) in found {
        let pattern = pattern(&shown);
        if words.iter().any(|word| word.pattern == pattern) {
            continue;
        }
        words.extend(word(shown, pattern));
        if words.len() == MAX_WORDS {
            break;
        }
    }
    words
}

/// What stands between back-quotes or double quotes on one line, and the text without it.
fn quoted(text: &str) -> (Vec<String>, String) {
    let mut phrases = Vec::new();
    let mut rest = String::new();
    for line in text.lines() {
        let mut line = line;
        while let Some((before, mark, inside, after)) = first_quote(line) {
            rest.push_str(before);
            rest.push(' ');
            let phrase = inside.trim();
            if (2..=MAX_LEN).contains(&phrase.chars().count()) {
                phrases.push(phrase.to_owned());
            } else {
                rest.push_str(inside);
            }
            rest.push(mark);
            line = after;
        }
        rest.push_str(line);
        rest.push('\n');
    }
    (phrases, rest)
}

fn first_quote(line: &str) -> Option<(&str, char, &str, &str)> {
    let open = line.find(['`', '"'])?;
    let mark = line[open..].chars().next()?;
    let inside = &line[open + 1..];
    let close = inside.find(mark)?;
    Some((&line[..open], mark, &inside[..close], &inside[close + 1..]))
}

/// A token without the punctuation of its sentence, and without the line number of `file:12`.
fn trimmed(token: &str) -> &str {
    let token = token.trim_matches(|c: char| "_-./:".contains(c));
    let numbered = token
        .rsplit_once(':')
        .filter(|(_, after)| !after.is_empty() && after.bytes().all(|b| b.is_ascii_digit()));
    numbered.map_or(token, |(path, _)| path)
}

fn is_significant(token: &str, stop: &HashSet<&str>) -> bool {
    let letters = token.chars().count();
    let wide = !token.is_ascii();
    (letters >= 3 || (wide && letters >= 2))
        && letters <= MAX_LEN
        && token.chars().any(char::is_alphabetic)
        && !stop.contains(token.to_lowercase().as_str())
}

fn is_identifier(token: &str) -> bool {
    token.contains(['_', '.', '/', ':'])
        || token.chars().any(|c| c.is_ascii_digit())
        || (token.chars().skip(1).any(char::is_uppercase) && token.chars().any(char::is_lowercase))
}

fn pattern(shown: &str) -> String {
    stem(&parted(shown).to_lowercase())
        .split(['-', '_', ' '])
        .filter(|part| !part.is_empty())
        .map(regex::escape)
        .collect::<Vec<_>>()
        .join("[-_ ]?")
}

/// `JoinSet` as `Join_Set`, so that it finds `join_set.rs` too.
fn parted(shown: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for letter in shown.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            out.push('_');
        }
        out.push(letter);
        before = letter;
    }
    out
}

fn word(shown: String, pattern: String) -> Option<Word> {
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(true)
        .build()
        .ok()
        .filter(|_| !pattern.is_empty())?;
    Some(Word {
        shown,
        pattern,
        regex,
    })
}

/// Without the commonest English endings, where enough is left to stand for the word.
fn stem(word: &str) -> String {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    for (ending, least) in [("ies", 4), ("ing", 4), ("ed", 4), ("es", 5), ("s", 3)] {
        if let Some(left) = word.strip_suffix(ending)
            && left.len() >= least
            && !(ending == "s" && left.ends_with('s'))
        {
            return left.to_owned();
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::significant;

    fn shown(text: &str) -> Vec<String> {
        significant(text).into_iter().map(|w| w.shown).collect()
    }

    #[test]
    fn the_words_that_matter_are_left() {
        assert_eq!(
            shown("Please find where the lease is renewed, in the code."),
            ["lease", "renewed"]
        );
        assert_eq!(
            shown("Why does `claim next` fail in src/store/mod.rs:12 and RunStore?"),
            ["claim next", "src/store/mod.rs", "RunStore", "fail"]
        );
        assert_eq!(shown("What is this project about?"), [""; 0]);
        assert_eq!(shown("lease Lease LEASES leases"), ["lease"]);
        assert_eq!(shown("```\n```"), [""; 0]);
        assert_eq!(shown("wo wird die Größe berechnet").len(), 4);
        assert!(shown(&"x1 y_2 abc ".repeat(10_000)).len() <= 8);
        assert_eq!(shown(&"x".repeat(100_000)), [""; 0]);
    }

    #[test]
    fn a_word_is_found_in_its_other_forms() {
        for (word, text) in [
            ("retries", "Retry"),
            ("parsing", "parser"),
            ("read-only", "READ_ONLY"),
            ("read-only", "readonly"),
            ("leases", "lease"),
            ("JoinSet", "join_set.rs"),
            ("join_set", "JoinSet"),
            ("a.b(c", "a.b"),
        ] {
            let found = significant(word);
            assert!(found[0].regex.is_match(text.as_bytes()), "{word}");
        }
    }
}
