//! Where a message that still grows may be cut, so that what is written first holds no half of a secret: a redactor knows only whole ones.

/// A line longer than that is cut between words.
const LINE_BYTES: usize = 2 * 1024;
/// A word longer than that is no key, and is not waited for.
const WORD_BYTES: usize = 8 * 1024;
/// A private key has many lines.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// How many bytes of `text` may be written while the rest is still to come: whole lines, and no open private key.
pub(super) fn before(text: &str) -> usize {
    let cut = line(text);
    match text[..cut].rfind(BEGIN) {
        Some(begun) if !text[begun..cut].contains(END) && text.len() - begun <= WORD_BYTES => begun,
        _ => cut,
    }
}

fn line(text: &str) -> usize {
    let begun = text.rfind('\n').map_or(0, |at| at + 1);
    let last = &text[begun..];
    if last.len() <= LINE_BYTES {
        return begun;
    }
    let word = last
        .rfind(char::is_whitespace)
        .map_or(begun, |at| begun + at);
    if text.len() - word > WORD_BYTES {
        text.len()
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn a_text_is_cut_between_lines() {
        assert_eq!(before("one\ntwo api_key: sk-an"), 4);
        assert_eq!(before("one\n"), 4);
        assert_eq!(before("one two"), 0);
        assert_eq!(before(""), 0);
    }

    #[test]
    fn a_long_line_is_cut_between_words_and_an_endless_word_anywhere() {
        let words = "word ".repeat(600) + "é-half";
        assert_eq!(before(&words), words.len() - " é-half".len());
        let endless = "x".repeat(9000);
        assert_eq!(before(&endless), endless.len());
    }

    #[test]
    fn a_private_key_stays_whole() {
        let open = "so:\n-----BEGIN RSA PRIVATE KEY-----\nMII\nabc";
        assert_eq!(before(open), 4);
        let closed = format!("{open}\n-----END RSA PRIVATE KEY-----\nand");
        assert_eq!(before(&closed), closed.len() - "and".len());
    }
}
