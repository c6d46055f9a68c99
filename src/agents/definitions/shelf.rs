//! A person's definitions as they were parsed last.

use super::user;
use crate::domain::{agent::AgentDefinition, fault::Fault};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// What each file said, by its text: it is read each time and parsed only when it says something else, as to parse it would take longer than
/// all else that a registry does. By the text, as two edits may leave a file with the same size and time.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<HashMap<PathBuf, (String, Arc<AgentDefinition>)>>);

impl Shelf {
    /// Reads one definition.
    ///
    /// # Errors
    /// As [`user::parsed`], each time anew.
    pub(super) fn read(&self, path: &Path) -> Result<Arc<AgentDefinition>, Fault> {
        let text = user::text(path)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((said, definition)) = known.get(path)
            && *said == text
        {
            return Ok(Arc::clone(definition));
        }
        let definition = Arc::new(user::parsed(path, &text)?);
        known.insert(path.to_owned(), (text, Arc::clone(&definition)));
        Ok(definition)
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;
    use std::{fs, sync::Arc};

    #[test]
    fn the_same_text_is_parsed_once_and_another_is_seen_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hawk.toml");
        let shelf = Shelf::default();
        let read = |command: &str| {
            fs::write(&path, format!("[launch]\ncommand = \"{command}\"\n")).expect("a file");
            shelf.read(&path).expect("a definition")
        };
        let (first, same, other) = (read("a"), read("a"), read("b"));
        assert!(Arc::ptr_eq(&first, &same));
        assert_eq!(other.launch.command, "b");
        fs::write(&path, "[launch]\n").expect("a file");
        assert!(shelf.read(&path).is_err());
        fs::remove_file(&path).expect("it was there");
        assert!(shelf.read(&path).is_err());
    }
}
