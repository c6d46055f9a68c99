//! `persona.*` over the catalogue.

use super::rights::{on_disk, person_only};
use crate::{
    api::persona::{
        PersonaApiServer, PersonaCreate, PersonaDelete, PersonaFields, PersonaId, PersonaImport,
        PersonaList, PersonaText, PersonaUpdate,
    },
    domain::{
        fault::{ErrorKind, Fault},
        page::Page,
        persona::Persona,
    },
    store::{Instances, PageAt, Projects},
    templates::{Catalogue, Identity, IdentityContext, catalogue::Filter, source},
    workspace,
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Answers `persona.*`.
#[derive(Clone, Debug)]
pub struct PersonaDesk {
    pub catalogue: Catalogue,
    pub identity: Identity,
    pub instances: Arc<dyn Instances>,
    pub projects: Arc<dyn Projects>,
    /// `~/.claude/agents`, from which sub-agent files may be named by path, besides the registered projects.
    pub sub_agents: Option<PathBuf>,
}

impl PersonaDesk {
    /// The text that `from` stands for: a file's, or that of a persona of that id.
    async fn source(&self, from: &str) -> Result<String, Fault> {
        let is_path =
            from.contains('/') || Path::new(from).extension().is_some_and(|end| end == "md");
        if is_path {
            let (path, roots) = (self.expand(from), self.roots().await?);
            return on_disk(move || source::read_below(&path, &roots)).await;
        }
        let (catalogue, id) = (self.catalogue.clone(), from.to_owned());
        on_disk(move || catalogue.export(&id))
            .await
            .map_err(|fault| fault.field("from"))
    }

    /// `~/.claude/agents/x.md` as people write it.
    fn expand(&self, from: &str) -> PathBuf {
        let rest = from.strip_prefix("~/.claude/agents/");
        match (rest, &self.sub_agents) {
            (Some(rest), Some(folder)) => folder.join(rest),
            (_, _) => PathBuf::from(from),
        }
    }

    async fn roots(&self) -> Result<Vec<PathBuf>, Fault> {
        let mut roots: Vec<PathBuf> = self.sub_agents.iter().cloned().collect();
        let mut at = PageAt {
            cursor: None,
            limit: 200,
        };
        loop {
            let page = self.projects.list(at).await?;
            roots.extend(page.items.into_iter().map(|project| project.path.into()));
            match page.next_cursor {
                Some(cursor) => {
                    at = PageAt {
                        cursor: Some(cursor),
                        limit: 200,
                    }
                }
                None => return Ok(roots),
            }
        }
    }
}

#[async_trait]
impl PersonaApiServer for PersonaDesk {
    async fn list(&self, params: PersonaList) -> Result<Page<Persona>, Fault> {
        let catalogue = self.catalogue.clone();
        on_disk(move || {
            catalogue.list(&Filter {
                query: params.query.as_deref(),
                category: params.category.as_deref(),
                cursor: params.cursor.as_deref(),
                limit: params.limit,
            })
        })
        .await
    }

    async fn get(&self, params: PersonaId) -> Result<Persona, Fault> {
        let catalogue = self.catalogue.clone();
        on_disk(move || catalogue.get(&params.id)).await
    }

    async fn create(
        &self,
        extensions: &Extensions,
        params: PersonaCreate,
    ) -> Result<Persona, Fault> {
        person_only(extensions)?;
        if params.id.is_empty() {
            return Err(Fault::required("id"));
        }
        let from = match &params.from {
            Some(from) => Some(self.source(from).await?),
            None => None,
        };
        let catalogue = self.catalogue.clone();
        on_disk(move || {
            catalogue.create(&params.id, from.as_deref(), |persona| {
                fill(persona, params.fields);
            })
        })
        .await
    }

    async fn update(
        &self,
        extensions: &Extensions,
        params: PersonaUpdate,
    ) -> Result<Persona, Fault> {
        person_only(extensions)?;
        if params.id.is_empty() {
            return Err(Fault::required("id"));
        }
        let catalogue = self.catalogue.clone();
        on_disk(move || catalogue.update(&params.id, |persona| fill(persona, params.fields))).await
    }

    async fn delete(
        &self,
        extensions: &Extensions,
        params: PersonaDelete,
    ) -> Result<Persona, Fault> {
        person_only(extensions)?;
        // Where a built-in one is underneath, instances go on with that.
        if !params.force && !self.catalogue.is_builtin(&params.id) {
            let users = self.instances.using_persona(&params.id).await?;
            if users > 0 {
                let detail = format!("{users} instances use the persona \"{}\"", params.id);
                return Err(Fault::new(ErrorKind::InUse, detail).hint(
                    "give them another persona first, or pass force: they keep the files they have",
                ));
            }
        }
        let catalogue = self.catalogue.clone();
        on_disk(move || catalogue.delete(&params.id)).await
    }

    async fn import(
        &self,
        extensions: &Extensions,
        params: PersonaImport,
    ) -> Result<Persona, Fault> {
        person_only(extensions)?;
        let catalogue = self.catalogue.clone();
        on_disk(move || catalogue.import(&params.text, params.id.as_deref(), params.force)).await
    }

    async fn export(&self, params: PersonaId) -> Result<PersonaText, Fault> {
        let catalogue = self.catalogue.clone();
        on_disk(move || {
            catalogue
                .export(&params.id)
                .map(|text| PersonaText { text })
        })
        .await
    }

    async fn preview(&self, params: PersonaId) -> Result<PersonaText, Fault> {
        let (catalogue, identity) = (self.catalogue.clone(), self.identity.clone());
        on_disk(move || {
            let text = without_instance(&identity, &catalogue.get(&params.id)?)?;
            Ok(PersonaText { text })
        })
        .await
    }
}

/// The one text of a persona that is at work without an instance.
///
/// # Errors
/// Those of rendering its templates.
pub fn without_instance(identity: &Identity, persona: &Persona) -> Result<String, Fault> {
    let context = IdentityContext {
        persona: Some(persona),
        ..IdentityContext::default()
    };
    let files = identity.render(&context)?;
    Ok(workspace::text_of(&files, None).unwrap_or_default())
}

/// Sets the fields that are given.
fn fill(persona: &mut Persona, fields: PersonaFields) {
    fn set<T>(field: &mut T, given: Option<T>) {
        if let Some(given) = given {
            *field = given;
        }
    }
    set(&mut persona.name, fields.name);
    set(&mut persona.role, fields.role);
    set(&mut persona.description, fields.description);
    set(&mut persona.category, fields.category);
    set(&mut persona.icon, fields.icon);
    set(&mut persona.system_prompt, fields.system_prompt);
    set(&mut persona.traits, fields.traits);
    set(&mut persona.tools, fields.tools);
    set(&mut persona.model, fields.model);
    set(&mut persona.temperature, fields.temperature);
    set(&mut persona.max_tokens, fields.max_tokens);
    set(&mut persona.reasoning_level, fields.reasoning_level);
    set(&mut persona.agent, fields.agent);
    set(&mut persona.memory_seeds, fields.memory_seeds);
    set(&mut persona.identity_templates, fields.identity_templates);
    set(&mut persona.hierarchy_role, fields.hierarchy_role);
}
