//! What a README says first.

use super::{
    budget::{Budget, Stopped},
    scan, text,
    tree::Tree,
};

/// The first words of a README.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Readme {
    pub(in super::super) path: String,
    pub(in super::super) paragraph: String,
}

/// The first paragraph of the root's README.
pub(super) fn read(tree: &Tree, budget: &mut Budget) -> Result<Option<Readme>, Stopped> {
    let readme = tree
        .files
        .iter()
        .filter(|file| file.depth() == 0)
        .find(|file| file.path.to_ascii_lowercase().starts_with("readme"));
    let Some(file) = readme else { return Ok(None) };
    if !budget.goes_on()? {
        return Ok(None);
    }
    let paragraph = scan::read_small(&file.full, 64 * 1024).and_then(|text| first_paragraph(&text));
    Ok(paragraph.map(|paragraph| Readme {
        path: file.path.clone(),
        paragraph,
    }))
}

/// The first paragraph of prose: no heading, badge, picture, markup, list, table or code.
fn first_paragraph(text: &str) -> Option<String> {
    let mut fenced = false;
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().take(400).map(str::trim) {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let prose = !fenced && is_prose(line);
        if prose {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            if is_underline(line) {
                // What was read is a heading that is underlined.
                paragraph.clear();
                continue;
            }
            break;
        }
    }
    let paragraph = text::plain(&paragraph.join(" "), 400);
    (!paragraph.is_empty()).then_some(paragraph)
}

fn is_prose(line: &str) -> bool {
    let line = line.trim_start_matches(['>', ' ']);
    let starts = [
        "#", "[![", "![", "<", "```", "- ", "* ", "|", "===", "---", ".. ",
    ];
    line.chars().any(char::is_alphabetic) && !starts.iter().any(|start| line.starts_with(start))
}

fn is_underline(line: &str) -> bool {
    line.len() > 2 && line.chars().all(|c| c == '=' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::first_paragraph;

    #[test]
    fn headings_and_badges_are_passed_over() {
        let text = "<p align=center>\n# Hawk\n[![ci](x)](y)\n\n```sh\nhawk run\n```\n\nHawk hunts\nbugs.\n\nMore.";
        assert_eq!(first_paragraph(text).as_deref(), Some("Hawk hunts bugs."));
        assert_eq!(
            first_paragraph("Hawk\n====\n\nIt hunts.\n").as_deref(),
            Some("It hunts.")
        );
        assert_eq!(first_paragraph("# Only\n\n- a list\n"), None);
        assert_eq!(first_paragraph(""), None);
    }
}
