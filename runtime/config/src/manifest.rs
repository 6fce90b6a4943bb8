//! The manifest as a whole: read, laid over by an environment, checked.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::DeTable;

use crate::{
    Alerts, ConfigError, MapSource, Policy, Project, State, System,
    glob::{self, ListError},
    node::{self, Node, Table, Value, lay_over},
    place::Source,
    section::Section,
    suggest::Choices,
    system::Kind,
};

const KEYS: &[&str] = &["project", "systems", "state", "policy", "alerts", "env"];
/// What an environment may lay over.
const ENVIRONMENT_KEYS: &[&str] = &["project", "systems", "state", "policy", "alerts"];

/// A project's manifest, one environment chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The folder of the file, to which all its paths are relative.
    pub root: PathBuf,
    /// Its name and its maps.
    pub project: Project,
    /// The systems, in the order of their names.
    pub systems: Vec<System>,
    /// Where state is kept.
    pub state: State,
    /// What holds for all maps.
    pub policy: Policy,
    /// Who is told when a person is needed, if anybody.
    pub alerts: Option<Alerts>,
}

impl Manifest {
    /// Reads the manifest at `path`, and lays the environment `env` over it.
    ///
    /// Environments that aren't chosen are checked too, so that a slip in one shows before the day that it is needed.
    pub fn load(path: &Path, env: Option<&str>) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            file: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text, env)
    }

    /// [`Manifest::load`] of a text that is at hand; `path` is where it stands or would stand.
    ///
    /// ```
    /// # use {dwmap_config::Manifest, std::path::Path};
    /// let text = r#"
    ///     [project]
    ///     name = "contoso"
    ///     maps = ["std.customers"]
    ///
    ///     [systems.dv]
    ///     kind = "dataverse"
    ///     schema = "std.dataverse"
    ///     url = "https://contoso.crm4.dynamics.com"
    ///     auth = { kind = "none" }
    ///
    ///     [env.test.systems.dv]
    ///     url = "https://contoso-test.crm4.dynamics.com/"
    /// "#;
    /// let manifest = Manifest::parse(Path::new("dwmap.toml"), text, Some("test"))?;
    /// let dv = manifest.system("dv").expect("the system above");
    /// assert_eq!(dv.base_url(&manifest.root)?, "https://contoso-test.crm4.dynamics.com");
    /// # Ok::<(), dwmap_config::ConfigError>(())
    /// ```
    pub fn parse(path: &Path, text: &str, env: Option<&str>) -> Result<Self, ConfigError> {
        let source = Source {
            file: path.to_owned(),
            text: Arc::from(text),
        };
        let parsed = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: source.place(&error.span().unwrap_or(0..0)),
            message: error.message().replace('\n', ", "),
        })?;
        let base = node::table(parsed.get_ref());
        let top = Section::new(&source, "the manifest", &base, &(0..0), KEYS)?;

        let environments = environments(&top)?;
        if let Some(name) = env
            && !environments.iter().any(|(known, _)| *known == name)
        {
            return Err(ConfigError::UnknownEnvironment {
                file: path.to_owned(),
                name: name.to_owned(),
                choices: Box::new(Choices::of(
                    name,
                    environments.iter().map(|(known, _)| *known),
                )),
            });
        }
        let mut chosen = env.is_none().then(|| build(&source, &base)).transpose()?;
        for (name, over) in environments {
            let mut laid = base.clone();
            lay_over(&mut laid, over);
            let manifest = build(&source, &laid)?;
            if env == Some(name) {
                chosen = Some(manifest);
            }
        }
        // Without an environment it was built above, and the one named is among those that were gone through.
        chosen.ok_or_else(|| top.missing_table("project", "[project]"))
    }

    /// The system of this name.
    pub fn system(&self, name: &str) -> Option<&System> {
        self.systems.iter().find(|system| system.name == name)
    }

    /// The project's own map files, in the order of `maps`, each once. A pattern without a file is an error.
    pub fn map_files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let mut files: Vec<PathBuf> = Vec::new();
        for source in &self.project.maps {
            let MapSource::Files { pattern, place } = source else {
                continue;
            };
            let found =
                glob::files(&self.root, pattern).map_err(|ListError { path, source }| {
                    ConfigError::Folder {
                        place: place.clone(),
                        path,
                        source,
                    }
                })?;
            if found.is_empty() {
                return Err(ConfigError::NoMatch {
                    place: place.clone(),
                    pattern: pattern.clone(),
                });
            }
            for file in found {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }
}

