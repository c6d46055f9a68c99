//! The personas there are: those in the binary, and the person's files in `<home>/personas` over them, by id.

use super::{
    builtin,
    persona_file::{MAX_BYTES, PersonaFile, describe, prompt_of},
    source, validate,
};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        page::Page,
        persona::{Persona, Source},
        slug,
    },
    stdx::atomic,
};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
/// A folder with more files than this is not one of personas.
const MAX_FILES: usize = 2_000;

/// Which personas to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Words that must all be found, in any letter case.
    pub query: Option<&'a str>,
    /// Exact category.
    pub category: Option<&'a str>,
    /// The cursor of the page before.
    pub cursor: Option<&'a str>,
    /// 1 to 200; 50 by default.
    pub limit: Option<u32>,
}

/// A file in the home that is no persona, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub path: PathBuf,
    pub fault: Fault,
}

/// The catalogue. Cheap to clone; the file system is its state, so processes that share a home agree.
#[derive(Clone, Debug)]
pub struct Catalogue {
    folder: PathBuf,
}

impl Catalogue {
    /// The embedded personas and those in `home`.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self {
            folder: home.join("personas"),
        }
    }

    /// Personas by id. Files that are none are logged and left out; see [`Catalogue::broken`].
    ///
    /// # Errors
    /// `invalid_params` for a cursor that was never handed out.
    pub fn list(&self, filter: &Filter<'_>) -> Result<Page<Persona>, Fault> {
        if let Some(cursor) = filter.cursor {
            slug::check("cursor", cursor)
                .map_err(|_rule| Fault::invalid("cursor", "is not one that was handed out"))?;
        }
        let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let query = filter.query.unwrap_or_default().to_lowercase();
        let words: Vec<&str> = query.split_whitespace().collect();
        let (all, broken) = self.all();
        for broken in broken {
            tracing::warn!(path = %broken.path.display(), fault = %broken.fault, "a persona file was left out");
        }
        let mut items: Vec<Persona> = all
            .into_values()
            .filter(|persona| {
                filter
                    .cursor
                    .is_none_or(|cursor| persona.id.as_str() > cursor)
            })
            .filter(|persona| {
                filter
                    .category
                    .is_none_or(|category| persona.category == category)
            })
            .filter(|persona| matches(persona, &words))
            .take(limit + 1)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| last.id.clone());
        Ok(Page { items, next_cursor })
    }

    /// Files in the home that are no personas.
    #[must_use]
    pub fn broken(&self) -> Vec<Broken> {
        self.all().1
    }

    /// One persona.
    ///
    /// # Errors
    /// `not_found` with the nearest id; `invalid_params` when the person's file of that id is broken.
    pub fn get(&self, id: &str) -> Result<Persona, Fault> {
        self.find(id).map(|(_, persona)| persona)
    }

    /// Whether the binary has a persona of that id.
    #[must_use]
    pub fn is_builtin(&self, id: &str) -> bool {
        builtin::ALL.contains_key(id)
    }

    /// The persona's file as its author wrote it.
    ///
    /// # Errors
    /// Those of [`Catalogue::get`].
    pub fn export(&self, id: &str) -> Result<String, Fault> {
        self.find(id).map(|(file, _)| file.text().to_owned())
    }

    /// Files a new persona. `from` is the text it starts from, `fill` sets its fields.
    ///
    /// # Errors
    /// `name_exists` when the id is taken, in the binary too; those of parsing and of the rules.
    pub fn create(
        &self,
        id: &str,
        from: Option<&str>,
        fill: impl FnOnce(&mut Persona),
    ) -> Result<Persona, Fault> {
        slug::check("id", id)?;
        if self.is_builtin(id) {
            return Err(
                taken(id).hint("persona.update changes a built-in persona by a copy in the home")
            );
        }
        let _turn = self.lock()?;
        if self.of_home(id)?.is_some() {
            return Err(taken(id).hint("choose another id, or change it with persona.update"));
        }
        let text = match from {
            Some(text) => text.to_owned(),
            None => format!("---\nname: {id}\n---\n"),
        };
        self.file_as(&PersonaFile::parse(text)?, id, fill)
    }

    /// Changes a persona; a built-in one is copied to the home first.
    ///
    /// # Errors
    /// Those of [`Catalogue::get`] and of the rules.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Persona)) -> Result<Persona, Fault> {
        let _turn = self.lock()?;
        let (file, old) = self.find(id)?;
        let mut new = Persona {
            source: Source::User,
            ..old.clone()
        };
        change(&mut new);
        self.write(&file, &old, new)
    }

    /// Removes the person's file; a built-in persona of that id is there again.
    ///
    /// # Errors
    /// `not_found`; `invalid_params` when it is only built in.
    pub fn delete(&self, id: &str) -> Result<Persona, Fault> {
        let _turn = self.lock()?;
        let (_, persona) = self.find(id)?;
        if persona.source == Source::Builtin {
            return Err(
                Fault::invalid("id", "names a built-in persona, which stays")
                    .hint("a file of your own under that id goes before it"),
            );
        }
        fs::remove_file(self.path(id)).map_err(|error| self.trouble("remove a file", &error))?;
        atomic::sync_dir(&self.folder).map_err(|error| self.trouble("sync the folder", &error))?;
        Ok(persona)
    }

    /// Takes in a sub-agent file, under `id` or its own name. What is taken in unchanged comes out byte for byte.
    ///
    /// # Errors
    /// `name_exists` when the person has one of that id and `force` is not set; those of parsing and of the rules.
    pub fn import(&self, text: &str, id: Option<&str>, force: bool) -> Result<Persona, Fault> {
        let file = PersonaFile::parse(text)?;
        let id = match (id, file.name()) {
            (Some(id), _) => id.to_owned(),
            (None, Some(name)) if slug::check("name", name).is_ok() => name.to_owned(),
            (None, Some(_)) => {
                return Err(
                    Fault::invalid("id", "is needed: the file's `name` is not a slug")
                        .hint("pass an id of lower-case words joined by hyphens"),
                );
            }
            (None, None) => {
                return Err(Fault::required("id").hint("the file has no `name`: pass an id"));
            }
        };
        slug::check("id", &id)?;
        let _turn = self.lock()?;
        if !force && self.path(&id).exists() {
            return Err(taken(&id).hint("pass force to replace it, or another id"));
        }
        self.file_as(&file, &id, |_| {})
    }

    /// Puts `file` into the home as `id`, with `change` applied. The lock is held by the caller.
    fn file_as(
        &self,
        file: &PersonaFile,
        id: &str,
        change: impl FnOnce(&mut Persona),
    ) -> Result<Persona, Fault> {
        let mut new = file.persona(id, Source::User)?;
        let old = Persona {
            id: file.name().unwrap_or_default().to_owned(),
            ..new.clone()
        };
        change(&mut new);
        if !file.has_description() && new.description == old.description {
            new.description = describe(&new);
        }
        // A name for people must not be lost when the id takes its key.
        let was_spoken = !old.id.is_empty() && slug::check("name", &old.id).is_err();
        let old = if was_spoken {
            Persona {
                name: String::new(),
                ..old
            }
        } else {
            old
        };
        self.write(file, &old, new)
    }

    fn write(&self, file: &PersonaFile, old: &Persona, mut new: Persona) -> Result<Persona, Fault> {
        new.system_prompt = prompt_of(&new.system_prompt);
        validate::persona(&new)?;
        let file = file.rewrite(old, &new)?;
        let persona = file.persona(&new.id, Source::User)?;
        atomic::write(&self.path(&new.id), file.text().as_bytes(), 0o600)
            .map_err(|error| self.trouble("write a file", &error))?;
        Ok(persona)
    }

    fn find(&self, id: &str) -> Result<(PersonaFile, Persona), Fault> {
        if slug::check("id", id).is_ok() {
            if let Some(found) = self.of_home(id)? {
                return Ok(found);
            }
            if let Some(found) = builtin::ALL.get(id) {
                return Ok(found.clone());
            }
        }
        let (all, _) = self.all();
        Err(Fault::not_found_among(
            "persona",
            id,
            all.keys().map(String::as_str),
            "persona_list",
        ))
    }

    /// The person's file of that id, if there is one.
    fn of_home(&self, id: &str) -> Result<Option<(PersonaFile, Persona)>, Fault> {
        let path = self.path(id);
        let read = || -> Result<Option<(PersonaFile, Persona)>, Fault> {
            let text = source::read_own(&path, MAX_BYTES)
                .map_err(|error| Fault::invalid("file", format!("cannot be read: {error}")))?;
            let Some(text) = text else { return Ok(None) };
            let file = PersonaFile::parse(text)?;
            let persona = file.persona(id, Source::User)?;
            validate::persona(&persona)?;
            Ok(Some((file, persona)))
        };
        read().map_err(|fault| Fault {
            detail: format!(
                "the persona file {} is broken: {}",
                path.display(),
                fault.detail
            ),
            hint: Some("mend or remove the file".to_owned()),
            ..fault
        })
    }

    fn all(&self) -> (BTreeMap<String, Persona>, Vec<Broken>) {
        let mut all: BTreeMap<String, Persona> = builtin::ALL
            .iter()
            .map(|(id, (_, persona))| (id.clone(), persona.clone()))
            .collect();
        let mut broken = Vec::new();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).take(MAX_FILES) {
            let Some(id) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let Some(id) = id.strip_suffix(".md").filter(|id| !id.starts_with('.')) else {
                continue;
            };
            match slug::check("id", id).and_then(|()| self.of_home(id)) {
                Ok(Some((_, persona))) => drop(all.insert(id.to_owned(), persona)),
                Ok(None) => {}
                Err(fault) => broken.push(Broken { path, fault }),
            }
        }
        broken.sort_by(|a, b| a.path.cmp(&b.path));
        (all, broken)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.md"))
    }

    /// One writer at a time, over processes; ends when the file is dropped.
    fn lock(&self) -> Result<File, Fault> {
        let lock = || -> io::Result<File> {
            atomic::private_dir(&self.folder)?;
            let mut options = OpenOptions::new();
            let file = options
                .create(true)
                .append(true)
                .mode(0o600)
                .open(self.folder.join(".lock"))?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error| self.trouble("lock the folder", &error))
    }

    fn trouble(&self, what: &str, error: &io::Error) -> Fault {
        Fault::internal(format!(
            "failed to {what} in {}: {error}",
            self.folder.display()
        ))
        .hint("look at free space and permissions of the home")
    }
}

fn matches(persona: &Persona, words: &[&str]) -> bool {
    let texts = [
        &persona.id,
        &persona.name,
        &persona.role,
        &persona.description,
    ];
    let hay = texts
        .into_iter()
        .chain(&persona.traits)
        .map(|text| text.to_lowercase())
        .collect::<Vec<_>>()
        .join("\n");
    words.iter().all(|word| hay.contains(word))
}

fn taken(id: &str) -> Fault {
    Fault::new(
        ErrorKind::NameExists,
        format!("there is a persona \"{id}\" already"),
    )
    .field("id")
}
