//! Cutting text on character boundaries, and showing it without what a screen obeys.

/// The first `max` bytes of `text`, or fewer so that no character is cut.
#[must_use]
pub fn head(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The last `max` bytes of `text`, or fewer so that no character is cut.
#[must_use]
pub fn tail(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut start = text.len() - max;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// `text` without anything that a terminal obeys: escapes and other control characters show as symbols, line ends and tabs stay.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|letter| *letter != '\r')
        .map(|letter| match letter {
            '\n' | '\t' => letter,
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'),
            other if is_obeyed(other) => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// Control characters of both sets, and those that turn the direction of writing.
#[must_use]
pub fn is_obeyed(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{head, tail};

    #[test]
    fn no_character_is_cut() {
        assert_eq!(head("aé", 2), "a");
        assert_eq!(tail("éa", 2), "a");
        assert_eq!(head("abc", 9), "abc");
        assert_eq!(tail("abc", 2), "bc");
    }
}
