//! Where input comes from and output goes to.

use std::io::{IsTerminal as _, stderr, stdin, stdout};

/// Columns taken where a terminal does not say.
const COLUMNS: u16 = 100;

/// Which of the standard streams a person sits at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    /// Columns of the terminal.
    pub columns: u16,
}

impl Terminal {
    /// Looks at this process's own streams.
    #[must_use]
    pub fn measure() -> Self {
        let columns = rustix::termios::tcgetwinsize(stdout())
            .or_else(|_no_terminal| rustix::termios::tcgetwinsize(stderr()))
            .map_or(COLUMNS, |size| size.ws_col);
        Self {
            stdin: stdin().is_terminal(),
            stdout: stdout().is_terminal(),
            stderr: stderr().is_terminal(),
            columns: if columns == 0 { COLUMNS } else { columns },
        }
    }

    /// Columns that a table may fill; none when it is not for a person's eyes, so that no line is cut for `grep`.
    #[must_use]
    pub fn width(self) -> Option<u16> {
        self.stdout.then_some(self.columns)
    }
}
