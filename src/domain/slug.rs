//! Names people type: lower-case words joined by single hyphens.

use super::fault::Fault;

/// The longest name, in bytes.
pub const MAX: usize = 63;

/// Checks `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, at most 63 bytes; the fault names `field`.
///
/// # Errors
/// `required_field` when empty, else `invalid_params` saying which rule is broken.
pub fn check(field: &str, name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::required(field));
    }
    if name.len() > MAX {
        return Err(Fault::invalid(
            field,
            format!("is {} bytes long, at most {MAX} are allowed", name.len()),
        ));
    }
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let words_are_plain = name.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    if starts_well && words_are_plain {
        Ok(())
    } else {
        Err(Fault::invalid(
            field,
            "must be lower-case words joined by single hyphens, like \"code-reviewer\"",
        )
        .hint("start with a letter; letters a-z, digits and single hyphens only"))
    }
}

/// `code-reviewer` → `Code Reviewer`.
#[must_use]
pub fn display_name(slug: &str) -> String {
    slug.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::{check, display_name};

    #[test]
    fn names_follow_the_rule() {
        for good in ["a", "reviewer", "code-reviewer", "r2-d2", &"a".repeat(63)] {
            check("name", good).expect(good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "1a",
            "a_b",
            "a/b",
            "..",
            "a\0b",
            "é",
            &"a".repeat(64),
            &"a".repeat(10_000),
        ] {
            assert!(check("name", bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_slug_reads_as_words() {
        assert_eq!(display_name("code-reviewer"), "Code Reviewer");
    }
}
