//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let first = args.nth(1).unwrap_or_default();
    if first == eyas::workspace::git::guard::WORD {
        return eyas::workspace::git::guard::guard_gits();
    }
    if first == "__reap" {
        // Before anything else is set up: a reaper shim must start in a millisecond and own nothing but its agent.
        return eyas::agents::process::shim::reap(args);
    }
    eyas::app::main(std::env::args_os().collect())
}
