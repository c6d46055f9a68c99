//! Which of PostgreSQL's refusals say that it cannot be used now.

/// By class of SQLSTATE: no connection, no room, an operator at work, a failing system, a failing disk; who may not connect.
const CLASSES: [&str; 6] = ["08", "53", "57", "58", "XX", "28"];
/// Read only, serialization, deadlock, a lock not had in time, idle for too long in a transaction, no such database, a read-only standby.
const CODES: [&str; 6] = ["25006", "25P03", "40001", "40P01", "55P03", "3D000"];

/// By an operator, by a crash, by the loss of the database, after too long a rest in a transaction.
const ENDS: [&str; 4] = ["57P01", "57P02", "57P04", "25P03"];

/// Whether it has ended the connection with that.
pub(in crate::store::sql) fn ends_connection(code: &str) -> bool {
    ENDS.contains(&code)
}

/// Whatever is asked of it.
pub(in crate::store::sql) fn is_unavailable(code: &str) -> bool {
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

/// It will not go away by waiting: the address or the password is wrong.
pub(in crate::store::sql) fn is_final(code: &str) -> bool {
    code.starts_with("28") || code == "3D000"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_statement_is_a_fault_of_ours() {
        assert!(is_unavailable("53100"), "disk full");
        assert!(is_unavailable("57P01"), "shut down");
        assert!(is_unavailable("40P01"), "deadlock");
        assert!(!is_unavailable("23505"), "unique");
        assert!(!is_unavailable("42601"), "syntax");
        assert!(is_final("28P01") && !is_final("57P03"));
    }
}
