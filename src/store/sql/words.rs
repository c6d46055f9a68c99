//! Enums as the words they have on the wire, values as JSON.

use crate::{domain::run::RunState, store::StoreError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The word of a plain enum.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        Ok(other) => Err(StoreError::Internal(format!("{other} is not a word"))),
        Err(error) => Err(StoreError::Internal(error.to_string())),
    }
}

/// The word of an enum that may be absent.
pub(super) fn word_of<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(word).transpose()
}

/// Reads [`word`] back.
pub(super) fn unword<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word))
        .map_err(|error| StoreError::Internal(format!("an unknown word: {error}")))
}

/// Reads [`word_of`] back.
pub(super) fn unword_of<T: DeserializeOwned>(
    word: Option<String>,
) -> Result<Option<T>, StoreError> {
    word.map(unword).transpose()
}

/// A value as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.to_string()))
}

/// Reads [`json`] back.
pub(super) fn unjson<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Internal(format!("unreadable JSON: {error}")))
}

/// Reads JSON that may be absent.
pub(super) fn unjson_of<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(unjson).transpose()
}

/// Reads the word of a state.
pub(super) fn state(word: &str) -> Result<RunState, StoreError> {
    RunState::parse(word)
        .ok_or_else(|| StoreError::Internal(format!("an unknown state \"{word}\"")))
}
