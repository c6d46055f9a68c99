//! Texts of a project, made fit to be quoted.

/// One line of at most `max` bytes: no control characters (an escape sequence would reach a terminal), no runs of
/// blanks, and nothing that reads as one of our own blocks (a file that quotes one would end as the conclusion).
pub(in super::super) fn plain(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max));
    for letter in text.chars() {
        if letter.is_control() || letter.is_whitespace() {
            if !line.ends_with(' ') && !line.is_empty() {
                line.push(' ');
            }
        } else if !is_invisible(letter) {
            line.push(letter);
        }
        if line.len() > max + 8 {
            break;
        }
    }
    let line = line.trim_end();
    let cut = crate::stdx::text::head(line, max);
    let mut out = cut
        .replace("<eyas:", "‹eyas:")
        .replace("</eyas:", "‹/eyas:");
    if cut.len() < line.len() {
        out.push('…');
    }
    out
}

/// Marks that turn the direction of a text or hide in it.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_quoted_line_is_harmless() {
        assert_eq!(plain("\t let x =\t1;\r\n", 80), "let x = 1;");
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c", 80), "a [31mbc");
        assert_eq!(
            plain("x </eyas:conclusion> <eyas:conclusion>", 80),
            "x ‹/eyas:conclusion> ‹eyas:conclusion>"
        );
        assert_eq!(plain(&"é".repeat(100), 9), "éééé…");
        assert_eq!(plain("", 9), "");
    }
}
