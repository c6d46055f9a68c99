//! The blocks that Eyas itself puts into a prompt, apart from the request.

/// A prompt's text without our blocks, and the persona's name where a block tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Split {
    pub(in super::super) request: String,
    pub(in super::super) persona: Option<String>,
}

/// Takes out every block between a line that begins with `<eyas:NAME` and the line `</eyas:NAME>`. They hold instructions
/// for a model; searched for, they would drown the request. A block that never closes is part of the request.
pub(in super::super) fn split(text: &str) -> Split {
    let lines: Vec<&str> = text.lines().collect();
    let mut split = Split::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let end = opened(line).and_then(|name| {
            let close = format!("</eyas:{name}>");
            let inside = lines[at + 1..].iter().position(|l| l.trim() == close)?;
            Some((name, at + 1 + inside))
        });
        if let Some((name, end)) = end {
            if name == "persona" && split.persona.is_none() {
                split.persona = name_of(line, &lines[at + 1..end]);
            }
            at = end + 1;
        } else {
            split.request.push_str(line);
            split.request.push('\n');
            at += 1;
        }
    }
    split
}

/// The name of the block that a line opens.
fn opened(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("<eyas:")?.strip_suffix('>')?;
    let name = rest.split_whitespace().next()?;
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'-');
    plain.then_some(name)
}

/// The persona's name: of the tag, of a line `Name: …`, of a sentence `You are …`, or of the first heading.
fn name_of(tag: &str, lines: &[&str]) -> Option<String> {
    let of_tag = tag
        .split_once("name=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name);
    let of_line = || {
        lines.iter().find_map(|line| {
            let line = line.trim_start_matches(['-', '*', ' ']);
            let value = line.strip_prefix("Name:").or(line.strip_prefix("name:"))?;
            Some(value.trim_start_matches('*'))
        })
    };
    let of_sentence = || {
        lines.iter().find_map(|line| {
            let rest = line.trim().strip_prefix("You are ")?;
            rest.split(['.', ',', ';', ':']).next()
        })
    };
    let of_heading = || lines.iter().find_map(|line| line.trim().strip_prefix("# "));
    of_tag
        .or_else(of_line)
        .or_else(of_sentence)
        .or_else(of_heading)
        .map(|name| name.trim().trim_matches(['*', '`', '"']).to_owned())
        .filter(|name| !name.is_empty())
        .map(|name| crate::stdx::text::head(&name, 80).to_owned())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_persona_is_recognised_and_is_no_part_of_the_request() {
        let text = "<eyas:persona>\n# Who you are\n\nYou are Hawk Eye, reviewer.\nlease fence\n</eyas:persona>\n\nFind the retry code\n<eyas:reminder>\nconclude\n</eyas:reminder>\n";
        let seen = split(text);
        assert_eq!(seen.persona.as_deref(), Some("Hawk Eye"));
        assert_eq!(seen.request.trim(), "Find the retry code");
    }

    #[test]
    fn the_name_is_taken_from_where_it_stands() {
        let name = |text: &str| split(text).persona;
        for text in [
            "<eyas:persona name=\"Hawk\">\nName: Other\n</eyas:persona>",
            "<eyas:persona>\n# x\n- **Name:** Hawk\n</eyas:persona>",
            "<eyas:persona>\r\n- Name: Hawk\r\n</eyas:persona>\r\nhi",
            "<eyas:persona>\n# Hawk\nfierce\n</eyas:persona>",
        ] {
            assert_eq!(name(text).as_deref(), Some("Hawk"), "{text}");
        }
        assert_eq!(name("<eyas:persona>\nfierce\n</eyas:persona>"), None);
    }

    #[test]
    fn what_is_not_a_block_stays() {
        for text in [
            "<eyas:persona>\nnever closed",
            "why does <eyas:persona> appear?",
            "</eyas:persona>",
            "<eyas:>",
        ] {
            assert_eq!(split(text).request.trim(), text);
        }
    }
}
