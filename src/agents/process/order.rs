//! The shim's command line: written by the launcher, read by the shim.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The first argument that makes this program a reaper shim.
pub(super) const WORD: &str = "__reap";

/// What a shim is told: `__reap [--owner-pid N] [--record PATH] -- program args…`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// The process whose death ends everything.
    pub(super) owner: Option<u32>,
    /// Where to keep the identity record while the agent lives.
    pub(super) record: Option<PathBuf>,
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
}

impl Order {
    /// Reads the arguments after [`WORD`].
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let (mut owner, mut record) = (None, None);
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--owner-pid") => owner = Some(number(args.next().as_deref())?),
                Some("--record") => record = args.next().map(PathBuf::from),
                Some("--") => {
                    let program = args.next().ok_or("no program after `--`")?;
                    let args = args.collect();
                    return Ok(Self {
                        owner,
                        record,
                        program,
                        args,
                    });
                }
                _ => return Err(format!("unknown argument {}", arg.display())),
            }
        }
        Err("no `--` before the program".to_owned())
    }

    /// The arguments that [`Order::parse`] reads, [`WORD`] first.
    pub(super) fn write(
        owner: u32,
        record: &Path,
        program: &OsStr,
        args: &[String],
    ) -> Vec<OsString> {
        let mut words: Vec<OsString> = [WORD, "--owner-pid"].iter().map(Into::into).collect();
        words.push(owner.to_string().into());
        words.push("--record".into());
        words.push(record.into());
        words.push("--".into());
        words.push(program.into());
        words.extend(args.iter().map(Into::into));
        words
    }
}

fn number(word: Option<&OsStr>) -> Result<u32, String> {
    word.and_then(OsStr::to_str)
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| "`--owner-pid` wants a process id".to_owned())
}

#[cfg(test)]
mod tests {
    use super::Order;
    use std::{ffi::OsStr, path::Path};

    #[test]
    fn what_is_written_reads_back() {
        let args = ["--".to_owned(), "--owner-pid".to_owned()];
        let words = Order::write(7, Path::new("/r"), OsStr::new("agent"), &args);
        let order = Order::parse(words.into_iter().skip(1)).expect("own words");
        assert_eq!(
            (order.owner, order.record.as_deref()),
            (Some(7), Some(Path::new("/r")))
        );
        assert_eq!(order.program, "agent");
        assert_eq!(order.args, ["--", "--owner-pid"]);
    }

    #[test]
    fn a_broken_order_is_refused() {
        for words in [
            vec![],
            vec!["--"],
            vec!["--owner-pid", "x", "--", "a"],
            vec!["agent"],
        ] {
            assert!(
                Order::parse(words.iter().map(Into::into)).is_err(),
                "{words:?}"
            );
        }
    }
}
