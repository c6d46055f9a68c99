//! Versions of programs, and which of two is newer.

use super::fault::Fault;
use semver::{Prerelease, Version as Semver};
use std::cmp::Ordering;

/// Longer is no version.
const LONGEST: usize = 64;

/// The word that stands for the newest.
pub const LATEST: &str = "latest";

/// A version as its publisher writes it, without one leading `v`. Safe as the name of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    text: String,
    /// As semantic versioning understands it; `None` of a version that is none.
    order: Option<Semver>,
}

impl Version {
    /// Reads a version.
    ///
    /// # Errors
    /// `invalid_params` for what cannot be the name of a folder.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let is_safe = |letter: char| letter.is_ascii_alphanumeric() || ".-+_".contains(letter);
        let begins_well = text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if !begins_well || text.len() > LONGEST || !text.chars().all(is_safe) || text.contains("..")
        {
            return Err(Fault::invalid(
                "version",
                format!(
                    "{text:?} is no version: letters, digits and .-+_ alone, {LONGEST} at most"
                ),
            ));
        }
        Ok(Self {
            order: semantic(text),
            text: text.to_owned(),
        })
    }

    /// As it is written, without the `v`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// It has its place among others.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.order.is_some()
    }

    /// The newest of several: releases before pre-releases, then by precedence. Those that have no place in the order are never it.
    #[must_use]
    pub fn newest(versions: impl IntoIterator<Item = Self>) -> Option<Self> {
        versions
            .into_iter()
            .filter(Self::is_ordered)
            .max_by(|a, b| (a.is_release(), a).cmp(&(b.is_release(), b)))
    }

    fn is_release(&self) -> bool {
        self.order.as_ref().is_some_and(|one| one.pre.is_empty())
    }
}

impl Ord for Version {
    /// By semantic versioning; what is no such version is below all that are, by its letters.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.order, &other.order) {
            (Some(one), Some(two)) => one
                .cmp_precedence(two)
                .then_with(|| self.text.cmp(&other.text)),
            (one, two) => one
                .is_some()
                .cmp(&two.is_some())
                .then_with(|| self.text.cmp(&other.text)),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As semantic versioning reads it, with missing parts taken as 0 and Python's pre-releases (`1.0rc1`) as such.
fn semantic(text: &str) -> Option<Semver> {
    if let Ok(found) = Semver::parse(text) {
        return Some(found);
    }
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts = numbers.trim_end_matches('.').split('.');
    let mut part = || match parts.next() {
        None => Some(0),
        Some(word) => word.parse::<u64>().ok(),
    };
    let mut found = Semver::new(part()?, part()?, part()?);
    if parts.next().is_some() {
        return None;
    }
    let (pre, build) = rest.split_once('+').unwrap_or((rest, ""));
    let pre = pre.trim_start_matches(['-', '.', '_']);
    found.pre = Prerelease::new(pre).ok()?;
    found.build = semver::BuildMetadata::new(build).ok()?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn one_leading_v_goes_and_no_other() {
        assert_eq!(version("v1.2.3").as_str(), "1.2.3");
        assert_eq!(version("1.2.3-dev.v4").as_str(), "1.2.3-dev.v4");
        assert_eq!(version("vv1").as_str(), "v1");
    }

    #[test]
    fn what_could_leave_its_folder_is_no_version() {
        let long = "1".repeat(65);
        for text in [
            "", "v", "..", "1..2", "../1", "1/2", ".hidden", "-x", "1 2", "1\0", "é", &long,
        ] {
            Version::parse(text).expect_err(text);
        }
    }

    #[test]
    fn releases_stand_above_their_pre_releases_and_numbers_are_numbers() {
        let rising = [
            "text",
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-rc.2",
            "1.0.0-rc.10",
            "1.0.0",
            "1.2",
            "1.10.0",
        ];
        for pair in rising.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(version("1.0rc1") < version("1.0"));
        assert!(version("2026.9.6") > version("2026.10.0-beta.1").min(version("2026.9.6-1")));
    }

    #[test]
    fn the_newest_is_a_release_where_there_is_one() {
        let of = |texts: &[&str]| {
            let all = texts.iter().map(|text| version(text));
            Version::newest(all).map(|found| found.as_str().to_owned())
        };
        assert_eq!(of(&["0.1.0", "1.2.3", "0.9.9"]).as_deref(), Some("1.2.3"));
        assert_eq!(of(&["1.2.3", "2.0.0-rc.1"]).as_deref(), Some("1.2.3"));
        assert_eq!(
            of(&["2.0.0-rc.1", "2.0.0-rc.2"]).as_deref(),
            Some("2.0.0-rc.2")
        );
        assert_eq!(of(&["nightly", "1.2.3.4.5"]), None);
        assert_eq!(of(&[]), None);
    }
}
