//! Modules: which texts take part, and which uses which.

use std::collections::{BTreeMap, VecDeque};

use dwmap_grammar::tree;

use crate::diagnostics::{CYCLE_OF_USES, DECLARED_TWICE, Diagnostic, UNKNOWN_MODULE};
use crate::project::{Project, SourceFile};
use crate::resolve::Sink;
use crate::sources::{FileId, Place, Sources};
use crate::suggest::nearest;

/// A text that takes part, parsed.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its path: `maps.customers`, `std.fno`.
    pub(crate) path: String,
    pub(crate) file: FileId,
    pub(crate) tree: tree::File,
    /// What it uses, in order; `use` lines that lead nowhere are left out.
    pub(crate) uses: Vec<Using>,
}

/// A `use` line that leads somewhere.
#[derive(Debug)]
pub(crate) struct Using {
    /// The name that the module gets here.
    pub(crate) alias: String,
    /// The module, by index.
    pub(crate) module: usize,
    pub(crate) place: Place,
}

impl Module {
    /// A place in this module's text.
    pub(crate) const fn place(&self, span: dwmap_grammar::Span) -> Place {
        Place {
            file: self.file,
            span,
        }
    }
}

/// The module path of a file: `maps/party-addresses.dwmap` is `maps.party_addresses`.
fn module_path(file: &str) -> String {
    let stem = file.strip_suffix(".dwmap").unwrap_or(file);
    let stem = stem.strip_prefix("./").unwrap_or(stem);
    stem.replace('/', ".").replace('-', "_")
}

/// Reads the project's files in the order of their paths, then whatever of the library they use.
pub(crate) fn load(project: &Project, sources: &mut Sources, sink: &mut Sink) -> Vec<Module> {
    let mut loader = Loader {
        project,
        sources,
        sink,
        modules: Vec::new(),
        by_path: BTreeMap::new(),
    };
    let mut files: Vec<&SourceFile> = project.files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for file in files {
        loader.add(module_path(&file.path), file, false);
    }
    let mut stock = project.stock.clone();
    stock.sort();
    for path in &stock {
        loader.library(path);
    }
    loader.follow_uses();
    let Loader {
        mut modules, sink, ..
    } = loader;
    report_cycles(&modules, sink);
    report_double_aliases(&mut modules, sink);
    modules
}

struct Loader<'a> {
    project: &'a Project,
    sources: &'a mut Sources,
    sink: &'a mut Sink,
    modules: Vec<Module>,
    by_path: BTreeMap<String, usize>,
}

impl Loader<'_> {
    fn add(&mut self, path: String, file: &SourceFile, library: bool) -> usize {
        let id = self
            .sources
            .add(file.path.clone(), file.text.clone(), library);
        let parsed = dwmap_grammar::parse(&file.text);
        for error in parsed.errors {
            self.sink.push(Diagnostic::syntax(id, error));
        }
        let index = self.modules.len();
        let module = Module {
            path: path.clone(),
            file: id,
            tree: parsed.file,
            uses: Vec::new(),
        };
        if let Some(first) = self.by_path.get(&path) {
            let at = |m: &Module| m.place(dwmap_grammar::Span::at(0));
            let diagnostic = Diagnostic::new(
                DECLARED_TWICE,
                at(&module),
                format!("two files make the module {path}: a - in a file's name counts as _"),
            );
            let first = at(&self.modules[*first]);
            self.sink
                .push(diagnostic.related(first, "the first of them"));
        } else {
            self.by_path.insert(path, index);
        }
        self.modules.push(module);
        index
    }

    /// A library module, read when it is first asked for.
    fn library(&mut self, path: &str) -> Option<usize> {
        if let Some(index) = self.by_path.get(path) {
            return Some(*index);
        }
        let file = (self.project.library)(path)?;
        Some(self.add(path.to_owned(), &file, true))
    }

    fn follow_uses(&mut self) {
        let mut queue: VecDeque<usize> = (0..self.modules.len()).collect();
        while let Some(index) = queue.pop_front() {
            let uses = self.modules[index].tree.uses.clone();
            for using in uses {
                let known = self.modules.len();
                let path = using.module.text().replace('-', "_");
                let place = self.modules[index].place(using.module.span);
                let Some(module) = self.library(&path) else {
                    self.unknown(&path, place);
                    continue;
                };
                queue.extend(known..self.modules.len());
                let alias = using.alias.as_ref().or_else(|| using.module.last());
                let alias = alias.map_or_else(String::new, |a| a.text.replace('-', "_"));
                let place = self.modules[index].place(using.span);
                self.modules[index].uses.push(Using {
                    alias,
                    module,
                    place,
                });
            }
        }
    }

    fn unknown(&mut self, path: &str, place: Place) {
        let meant = nearest(path, self.by_path.keys().map(String::as_str));
        let diagnostic =
            Diagnostic::new(UNKNOWN_MODULE, place, format!("there is no module {path}"))
                .label("not found")
                .meant(meant, place);
        self.sink.push(if meant.is_none() {
            diagnostic.help(
                "`use a.b` reads a/b.dwmap, from the project's root; `std.…` is the stock library",
            )
        } else {
            diagnostic
        });
    }
}

