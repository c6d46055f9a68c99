//! Logs: always to stderr, which a detached hub has made a file.

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// These write whole messages when they are let, and in messages between face, hub and agent stand keys and tokens.
const TELLTALES: [&str; 3] = [
    "jsonrpsee=debug",
    "soketto=debug",
    "agent_client_protocol=debug",
];

/// From now on. A filter that cannot be read is as if none were given: a slip in a setting must not keep the hub from starting.
pub(super) fn to_stderr(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(discreet(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .finish();
    // A second one in the same process is refused: the first stays.
    drop(tracing::subscriber::set_global_default(subscriber));
}

/// The filter, without what writes secrets.
fn discreet(filter: EnvFilter) -> EnvFilter {
    // Otherwise nothing of theirs passes, and a directive of ours would let more through.
    if filter.max_level_hint() != Some(LevelFilter::TRACE) {
        return filter;
    }
    TELLTALES
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive)
}
