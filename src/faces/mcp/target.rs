//! What a client may be told of, and which news concern it.

use super::{
    follow::{News, Topic},
    tools,
};
use crate::domain::{event::EventKind, ids::RunId};

/// What of a run a resource shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Transcript,
    Diff,
}

/// One thing that a client is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The list of resources.
    List,
    Resource {
        uri: String,
        run: RunId,
        part: Part,
    },
    Task(RunId),
}

/// How soon it is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Haste {
    Soon,
    Now,
}

impl What {
    /// A run's resource; none for what nobody is told of.
    pub(super) fn resource(uri: &str) -> Option<Self> {
        let path = uri.strip_prefix("eyas://runs/")?;
        let (id, part) = match path.split_once('/') {
            None => (path, Part::Whole),
            Some((id, "transcript")) => (id, Part::Transcript),
            Some((id, "diff")) => (id, Part::Diff),
            Some(_) => return None,
        };
        Some(Self::Resource {
            uri: uri.to_owned(),
            run: tools::run_id(id).ok()?,
            part,
        })
    }

    /// The run that it shows.
    pub(super) fn run(&self) -> Option<RunId> {
        match self {
            Self::List => None,
            Self::Resource { run, .. } | Self::Task(run) => Some(*run),
        }
    }

    /// Whether it shows what the runs below ask, which no news of its own run tell.
    fn shows_below(&self) -> bool {
        match self {
            Self::List => false,
            Self::Resource { part, .. } => *part == Part::Whole,
            Self::Task(_) => true,
        }
    }

    /// Whether it may have changed, by what is followed for it.
    pub(super) fn hears(&self, news: News) -> Option<Haste> {
        match (self, news) {
            (Self::List, News::Event(Topic::Hub, kind)) => changes_the_list(kind),
            (Self::List, News::Missed(Topic::Hub)) => Some(Haste::Soon),
            (_, News::Event(Topic::Hub, kind)) if self.shows_below() => changes_below(kind),
            (_, News::Missed(Topic::Hub)) if self.shows_below() => Some(Haste::Soon),
            (_, News::Event(Topic::Run(run), kind)) if self.run() == Some(run) => {
                self.changes(kind)
            }
            (_, News::Missed(Topic::Run(run))) if self.run() == Some(run) => Some(Haste::Now),
            _ => None,
        }
    }

    fn changes(&self, kind: EventKind) -> Option<Haste> {
        let shown = match self {
            Self::Resource {
                part: Part::Transcript,
                ..
            } => kind != EventKind::Usage,
            Self::Resource {
                part: Part::Diff, ..
            } => matches!(
                kind,
                EventKind::ToolCall
                    | EventKind::WorktreeChanged
                    | EventKind::Concluded
                    | EventKind::Finished
            ),
            Self::List | Self::Resource { .. } | Self::Task(_) => true,
        };
        let awaited = matches!(kind, EventKind::Finished | EventKind::Requested);
        let haste = if awaited { Haste::Now } else { Haste::Soon };
        shown.then_some(haste)
    }
}

fn changes_the_list(kind: EventKind) -> Option<Haste> {
    matches!(kind, EventKind::Accepted | EventKind::InstanceChanged).then_some(Haste::Soon)
}

fn changes_below(kind: EventKind) -> Option<Haste> {
    let asks = matches!(
        kind,
        EventKind::Requested | EventKind::Answered | EventKind::Finished
    );
    asks.then_some(Haste::Soon)
}

#[cfg(test)]
mod tests {
    use super::{Haste, Part, What};
    use crate::{
        domain::{event::EventKind, ids::RunId},
        faces::mcp::follow::{News, Topic},
    };

    fn resource(run: RunId, ending: &str) -> What {
        What::resource(&format!("eyas://runs/{run}{ending}")).expect("one of a run")
    }

    #[test]
    fn runs_and_their_parts_can_be_listened_to_and_nothing_else() {
        let run = RunId(crate::stdx::mint());
        for (ending, part) in [
            ("", Part::Whole),
            ("/transcript", Part::Transcript),
            ("/diff", Part::Diff),
        ] {
            let What::Resource {
                uri,
                run: of,
                part: is,
            } = resource(run, ending)
            else {
                panic!("a resource")
            };
            assert_eq!((of, is), (run, part));
            assert_eq!(uri, format!("eyas://runs/{run}{ending}"));
        }
        for other in [
            "",
            "eyas://runs/",
            "eyas://runs/nope",
            "eyas://personas/reviewer",
            "eyas://instances/alice/SOUL.md",
            &format!("eyas://runs/{run}/"),
            &format!("eyas://runs/{run}/diff/x"),
            &format!("file:///eyas://runs/{run}"),
        ] {
            assert_eq!(What::resource(other), None, "{other}");
        }
    }

    #[test]
    fn each_hears_what_concerns_it() {
        let (own, other) = (RunId(crate::stdx::mint()), RunId(crate::stdx::mint()));
        let of = |run, kind| News::Event(Topic::Run(run), kind);
        let all = |kind| News::Event(Topic::Hub, kind);
        let (soon, now) = (Some(Haste::Soon), Some(Haste::Now));
        let (whole, task) = (resource(own, ""), What::Task(own));
        for (what, news, haste) in [
            (&whole, of(own, EventKind::Message), soon),
            (&whole, of(own, EventKind::Finished), now),
            (&task, of(own, EventKind::Requested), now),
            (&task, of(other, EventKind::Finished), None),
            (&task, all(EventKind::Requested), soon),
            (&whole, all(EventKind::Accepted), None),
            (&whole, News::Missed(Topic::Hub), soon),
            (&task, News::Missed(Topic::Run(own)), now),
            (&task, News::Missed(Topic::Run(other)), None),
            (&What::List, all(EventKind::Accepted), soon),
            (&What::List, all(EventKind::Finished), None),
            (&What::List, of(own, EventKind::Finished), None),
            (
                &resource(own, "/transcript"),
                of(own, EventKind::Usage),
                None,
            ),
            (
                &resource(own, "/transcript"),
                all(EventKind::Requested),
                None,
            ),
            (&resource(own, "/diff"), of(own, EventKind::Message), None),
            (
                &resource(own, "/diff"),
                of(own, EventKind::WorktreeChanged),
                soon,
            ),
        ] {
            assert_eq!(what.hears(news), haste, "{what:?} {news:?}");
        }
    }
}
