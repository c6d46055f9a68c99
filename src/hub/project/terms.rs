//! What of a project's own file holds: all of it once a person trusts it as it is, and else what can do no harm.

use super::ProjectDesk;
use crate::{
    agents::pool::Digest,
    config::project_file::{self, FoundFile, PROJECT_FILE},
    domain::{
        fault::Fault,
        project::ProjectRow,
        project_file::{ProjectFile, ProjectTerms},
        run::Warning,
    },
    store::PageAt,
};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Environment names that trusted files speak of: faces are asked for their values. A look-up for synchronous code; hence a lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Named(Arc<Mutex<BTreeSet<String>>>);

impl Named {
    pub(super) fn add(&self, names: impl IntoIterator<Item = String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(names);
    }
}

impl ProjectDesk {
    /// Environment names that trusted files speak of, for faces that come from now on.
    pub(crate) fn env_names(&self) -> Vec<String> {
        let names = self.named.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().cloned().collect()
    }

    /// Reads the files that were trusted in an earlier life.
    pub(crate) async fn recall(&self) -> Result<(), Fault> {
        let mut cursor = None;
        loop {
            let page = self
                .store
                .projects
                .list(PageAt { cursor, limit: 200 })
                .await?;
            for row in page.items.iter().filter(|row| row.trust.is_some()) {
                self.named.add(terms_of(row).file.environment);
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// As [`terms_of`].
    #[expect(
        clippy::unused_self,
        reason = "a question to the desk, wherever the answer lies"
    )]
    pub(crate) fn terms(&self, row: &ProjectRow) -> ProjectTerms {
        terms_of(row)
    }
}

/// What the project's own file says, as far as it may. Read anew each time: what a run works by is one reading, and it is this text that
/// is trusted or not.
pub(crate) fn terms_of(row: &ProjectRow) -> ProjectTerms {
    if row.host.is_some() {
        // That path is another machine's, which reads it for itself.
        return ProjectTerms::default();
    }
    match project_file::read(Path::new(&row.path)) {
        Ok(None) => ProjectTerms::default(),
        Ok(Some(found)) => holding(row, found),
        Err(why) => ProjectTerms {
            warnings: vec![Warning::new(
                "project_file_unreadable",
                format!("{PROJECT_FILE} is ignored: {why}"),
            )],
            ..ProjectTerms::default()
        },
    }
}

/// Names a file by its place and its text: moved or changed it is another.
pub(super) fn digest(row: &ProjectRow, text: &str) -> String {
    Digest::of([row.path.as_str(), text]).hex()
}

/// There is such a file, whatever is in it.
pub(crate) fn is_initialized(root: &Path) -> bool {
    root.join(PROJECT_FILE)
        .symlink_metadata()
        .is_ok_and(|found| found.is_file())
}

fn holding(row: &ProjectRow, found: FoundFile) -> ProjectTerms {
    if row.trust.as_deref() == Some(digest(row, &found.text).as_str()) {
        return ProjectTerms {
            file: found.file,
            trusted: true,
            warnings: Vec::new(),
        };
    }
    let (file, ignored) = harmless(found.file);
    let changed = if row.trust.is_some() {
        " has changed since a person trusted it"
    } else {
        " is not trusted"
    };
    let warnings = (!ignored.is_empty()).then(|| {
        let keys = ignored.join(", ");
        Warning::new(
            "untrusted_project_file",
            format!("{PROJECT_FILE}{changed}, so these of its keys are ignored: {keys}; a person may look at it and trust it with `eyas project trust`"),
        )
    });
    ProjectTerms {
        file,
        trusted: false,
        warnings: warnings.into_iter().collect(),
    }
}

/// What may hold of a file that came with a clone, and the names of the rest. Its policy may only narrow, which whoever applies it sees to.
fn harmless(file: ProjectFile) -> (ProjectFile, Vec<&'static str>) {
    let ProjectFile {
        persona,
        agent,
        mode,
        policy,
        environment,
        setup,
        max_concurrent,
    } = file;
    let said = [
        ("agent", agent.is_some()),
        ("mode", mode.is_some()),
        ("environment", !environment.is_empty()),
        ("setup.commands", !setup.commands.is_empty()),
        ("max_concurrent", max_concurrent.is_some()),
    ];
    let ignored = said.into_iter().filter(|(_, is)| *is).map(|(key, _)| key);
    let file = ProjectFile {
        persona,
        policy,
        ..ProjectFile::default()
    };
    (file, ignored.collect())
}

#[cfg(test)]
mod tests {
    use super::{digest, holding};
    use crate::{
        config::project_file::FoundFile,
        domain::{
            policy::Security,
            project::ProjectRow,
            project_file::{ProjectFile, Setup},
            run::Mode,
            time::Timestamp,
        },
        stdx::mint,
    };

    fn row(trust: Option<String>) -> ProjectRow {
        ProjectRow {
            id: mint().into(),
            name: "p".to_owned(),
            path: "/p".to_owned(),
            unregistered: false,
            trust,
            status: None,
            host: None,
            last_opened_at: None,
            created_at: Timestamp(0),
        }
    }

    fn hostile() -> FoundFile {
        let mut file = ProjectFile {
            persona: Some("reviewer".to_owned()),
            agent: Some("theirs".to_owned()),
            mode: Some(Mode::Cold),
            environment: vec!["AWS_SECRET_ACCESS_KEY".to_owned()],
            setup: Setup {
                commands: vec![vec!["sh".to_owned(), "evil.sh".to_owned()]],
            },
            max_concurrent: Some(64),
            ..ProjectFile::default()
        };
        file.policy.security = Some(Security::Full);
        FoundFile {
            file,
            text: "as written".to_owned(),
        }
    }

    #[test]
    fn untrusted_only_persona_and_policy_are_left_and_the_rest_is_named() {
        let terms = holding(&row(None), hostile());
        assert!(!terms.trusted);
        let left = ProjectFile {
            persona: Some("reviewer".to_owned()),
            policy: hostile().file.policy,
            ..ProjectFile::default()
        };
        assert_eq!(terms.file, left);
        let [warning] = &terms.warnings[..] else {
            panic!("{terms:?}")
        };
        assert_eq!(warning.kind, "untrusted_project_file");
        for key in [
            "agent",
            "mode",
            "environment",
            "setup.commands",
            "max_concurrent",
        ] {
            assert!(warning.detail.contains(key), "{key}: {}", warning.detail);
        }
        assert!(!warning.detail.contains("evil"));
    }

    #[test]
    fn trust_is_of_one_text_in_one_place() {
        let trusted = row(Some(digest(&row(None), "as written")));
        let terms = holding(&trusted, hostile());
        assert!(terms.trusted && terms.warnings.is_empty());
        assert_eq!(terms.file, hostile().file);
        let mut changed = hostile();
        changed.text.push('#');
        let terms = holding(&trusted, changed);
        assert!(!terms.trusted && terms.warnings[0].detail.contains("changed"));
        let elsewhere = ProjectRow {
            path: "/q".to_owned(),
            ..trusted
        };
        assert!(!holding(&elsewhere, hostile()).trusted);
    }
}
