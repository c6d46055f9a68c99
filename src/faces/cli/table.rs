//! Lists and details for a person: plain columns, one thing a line, cut to the terminal.

use crate::domain::time::Timestamp;
use crate::stdx::clock;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use serde::Serialize;

/// Spaces between columns.
const GAP: u16 = 2;
/// The last column keeps so much on the narrowest terminal.
const LEAST: u16 = 16;

/// Columns under a header. Where a width is given the last column gives way; it holds the longest text.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_truncation_indicator("…")
        .set_header(header);
    for row in rows {
        let mut row = Row::from(row.map(|cell| one_line(&cell)));
        row.max_height(1);
        table.add_row(row);
    }
    table.set_content_arrangement(ContentArrangement::Disabled);
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    if let Some(width) = width {
        // A last column too narrow to read is worse than lines that the terminal breaks.
        let widths = table.column_max_content_widths();
        let fixed: u16 = widths
            .iter()
            .take(N.saturating_sub(1))
            .map(|wide| wide + GAP)
            .sum();
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(fixed + LEAST));
        for column in table.column_iter_mut().take(N.saturating_sub(1)) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// `name   value` lines; a value that is empty is left out.
pub(super) fn details<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let wide = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs
        .iter()
        .map(|(name, value)| {
            let mut lines = value.trim_end().lines();
            let first = lines.next().unwrap_or_default();
            let rest: String = lines
                .map(|line| format!("\n{:wide$}  {line}", ""))
                .collect();
            format!("{name:wide$}  {first}{rest}\n")
        })
        .collect()
}

/// The first line of some text that is not empty, with single spaces.
pub(super) fn one_line(text: &str) -> String {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The word on the wire of one of the API's enums.
pub(super) fn word<T: Serialize>(value: T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Something, and the machine that it is on where that is worth saying.
pub(super) fn at(what: String, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("{what} @ {host}"),
        None => what,
    }
}

/// How long ago a moment was, for a person.
pub(super) fn ago(moment: Timestamp) -> String {
    format!("{} ago", span(clock::now_ms().saturating_sub(moment.0)))
}

/// A length of time for a person: two digits that matter, one unit.
pub(super) fn span(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        172_800_000.. => format!("{} days", ms / 86_400_000),
        i64::MIN..0 => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{details, one_line, span, table};

    fn rows() -> [[String; 2]; 2] {
        [
            [
                "a".to_owned(),
                "one two three four five six seven eight".to_owned(),
            ],
            ["long-name".to_owned(), "line\nbreak".to_owned()],
        ]
    }

    #[test]
    fn a_list_has_one_line_a_row_and_is_cut_only_for_a_person() {
        let whole = table(["NAME", "WHAT"], rows(), None);
        assert_eq!(
            whole,
            "NAME       WHAT\na          one two three four five six seven eight\nlong-name  line"
        );
        let narrow = table(["NAME", "WHAT"], rows(), Some(5));
        assert!(
            narrow.lines().count() == 3 && narrow.contains("one two"),
            "{narrow}"
        );
        let cut = table(["NAME", "WHAT"], rows(), Some(30));
        assert_eq!(cut.lines().count(), 3, "{cut}");
        assert!(cut.lines().all(|line| line.chars().count() <= 30), "{cut}");
        assert!(cut.contains('…'), "{cut}");
    }

    #[test]
    fn details_stand_in_two_columns_and_empty_ones_are_left_out() {
        let shown = details([
            ("id", "x".to_owned()),
            ("none", String::new()),
            ("summary", "a\nb".to_owned()),
        ]);
        assert_eq!(shown, "id       x\nsummary  a\n         b\n");
    }

    #[test]
    fn spans_and_lines_are_for_people() {
        let spans = [-5, 7, 1_240, 65_000, 600_000, 7_200_000, 864_000_000].map(span);
        assert_eq!(
            spans,
            ["0 ms", "7 ms", "1.2 s", "65 s", "10 min", "2 h", "10 days"]
        );
        assert_eq!(one_line("\n  a\tb \nc"), "a b");
    }
}
