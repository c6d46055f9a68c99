//! Whether a hub fits a face: a pure decision.

use serde::Deserialize;
use std::cmp::Ordering;

/// What a face must know of a hub, whatever its revision: these fields never change their meaning.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Probe {
    pub(super) version: String,
    pub(super) revision: u32,
    #[serde(default)]
    pub(super) open_runs: u32,
    /// With the one who asks.
    #[serde(default)]
    pub(super) peers: u32,
    #[serde(default)]
    pub(super) env_names: Vec<String>,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Join it.
    Use,
    /// Ask it to end and start another; join it if it will not.
    Renew,
    /// Ask it to end and start another; it cannot be joined.
    Replace,
}

/// A revision that fits is used, older or newer; an older binary that nobody needs is renewed.
pub(super) fn decide(version: &str, revision: u32, hub: &Probe) -> Fit {
    if hub.revision != revision {
        return Fit::Replace;
    }
    let older = compare(&hub.version, version) == Ordering::Less;
    if older && hub.open_runs == 0 && hub.peers <= 1 {
        return Fit::Renew;
    }
    Fit::Use
}

/// By number, part for part; what follows a `-` or `+` does not count.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| -> Vec<u64> {
        let release = version.split(['-', '+']).next().unwrap_or_default();
        release
            .split('.')
            .map(|part| part.parse().unwrap_or_default())
            .collect()
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::{Fit, Probe, decide};

    fn hub(version: &str, revision: u32, open_runs: u32, peers: u32) -> Probe {
        Probe {
            version: version.to_owned(),
            revision,
            open_runs,
            peers,
            env_names: Vec::new(),
        }
    }

    #[test]
    fn a_revision_that_fits_is_used_and_an_older_binary_renewed_when_nobody_needs_it() {
        let of = |hub| decide("0.10.0", 1, &hub);
        assert_eq!(of(hub("0.10.0", 1, 0, 1)), Fit::Use);
        assert_eq!(of(hub("0.11.0", 1, 0, 1)), Fit::Use);
        assert_eq!(of(hub("0.9.0", 1, 0, 1)), Fit::Renew);
        assert_eq!(of(hub("0.9.0", 1, 1, 1)), Fit::Use);
        assert_eq!(of(hub("0.9.0", 1, 0, 2)), Fit::Use);
        assert_eq!(of(hub("0.11.0", 2, 0, 1)), Fit::Replace);
        assert_eq!(of(hub("0.9.0", 0, 3, 4)), Fit::Replace);
    }
}
