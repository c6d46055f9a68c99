//! Plain JSON-RPC lines.
