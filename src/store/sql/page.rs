//! Cutting a page from the rows of a list: one row more than the page holds says whether another follows.

use crate::{
    domain::page::Page,
    store::{PageAt, StoreError},
};

/// What no page has more rows than, the one that says whether another follows among them.
pub(super) const MOST: u32 = 201;

/// How many rows to read for a page.
pub(super) fn rows(page: &PageAt) -> i64 {
    i64::try_from(page.rows()).unwrap_or(i64::MAX - 1) + 1
}

/// The page of what was read for it; `after` is the cursor that reads on behind a row.
pub(super) fn cut<R, T>(
    page: &PageAt,
    mut rows: Vec<R>,
    after: impl FnOnce(&R) -> String,
    item: impl FnMut(R) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let more = rows.len() > page.rows();
    rows.truncate(page.rows());
    let next_cursor = rows.last().filter(|_| more).map(after);
    Ok(Page {
        items: rows.into_iter().map(item).collect::<Result<_, _>>()?,
        next_cursor,
    })
}
