//! A person trusts the file of a project as it is. Nothing else writes `ProjectRow::trust`.

use super::{ProjectDesk, must_be_ours, needs_init, terms::digest};
use crate::{
    api::project::{ProjectTrust, TrustView},
    config::project_file::{self, PROJECT_FILE},
    domain::fault::{ErrorKind, Fault},
};
use std::path::Path;

impl ProjectDesk {
    /// `project.trust`, once it is known that a person asks.
    ///
    /// # Errors
    /// `project_needs_init` without a file, `invalid_params` for one that cannot be read, `untrusted` when it is not the one that was looked
    /// at.
    pub(super) async fn trust_file(&self, params: ProjectTrust) -> Result<TrustView, Fault> {
        let row = self.find(&params.project).await?;
        must_be_ours(&row)?;
        let found = match project_file::read(Path::new(&row.path)) {
            Ok(Some(found)) => found,
            Ok(None) => return Err(needs_init(&row)),
            Err(why) => {
                let detail = format!(
                    "{PROJECT_FILE} of \"{}\" cannot be trusted: {why}",
                    row.name
                );
                return Err(Fault::new(ErrorKind::InvalidParams, detail).field("project"));
            }
        };
        let digest = digest(&row, &found.text);
        if params.digest.as_ref().is_some_and(|seen| *seen != digest) {
            let detail = format!("{PROJECT_FILE} is not as it was looked at");
            return Err(Fault::new(ErrorKind::Untrusted, detail).hint("look at it again"));
        }
        let row = if params.dry_run {
            row
        } else {
            let trusted = digest.clone();
            let row = self.modify(row.id, |row| row.trust = Some(trusted)).await?;
            self.named.add(found.file.environment);
            self.changed(&row, "trusted").await;
            row
        };
        Ok(TrustView {
            path: Path::new(&row.path)
                .join(PROJECT_FILE)
                .to_string_lossy()
                .into_owned(),
            trusted: row.trust.as_ref() == Some(&digest),
            text: found.text,
            digest,
        })
    }
}
