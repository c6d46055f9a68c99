//! The catalogue inside the binary.

use super::persona_file::PersonaFile;
use crate::domain::persona::{Persona, Source};
use rust_embed::RustEmbed;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(RustEmbed)]
#[folder = "templates/personas"]
struct Embedded;

/// Built-in personas by id, read once.
pub(crate) static ALL: LazyLock<BTreeMap<String, (PersonaFile, Persona)>> = LazyLock::new(|| {
    Embedded::iter()
        .filter_map(|path| {
            let id = path.strip_suffix(".md")?.to_owned();
            let text = String::from_utf8_lossy(&Embedded::get(&path)?.data).into_owned();
            let file = PersonaFile::parse(text).expect("a test reads every embedded persona");
            let persona = file
                .persona(&id, Source::Builtin)
                .expect("a test reads every embedded persona");
            Some((id, (file, persona)))
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::templates::{
        identity::{Identity, IdentityContext, NAMES},
        validate,
    };

    #[test]
    fn every_embedded_persona_is_sound_and_renders() {
        assert_eq!(ALL.len(), 20);
        let identity = Identity::new(std::path::Path::new("/nonexistent"));
        for (id, (file, persona)) in ALL.iter() {
            validate::persona(persona).expect(id);
            assert_eq!(file.name(), Some(id.as_str()));
            assert!(
                !persona.system_prompt.is_empty() && persona.extra.is_empty(),
                "{id}"
            );
            let context = IdentityContext {
                persona: Some(persona),
                ..IdentityContext::default()
            };
            let files = identity.render(&context).expect(id);
            assert_eq!(
                files
                    .iter()
                    .map(|file| file.name.as_str())
                    .collect::<Vec<_>>(),
                NAMES
            );
            assert!(files[0].content.contains(&persona.system_prompt), "{id}");
        }
    }
}
