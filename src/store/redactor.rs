//! Keeps secrets out of what is written.

/// What must never be written.
#[derive(Debug, Default)]
pub struct Redactor {}
