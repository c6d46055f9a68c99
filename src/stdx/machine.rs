//! Which machine this is.

use std::fs;

/// What it calls itself.
#[must_use]
pub fn name() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy().into_owned();
    if name.is_empty() {
        "machine".to_owned()
    } else {
        name
    }
}

/// The same through all its boots, and another one's is another; its name where it has none.
#[must_use]
pub fn id() -> String {
    let kept = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let kept = kept.trim();
    if kept.is_empty() {
        name()
    } else {
        format!("{kept} {}", name())
    }
}
