//! Agents are found, fetched, verified and kept: against servers on this machine that behave as told.

mod a_download_comes_whole_or_not_at_all;
mod an_agent_is_installed_and_pinned;
mod an_archive_stays_in_its_folder;
mod an_image_is_fetched_for_this_platform;
mod releases_are_listed_and_verified;
mod web;
mod what_a_package_needs_is_looked_at_first;

use std::path::Path;

/// Every path below a folder, its own left out.
pub(crate) fn below(folder: &Path) -> Vec<String> {
    let mut found: Vec<String> = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .map(|entry| {
            let path = entry.unwrap().into_path();
            path.strip_prefix(folder).unwrap().display().to_string()
        })
        .collect();
    found.sort();
    found
}
