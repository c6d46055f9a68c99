//! What a survey found, and the steps on the way.

use super::{
    git::Git, manifest::Manifests, notes::Notes, rank::Match, readme::Readme, text, tree::Summary,
};
use std::path::{Path, PathBuf};

/// All facts of one survey.
#[derive(Debug)]
pub(in super::super) struct Findings {
    /// Of the project: what a manifest calls it, else its directory.
    pub(in super::super) name: String,
    pub(in super::super) tree: Summary,
    pub(in super::super) manifests: Manifests,
    pub(in super::super) readme: Option<Readme>,
    pub(in super::super) git: Option<Git>,
    pub(in super::super) notes: Notes,
    /// Files for the words of the prompt, best first.
    pub(in super::super) matches: Vec<Match>,
    /// Words of the prompt that occur nowhere.
    pub(in super::super) missing: Vec<String>,
    /// Where a bound ended the survey.
    pub(in super::super) cut: Option<String>,
    pub(in super::super) took_ms: u128,
}

/// What kind of work a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum StepKind {
    Read,
    Search,
}

/// A step, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    Began {
        id: &'static str,
        kind: StepKind,
        title: String,
        paths: Vec<PathBuf>,
    },
    Ended {
        id: &'static str,
        told: String,
    },
}

impl Step {
    pub(super) fn began(
        id: &'static str,
        kind: StepKind,
        title: &str,
        paths: Vec<PathBuf>,
    ) -> Self {
        Self::Began {
            id,
            kind,
            title: text::plain(title, 120),
            paths,
        }
    }

    pub(super) fn ended(id: &'static str, told: String) -> Self {
        Self::Ended { id, told }
    }
}

pub(super) fn project_name(root: &Path, manifests: &Manifests) -> String {
    let of_directory = || {
        root.file_name().map_or_else(
            || "this project".to_owned(),
            |n| n.to_string_lossy().into_owned(),
        )
    };
    let name = manifests.name.clone().unwrap_or_else(of_directory);
    text::plain(&name, 80)
}