/// Each ring of uses is reported once, in the file that was read first.
fn report_cycles(modules: &[Module], sink: &mut Sink) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    fn visit(
        at: usize,
        modules: &[Module],
        marks: &mut [Mark],
        path: &mut Vec<usize>,
        sink: &mut Sink,
    ) {
        marks[at] = Mark::Open;
        path.push(at);
        for using in &modules[at].uses {
            match marks[using.module] {
                Mark::New => visit(using.module, modules, marks, path, sink),
                Mark::Open => {
                    let start = path.iter().position(|m| *m == using.module).unwrap_or(0);
                    report_cycle(modules, &path[start..], sink);
                }
                Mark::Done => {}
            }
        }
        path.pop();
        marks[at] = Mark::Done;
    }
    let mut marks = vec![Mark::New; modules.len()];
    for at in 0..modules.len() {
        if marks[at] == Mark::New {
            visit(at, modules, &mut marks, &mut Vec::new(), sink);
        }
    }
}

fn report_cycle(modules: &[Module], ring: &[usize], sink: &mut Sink) {
    let use_of = |from: usize, to: usize| modules[from].uses.iter().find(|u| u.module == to);
    let (Some(&first), Some(&second)) = (ring.first(), ring.get(1).or(ring.first())) else {
        return;
    };
    let Some(using) = use_of(first, second) else {
        return;
    };
    let name = |at: usize| modules[at].path.as_str();
    let message = if ring.len() == 1 {
        format!("{} uses itself", name(first))
    } else {
        let way: Vec<&str> = ring[1..].iter().map(|m| name(*m)).collect();
        format!(
            "{} uses {}, which uses it again",
            name(first),
            way.join(", which uses ")
        )
    };
    let mut diagnostic = Diagnostic::new(CYCLE_OF_USES, using.place, message)
        .label("the ring begins here")
        .help("move what both need to a module of its own");
    for (at, from) in ring.iter().enumerate().skip(1) {
        let to = ring[(at + 1) % ring.len()];
        if let Some(next) = use_of(*from, to) {
            diagnostic = diagnostic.related(next.place, "and goes on here");
        }
    }
    sink.push(diagnostic);
}

fn report_double_aliases(modules: &mut [Module], sink: &mut Sink) {
    for module in modules {
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        module.uses.retain(|using| {
            let first = *seen.entry(using.alias.clone()).or_insert(using.place);
            if first == using.place {
                return true;
            }
            let message = format!("two modules are called {} here", using.alias);
            sink.push(
                Diagnostic::new(DECLARED_TWICE, using.place, message)
                    .label("the second")
                    .related(first, "the first")
                    .help("give one of them another name: `use a.b as c`"),
            );
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_module() {
        assert_eq!(
            module_path("maps/party-addresses.dwmap"),
            "maps.party_addresses"
        );
        assert_eq!(module_path("main.dwmap"), "main");
    }
}
