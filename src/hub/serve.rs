//! Serving the API.
