//! Logs: always to stderr, which a detached hub has made a file.

use tracing_subscriber::EnvFilter;

/// From now on. A filter that cannot be read is as if none were given: a slip in a setting must not keep the hub from starting.
pub(super) fn to_stderr(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .finish();
    // A second one in the same process is refused: the first stays.
    drop(tracing::subscriber::set_global_default(subscriber));
}
