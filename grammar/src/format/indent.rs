//! How far a line is indented.

/// The brackets that are open, from the outside in.
#[derive(Default)]
pub(super) struct Indent {
    open: Vec<Open>,
}

struct Open {
    /// Where lines in the bracket begin.
    inside: usize,
    /// Where the closing bracket stands when it begins a line.
    close: usize,
    /// Whether lines in it may go on on the next, further in.
    holds_items: bool,
}

/// What a line begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineStart {
    /// An item, or a comment.
    Item,
    /// The rest of an item.
    Rest,
    /// A closing bracket.
    Close,
}

/// How what follows a bracket is indented.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Two blanks more than the line with the bracket, as items.
    Block,
    /// Two blanks more than the line with the bracket, as the rest of an item.
    Inset,
    /// Under what follows the bracket on its line.
    Hanging,
}

/// The indentation of items, and of the rest of one that goes on on the next line.
const STEP: usize = 2;

impl Indent {
    /// Where a line begins.
    pub(super) fn of_line(&self, start: LineStart) -> usize {
        let Some(innermost) = self.open.last() else {
            return if start == LineStart::Rest { STEP } else { 0 };
        };
        match start {
            LineStart::Close => innermost.close,
            LineStart::Rest if innermost.holds_items => innermost.inside + STEP,
            _ => innermost.inside,
        }
    }

    /// A bracket opens on a line that begins at `line`; what follows it stands at `next`.
    pub(super) fn open(&mut self, style: Style, line: usize, next: usize) {
        self.open.push(match style {
            Style::Block | Style::Inset => Open {
                inside: line + STEP,
                close: line,
                holds_items: style == Style::Block,
            },
            Style::Hanging => Open {
                inside: next,
                close: next,
                holds_items: false,
            },
        });
    }

    /// A bracket closes.
    pub(super) fn close(&mut self) {
        self.open.pop();
    }
}
