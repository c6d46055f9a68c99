//! Places to read on from, as opaque text: a letter for the list it belongs to, then hex.

use crate::store::StoreError;
use std::fmt::Write as _;
use uuid::Uuid;

/// After a run in the list of runs: moment of creation and id.
pub(super) fn of_run(created_at: i64, id: Uuid) -> String {
    let mut bytes = created_at.to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    encode('r', &bytes)
}

/// Reads [`of_run`] back.
pub(super) fn run(text: &str) -> Result<(i64, Uuid), StoreError> {
    let bytes = decode('r', text)?;
    let (moment, id) = bytes.split_at_checked(8).ok_or(StoreError::BadCursor)?;
    Ok((number(moment)?, uuid(id)?))
}

/// After an event of the log.
pub(super) fn of_event(cursor: i64) -> String {
    encode('e', &cursor.to_be_bytes())
}

/// Reads [`of_event`] back.
pub(super) fn event(text: &str) -> Result<i64, StoreError> {
    number(&decode('e', text)?)
}

/// After an item in a list by name; ids part equal names.
pub(super) fn of_name(name: &str, id: Uuid) -> String {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend_from_slice(name.as_bytes());
    encode('n', &bytes)
}

/// Reads [`of_name`] back.
pub(super) fn name(text: &str) -> Result<(String, Uuid), StoreError> {
    let bytes = decode('n', text)?;
    let (id, name) = bytes.split_at_checked(16).ok_or(StoreError::BadCursor)?;
    let name = String::from_utf8(name.to_vec())
        .ok()
        .ok_or(StoreError::BadCursor)?;
    Ok((name, uuid(id)?))
}

fn encode(list: char, bytes: &[u8]) -> String {
    bytes.iter().fold(String::from(list), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

fn decode(list: char, text: &str) -> Result<Vec<u8>, StoreError> {
    let hex = text.strip_prefix(list).ok_or(StoreError::BadCursor)?;
    if hex.len() % 2 != 0 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(StoreError::BadCursor);
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| {
            u8::from_str_radix(&hex[at..at + 2], 16)
                .ok()
                .ok_or(StoreError::BadCursor)
        })
        .collect()
}

fn number(bytes: &[u8]) -> Result<i64, StoreError> {
    bytes
        .try_into()
        .map(i64::from_be_bytes)
        .ok()
        .ok_or(StoreError::BadCursor)
}

fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).ok().ok_or(StoreError::BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_no_other_text_does() {
        let id = Uuid::now_v7();
        assert_eq!(run(&of_run(-5, id)).unwrap(), (-5, id));
        assert_eq!(event(&of_event(77)).unwrap(), 77);
        assert_eq!(name(&of_name("añb", id)).unwrap(), ("añb".to_owned(), id));
        for bad in [
            "",
            "e",
            "x00",
            "e12",
            "eé0",
            "e00000000000000zz",
            "r0000",
            "7",
        ] {
            assert!(matches!(event(bad), Err(StoreError::BadCursor)), "{bad}");
            assert!(matches!(run(bad), Err(StoreError::BadCursor)), "{bad}");
            assert!(matches!(name(bad), Err(StoreError::BadCursor)), "{bad}");
        }
    }

    #[test]
    fn later_events_have_cursors_that_sort_later() {
        assert!(of_event(9) < of_event(10));
        assert!(of_event(255) < of_event(256));
    }
}
