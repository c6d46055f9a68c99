//! The one reader of flags, environment and files.
