//! Which of SQLite's refusals say that it cannot be used now.

/// Primary result codes of a database that cannot be used now, whatever is asked of it.
const UNAVAILABLE: [i32; 12] = [
    3,  // PERM
    5,  // BUSY
    6,  // LOCKED
    7,  // NOMEM
    8,  // READONLY
    10, // IOERR
    11, // CORRUPT
    13, // FULL
    14, // CANTOPEN
    15, // PROTOCOL
    22, // NOLFS
    26, // NOTADB
];

/// Extended result codes of a row that a unique index refuses, or the primary key's.
const DUPLICATE: [i32; 2] = [2067, 1555];

/// Whatever is asked of it. `code` is an extended result code.
pub(in crate::store::sql) fn is_unavailable(code: i32) -> bool {
    UNAVAILABLE.contains(&(code & 0xff))
}

/// `code` is an extended result code.
pub(in crate::store::sql) fn is_duplicate(code: i32) -> bool {
    DUPLICATE.contains(&code)
}
