//! Where a delegation was meant to work, whatever has become of the place since.

use super::{ProjectDesk, root};
use crate::{
    domain::{fault::Fault, ids::ProjectId, project::ProjectRow},
    store::StoreError,
};
use std::path::{Path, PathBuf};

/// A directory, and its row if it ever was a project.
pub(crate) struct PastGround {
    pub(crate) path: PathBuf,
    pub(crate) project: Option<ProjectId>,
}

impl From<ProjectRow> for PastGround {
    fn from(row: ProjectRow) -> Self {
        Self {
            path: row.path.into(),
            project: Some(row.id),
        }
    }
}

impl ProjectDesk {
    /// The places that are named, or run in, unregistered ones and such that are gone included. Nothing is registered by asking.
    ///
    /// # Errors
    /// Of the store alone.
    pub(crate) async fn past(
        &self,
        named: Option<&str>,
        cwd: Option<&Path>,
    ) -> Result<Vec<PastGround>, Fault> {
        let projects = &self.store.projects;
        if let Some(id) = named.and_then(|named| named.parse::<ProjectId>().ok()) {
            return Ok(found(projects.get(id).await)?
                .map(PastGround::from)
                .into_iter()
                .collect());
        }
        let path = match named {
            Some(path) if path.starts_with(['/', '~', '.']) => path.to_owned(),
            Some(name) => {
                let mut rows = projects.by_name(name).await?;
                if rows.is_empty() {
                    rows = projects.forgotten(name).await?;
                }
                return Ok(rows.into_iter().map(PastGround::from).collect());
            }
            None => match cwd {
                Some(cwd) => cwd.to_string_lossy().into_owned(),
                None => return Ok(Vec::new()),
            },
        };
        // A directory that is gone is still named as it was.
        let path = root::root_of(&path, cwd, &self.home).unwrap_or_else(|_gone| path.into());
        let row = found(projects.by_path(&path.to_string_lossy()).await)?;
        // Both: it may have been no project then.
        let project = row.map(PastGround::from);
        let bare = PastGround {
            path,
            project: None,
        };
        Ok(project.into_iter().chain([bare]).collect())
    }
}

/// What is not there is no fault here.
pub(crate) fn found<T>(row: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match row {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
