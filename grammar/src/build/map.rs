//! Maps and their items.

use super::Builder;
use crate::mistakes;
use crate::recover::{ACTIONS, ITEM_WORDS, Place, SUFFIX_WORDS};
use crate::syntax::{Node, NodeExt, Rule};
use crate::tree::{
    Action, ActionKind, Assign, Company, Conflict, ConflictPolicy, CreateOnly, Dated, Decl,
    Direction, DropLine, Exclusive, ExtendMap, Initial, InitialKind, LeaveRule, Line, Lines, Map,
    MapItem, MatchBy, NamedStep, OnMissing, OtherMap, Overflow, OverflowPolicy, Path, Priority,
    Probe, Side, Step, StepKind, Suffix, SuffixKind, Where, Window,
};
use crate::{Span, tree::Ident};

/// Whether a block is a map or an extension of one: some items stand only in the latter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Map,
    Extension,
}

impl Builder<'_> {
    pub(super) fn map(&mut self, node: &Node<'_>) -> Option<Map> {
        let name = self.ident(&node.first(Rule::ident)?);
        self.colon(node, name.span);
        let mut sides = node.all(Rule::side);
        let left = self.side(&sides.next()?)?;
        let arrow = self.arrow_of(node)?;
        let right = self.side(&sides.next()?)?;
        let items = self.map_body(node, &format!("The map {}", name.text), Block::Map)?;
        let span = node.place();
        Some(Map {
            doc: self.doc_above(span.start),
            name,
            left,
            arrow,
            right,
            items,
            span,
        })
    }

    fn side(&mut self, node: &Node<'_>) -> Option<Side> {
        let alias = node.first(Rule::ident).map(|alias| self.ident(&alias));
        let entity = self.name(&node.first(Rule::dotted)?);
        Some(Side {
            alias,
            entity,
            span: node.place(),
        })
    }

    pub(super) fn extend_map(&mut self, node: &Node<'_>) -> Option<ExtendMap> {
        let base = self.name(&node.first(Rule::dotted)?);
        let items = self.map_body(
            node,
            &format!("The extension of {}", base.text()),
            Block::Extension,
        )?;
        let span = node.place();
        Some(ExtendMap {
            doc: self.doc_above(span.start),
            base,
            items,
            span,
        })
    }

    /// A map whose head can't be read: its items are, for their mistakes.
    pub(super) fn bad_map(&mut self, node: &Node<'_>) -> Decl {
        if let Some(head) = node.first(Rule::bad_head) {
            self.report(mistakes::map_head(head.place()));
        }
        self.map_body(node, "This map", Block::Map);
        Decl::Bad(node.place())
    }

    pub(super) fn line_items(&mut self, node: &Node<'_>) -> Option<Lines> {
        let mut names = node.all(Rule::dotted);
        let span = node.place();
        Some(Lines {
            doc: self.doc_above(span.start),
            map: self.name(&names.next()?),
            parent: self.name(&names.next()?),
            by: self.path(&node.first(Rule::path)?)?,
            span,
        })
    }

    fn map_body(&mut self, node: &Node<'_>, what: &str, block: Block) -> Option<Vec<MapItem>> {
        let body = node.first(Rule::map_body)?;
        self.closed(&body, what);
        let mut items = Vec::new();
        for item in body.into_inner() {
            match item.as_rule() {
                Rule::unclosed => {}
                Rule::stray_comma => self.report(mistakes::stray_comma(item.place())),
                Rule::missing_end => self.missing_end(item.as_span().start()),
                _ => {
                    self.check_place(&item, block);
                    items.push(self.map_item(&item).unwrap_or(MapItem::Bad(item.place())));
                }
            }
        }
        Some(items)
    }

    fn check_place(&mut self, item: &Node<'_>, block: Block) {
        let word = match item.as_rule() {
            Rule::replace => "replace",
            Rule::drop => "drop",
            _ => return,
        };
        if block == Block::Map {
            let start = item.place().start;
            let span = Span::new(start, start + word.len());
            self.report(mistakes::misplaced(span, word, "an `extend map`"));
        }
    }

    fn map_item(&mut self, node: &Node<'_>) -> Option<MapItem> {
        let span = node.place();
        Some(match node.as_rule() {
            Rule::key_line => MapItem::Key(self.line(&node.first(Rule::line)?)?),
            Rule::line => MapItem::Line(self.line(node)?),
            Rule::replace => MapItem::Replace(self.line(&node.first(Rule::line)?)?),
            Rule::drop => MapItem::Drop(DropLine {
                line: self.only_path(node)?,
                span,
            }),
            Rule::where_ => MapItem::Where(self.where_(node)?),
            Rule::conflict => MapItem::Conflict(self.conflict(node)?),
            Rule::delete => MapItem::Delete(self.leave_rule(node)?),
            Rule::on_leave => MapItem::OnLeave(self.leave_rule(node)?),
            Rule::initial => MapItem::Initial(self.initial(node)?),
            Rule::match_by => MapItem::MatchBy(MatchBy {
                ways: node
                    .all(Rule::match_way)
                    .map(|way| self.paths(&way))
                    .collect(),
                span,
            }),
            Rule::probe => MapItem::Probe(Probe {
                by: self.paths(node),
                span,
            }),
            Rule::exclusive => {
                let (field, by) = self.two_paths(node)?;
                MapItem::Exclusive(Exclusive { field, by, span })
            }
            Rule::dated => {
                let (from, to) = self.two_paths(node)?;
                MapItem::Dated(Dated { from, to, span })
            }
            Rule::company => {
                let code = node.first(Rule::string).map(|code| self.text(&code));
                MapItem::Company(Company { code, span })
            }
            Rule::update_only => MapItem::UpdateOnly(span),
            Rule::create_only => {
                let (from, to) = self.way(&node.first(Rule::way)?)?;
                MapItem::CreateOnly(CreateOnly { from, to, span })
            }
            Rule::alternative => MapItem::AlternativeTo(self.other_map(node)?),
            Rule::disjoint => MapItem::DisjointWith(self.other_map(node)?),
            Rule::overflow_item => {
                let policy = overflow_policy(&node.first(Rule::overflow)?)?;
                MapItem::Overflow(Overflow { policy, span })
            }
            Rule::gate => MapItem::Gate(span),
            Rule::window => MapItem::Window(self.window(node)?),
            Rule::priority => MapItem::Priority(Priority {
                value: self.int(&node.first(Rule::int)?),
                span,
            }),
            Rule::missing_arrow => self.missing_arrow(node)?,
            _ => MapItem::Bad(self.bad(node, Place::Map)),
        })
    }

    fn other_map(&mut self, node: &Node<'_>) -> Option<OtherMap> {
        Some(OtherMap {
            map: self.name(&node.first(Rule::dotted)?),
            span: node.place(),
        })
    }

    fn only_path(&mut self, node: &Node<'_>) -> Option<Path> {
        self.path(&node.first(Rule::path)?)
    }

    fn paths(&mut self, node: &Node<'_>) -> Vec<Path> {
        node.all(Rule::path)
            .filter_map(|path| self.path(&path))
            .collect()
    }

    fn two_paths(&mut self, node: &Node<'_>) -> Option<(Path, Path)> {
        let mut paths = self.paths(node).into_iter();
        Some((paths.next()?, paths.next()?))
    }

    /// Two paths side by side. After a word that begins an item, it is that item which is wrong.
    fn missing_arrow(&mut self, node: &Node<'_>) -> Option<MapItem> {
        let span = node.place();
        let mut sides = node.clone().into_inner();
        let left = sides.next()?.place();
        let right = sides.next()?.place();
        let word = left.of(self.source);
        if ITEM_WORDS.contains(&word) {
            return Some(MapItem::Bad(self.bad(node, Place::Map)));
        }
        let gap = Span::new(left.end, right.start);
        if self.has_broken_token(span) {
            return Some(MapItem::Bad(span));
        }
        self.report(mistakes::missing_arrow(
            right,
            gap,
            word,
            right.of(self.source),
        ));
        Some(MapItem::Bad(span))
    }

    pub(super) fn line(&mut self, node: &Node<'_>) -> Option<Line> {
        let mut sides = node.all(Rule::expr);
        let left = self.expr(&sides.next()?)?;
        let arrow = self.arrow_of(node)?;
        let right = self.expr(&sides.next()?)?;
        let (steps, suffixes) = self.line_end(node);
        Some(Line {
            left,
            arrow,
            right,
            steps,
            suffixes,
            span: node.place(),
        })
    }

    /// The steps and suffixes of a line. A step without its pipe is reported once a line, and read as a step.
    fn line_end(&mut self, node: &Node<'_>) -> (Vec<Step>, Vec<Suffix>) {
        let (mut steps, mut suffixes) = (Vec::new(), Vec::<Suffix>::new());
        let mut reported = false;
        for child in node.clone().into_inner() {
            if child.as_rule() == Rule::pipe {
                if let Some(suffix) = suffixes.first().filter(|_| !reported) {
                    let suffix = suffix.span.of(self.source).to_owned();
                    self.report(mistakes::late_step(child.place(), &suffix));
                    reported = true;
                }
                steps.extend(child.first(Rule::step).and_then(|step| self.step(&step)));
                continue;
            }
            let Some(end) = Some(child).filter(|child| child.as_rule() == Rule::suffix) else {
                continue;
            };
            if let Some(step) = end.first(Rule::missing_pipe) {
                let span = step.place();
                if !reported {
                    let word = span
                        .of(self.source)
                        .split(['(', ' ', '{'])
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    let place = Span::new(span.start, span.start + word.len());
                    self.report(mistakes::missing_pipe(place, &word, &SUFFIX_WORDS));
                    reported = true;
                }
                steps.extend(step.first(Rule::step).and_then(|step| self.step(&step)));
            } else if let Some(wrong) = end.first(Rule::bad_suffix) {
                reported = true;
                self.bad(&wrong, Place::Suffix);
            } else {
                suffixes.extend(self.suffix(&end));
            }
        }
        (steps, suffixes)
    }

    pub(super) fn step(&mut self, node: &Node<'_>) -> Option<Step> {
        let span = node.place();
        let table = match node.first(Rule::table) {
            Some(table) => Some(self.table(&table, "This table")?),
            None => None,
        };
        let kind = match (node.first(Rule::dotted), table) {
            (Some(name), table) => {
                let args = node.first(Rule::args).map(|args| self.args(&args));
                StepKind::Named(NamedStep {
                    name: self.name(&name),
                    args: args.unwrap_or_default(),
                    table,
                })
            }
            (None, table) => StepKind::Table(table?),
        };
        Some(Step { kind, span })
    }

    fn suffix(&mut self, node: &Node<'_>) -> Option<Suffix> {
        let inner = node.clone().into_inner().next()?;
        let kind = match inner.as_rule() {
            Rule::on_create => SuffixKind::OnCreate,
            Rule::on_missing => {
                SuffixKind::OnMissing(match inner.first(Rule::missing_policy)?.as_str() {
                    "park" => OnMissing::Park,
                    "blank" => OnMissing::Blank,
                    _ => OnMissing::Reject,
                })
            }
            Rule::overflow => SuffixKind::Overflow(overflow_policy(&inner)?),
            Rule::generated => SuffixKind::GeneratedBy(self.ident(&inner.first(Rule::ident)?)),
            Rule::by_key => SuffixKind::ByKey(self.ident(&inner.first(Rule::ident)?)),
            _ => return None,
        };
        Some(Suffix {
            kind,
            span: node.place(),
        })
    }

    fn where_(&mut self, node: &Node<'_>) -> Option<Where> {
        let side = self.ident(&node.first(Rule::ident)?);
        self.colon(node, side.span);
        Some(Where {
            side,
            filter: self.expr(&node.first(Rule::expr)?)?,
            span: node.place(),
        })
    }

    fn conflict(&mut self, node: &Node<'_>) -> Option<Conflict> {
        let line = node.first(Rule::path).and_then(|path| self.path(&path));
        let policy_node = node.first(Rule::policy)?;
        let policy = match policy_node.first(Rule::prefer) {
            Some(prefer) => ConflictPolicy::Prefer(self.ident(&prefer.first(Rule::ident)?)),
            None => match policy_node.place().of(self.source) {
                "latest" => ConflictPolicy::Latest,
                "manual" => ConflictPolicy::Manual,
                _ => ConflictPolicy::Add,
            },
        };
        Some(Conflict {
            line,
            policy,
            policy_span: policy_node.place(),
            span: node.place(),
        })
    }

    /// `delete a -> b: action` and `on leave a -> b: action`.
    fn leave_rule(&mut self, node: &Node<'_>) -> Option<LeaveRule> {
        let way = node.first(Rule::way)?;
        let (from, to) = self.way(&way)?;
        self.colon(node, way.place());
        let action = self.action(&node.first(Rule::action)?)?;
        Some(LeaveRule {
            from,
            to,
            action,
            span: node.place(),
        })
    }

    /// `a -> b`.
    fn way(&mut self, node: &Node<'_>) -> Option<(Ident, Ident)> {
        self.fixed_arrow(node, Direction::Right, "The way from one side to the other")?;
        let mut sides = self.idents(node).into_iter();
        Some((sides.next()?, sides.next()?))
    }

    fn action(&mut self, node: &Node<'_>) -> Option<Action> {
        let span = node.place();
        let kind = if let Some(deactivate) = node.first(Rule::deactivate) {
            self.commas(&deactivate);
            let assigns = deactivate
                .all(Rule::assign)
                .map(|assign| self.assign(&assign));
            ActionKind::Deactivate(assigns.collect::<Option<_>>()?)
        } else {
            match span.of(self.source) {
                "propagate" => ActionKind::Propagate,
                "delete" => ActionKind::Delete,
                "ignore" => ActionKind::Ignore,
                "deactivate" => {
                    self.report(mistakes::wrong_form(
                        span,
                        "deactivate",
                        "deactivate(FIELD = VALUE, …)",
                    ));
                    return None;
                }
                other => {
                    self.report(mistakes::unknown_word(span, other, "action", &ACTIONS));
                    return None;
                }
            }
        };
        Some(Action { kind, span })
    }

    fn assign(&mut self, node: &Node<'_>) -> Option<Assign> {
        Some(Assign {
            field: self.ident(&node.first(Rule::ident)?),
            value: self.value(&node.first(Rule::value)?)?,
            span: node.place(),
        })
    }

    fn initial(&mut self, node: &Node<'_>) -> Option<Initial> {
        let kind = if let Some(prefer) = node.first(Rule::prefer) {
            InitialKind::Prefer(self.ident(&prefer.first(Rule::ident)?))
        } else {
            let (from, to) = self.way(&node.first(Rule::way)?)?;
            InitialKind::Only { from, to }
        };
        Some(Initial {
            kind,
            span: node.place(),
        })
    }

    fn window(&mut self, node: &Node<'_>) -> Option<Window> {
        let mut times = node.all(Rule::time);
        let from_minute = self.minute_of_day(&times.next()?);
        let to_minute = self.minute_of_day(&times.next()?);
        Some(Window {
            from_minute,
            to_minute,
            span: node.place(),
        })
    }

    fn minute_of_day(&mut self, node: &Node<'_>) -> u16 {
        let span = node.place();
        let text = span.of(self.source);
        let (hour, minute) = text.split_once(':').unwrap_or_default();
        let (hour, minute) = (
            hour.parse().unwrap_or(99_u16),
            minute.parse().unwrap_or(99_u16),
        );
        if hour > 23 || minute > 59 {
            self.report(mistakes::no_such_date(span, text));
            return 0;
        }
        hour * 60 + minute
    }
}

fn overflow_policy(node: &Node<'_>) -> Option<OverflowPolicy> {
    Some(match node.first(Rule::overflow_policy)?.as_str() {
        "truncate" => OverflowPolicy::Truncate,
        _ => OverflowPolicy::Reject,
    })
}
