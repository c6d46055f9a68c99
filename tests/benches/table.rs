//! Times as text, in a table.

use std::time::Duration;

pub(crate) fn p50(samples: &mut [Duration]) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

pub(crate) fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

pub(crate) fn us(time: Duration) -> String {
    format!("{:.0} us", time.as_secs_f64() * 1e6)
}

pub(crate) fn row(what: &str, seen: impl std::fmt::Display, target: &str) {
    println!("{what:<52} {seen:<44} {target}");
}

/// What was seen, as a part of what it may be.
pub(crate) fn against(what: &str, seen: Duration, bound: Duration, of: &str) {
    let seen = format!("{} = {:.2} x ({of})", ms(seen), ratio(seen, bound));
    row(what, seen, "<= 1 x");
}
