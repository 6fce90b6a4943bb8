//! Conditions joined by `and` and `or`, with as few parentheses as they need.

/// Conditions joined, so that each knows whether it needs parentheses.
pub(super) enum Condition {
    True,
    False,
    Leaf(String),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    pub(super) fn and(parts: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::True => {}
                Self::False => return Self::False,
                Self::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Self::True,
            1 => kept.remove(0),
            _ => Self::And(kept),
        }
    }

    pub(super) fn or(parts: Vec<Self>) -> Self {
        let mut kept = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::False => {}
                Self::True => return Self::True,
                Self::Or(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Self::False,
            1 => kept.remove(0),
            _ => Self::Or(kept),
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        let (parts, word) = match self {
            Self::Leaf(text) => return out.push_str(text),
            // Constants never stand below another condition, and the top one is told apart before.
            Self::True | Self::False => return,
            Self::And(parts) => (parts, " and "),
            Self::Or(parts) => (parts, " or "),
        };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                out.push_str(word);
            }
            part.write_within(out);
        }
    }

    pub(super) fn write_within(&self, out: &mut String) {
        if matches!(self, Self::And(_) | Self::Or(_)) {
            out.push('(');
            self.write(out);
            out.push(')');
        } else {
            self.write(out);
        }
    }
}
