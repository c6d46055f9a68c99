//! A process that ends itself at a chosen commit, as a crash would end it: for tests of what is left then. Nothing of it is in a release.

#[cfg(debug_assertions)]
use rustix::process::{Signal, getpid, kill_process};

/// On which side of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// All of it is written and nothing is there.
    Before,
    /// All of it is there and nobody has been told.
    After,
}

/// At which commit to die: the n-th that holds a write of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    moment: Moment,
    kind: &'static str,
    nth: u32,
}

impl Death {
    /// The kinds of writes there are to die at.
    pub const KINDS: [&'static str; 25] = [
        "Accept",
        "Claim",
        "Begin",
        "Append",
        "Renew",
        "Ask",
        "AnswerIt",
        "CloseIt",
        "Cancel",
        "End",
        "GiveBack",
        "Again",
        "Recover",
        "Wake",
        "Sweep",
        "SetWorktree",
        "Register",
        "Record",
        "Say",
        "Take",
        "TurnEnded",
        "Pass",
        "Enter",
        "Beat",
        "Forget",
    ];

    /// Reads `before Claim 2`; `None` for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let moment = match words.next()? {
            "before" => Moment::Before,
            "after" => Moment::After,
            _ => return None,
        };
        let kind = words.next()?;
        Some(Self {
            moment,
            kind: Self::KINDS.into_iter().find(|known| *known == kind)?,
            nth: words.next()?.parse().ok()?,
        })
    }

    /// When to die in a commit that holds these; counts it.
    pub(super) fn due(
        death: &mut Option<Self>,
        mut writes: impl Iterator<Item = &'static str>,
    ) -> Option<Moment> {
        let death = death.as_mut()?;
        // What is two as one is named with both.
        let is_its = |name: &str| {
            let mut paths = name.split(['<', '>', ',', ' ']);
            paths.any(|path| path.rsplit("::").next() == Some(death.kind))
        };
        if !writes.any(is_its) {
            return None;
        }
        death.nth = death.nth.saturating_sub(1);
        (death.nth == 0).then_some(death.moment)
    }

    /// Does not come back if it is time.
    #[cfg(debug_assertions)]
    pub(super) fn at(due: Option<Moment>, moment: Moment) {
        if due == Some(moment) {
            // It cannot be refused: it is our own process.
            kill_process(getpid(), Signal::KILL).ok();
        }
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn at(_: Option<Moment>, _: Moment) {}
}

#[cfg(test)]
mod tests {
    use super::{Death, Moment};

    #[test]
    fn it_is_due_once_at_the_commit_that_was_chosen() {
        let mut death = Death::read("before Claim 2");
        let mut due = |writes: [&'static str; 2]| Death::due(&mut death, writes.into_iter());
        assert_eq!(due(["a::Accept", "a::NoClaim"]), None);
        assert_eq!(due(["a::Claim", "b::Claim"]), None);
        assert_eq!(
            due(["a::Accept", "a::Then<b::End, b::Claim>"]),
            Some(Moment::Before)
        );
        for text in [
            "",
            "before",
            "before Claim",
            "before Nothing 1",
            "on Claim 1",
            "after Claim x",
        ] {
            assert_eq!(Death::read(text), None, "{text}");
        }
    }
}