/// The environments by name, their keys checked.
fn environments<'a>(top: &Section<'a>) -> Result<Vec<(&'a str, &'a Table)>, ConfigError> {
    let Some((table, _)) = top.table("env")? else {
        return Ok(Vec::new());
    };
    let mut environments = Vec::new();
    for (name, entry) in table {
        let Value::Table(over) = &entry.node.value else {
            return Err(top.wrong(name, &entry.node, "a table"));
        };
        Section::new(
            top.source,
            format!("[env.{name}]"),
            over,
            &entry.key_span,
            ENVIRONMENT_KEYS,
        )?;
        environments.push((name.as_str(), over));
    }
    Ok(environments)
}

fn build(source: &Source, table: &Table) -> Result<Manifest, ConfigError> {
    let top = Section::new(source, "the manifest", table, &(0..0), KEYS)?;
    let project = top
        .section("project", Project::KEYS)?
        .ok_or_else(|| top.missing_table("project", "[project]"))?;
    let project = Project::read(&project)?;
    let systems = systems(&top)?;
    check_links(&systems)?;
    let state = match top.section("state", State::KEYS)? {
        Some(section) => State::read(&section)?,
        None => State::unsaid(source.place(&(0..0))),
    };
    let policy = match top.section("policy", Policy::KEYS)? {
        Some(section) => Policy::read(&section)?,
        None => Policy::default(),
    };
    let alerts = top
        .section("alerts", Alerts::KEYS)?
        .map(|section| Alerts::read(&section))
        .transpose()?;
    let root = match source.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok(Manifest {
        root,
        project,
        systems,
        state,
        policy,
        alerts,
    })
}

fn systems(top: &Section<'_>) -> Result<Vec<System>, ConfigError> {
    let Some((table, span)) = top.table("systems")? else {
        return Err(top.missing_table("systems", "[systems.NAME]"));
    };
    let mut systems = Vec::new();
    for (name, entry) in table {
        let Node {
            value: Value::Table(inner),
            ..
        } = &entry.node
        else {
            return Err(top.wrong(name, &entry.node, "a table"));
        };
        let section = Section::new(
            top.source,
            format!("[systems.{name}]"),
            inner,
            &entry.key_span,
            System::KEYS,
        )?;
        systems.push(System::read(
            name,
            top.source.place(&entry.key_span),
            &section,
        )?);
    }
    if systems.is_empty() {
        return Err(ConfigError::Missing {
            place: top.source.place(span),
            key: "NAME".to_owned(),
            section: "[systems]".to_owned(),
            example: "a table `[systems.NAME]`".to_owned(),
        });
    }
    Ok(systems)
}

/// Changes are read through a Dataverse environment that the manifest has.
fn check_links(systems: &[System]) -> Result<(), ConfigError> {
    for changes in systems.iter().filter_map(|system| system.changes.as_ref()) {
        match systems.iter().find(|system| system.name == changes.via) {
            Some(system) if system.kind == Kind::Dataverse => {}
            Some(system) => {
                return Err(ConfigError::NotDataverse {
                    place: changes.place.clone(),
                    system: system.name.clone(),
                });
            }
            None => {
                return Err(ConfigError::NotOneOf {
                    place: changes.place.clone(),
                    key: "via".to_owned(),
                    value: changes.via.clone(),
                    choices: Box::new(Choices::of(
                        &changes.via,
                        systems.iter().map(|system| system.name.as_str()),
                    )),
                });
            }
        }
    }
    Ok(())
}
