//! Rules that can be broken on purpose, to show that the simulation notices.
//!
//! Without the cargo feature `mistakes` every rule is kept and the questions compile to a constant.

/// A rule, named by what goes wrong without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistake {
    /// A row read before our own write is used after it.
    StaleObservation,
    /// What became of an unanswered write is never looked at.
    IntentNotSettled,
    /// The cursor is committed before the marks that follow from its page.
    CursorBeforeMarks,
    /// A record is created without asking that none exists.
    CreateWithoutGuard,
    /// A row that is missing from a read is taken for deleted.
    AbsenceIsDelete,
    /// Records outside the map's filter are written.
    FilterNotChecked,
    /// After a write only the written side's base moves.
    BaseOfOneSide,
    /// A failed guard is taken for success.
    ConflictIgnored,
    /// A mark is cleared though the record was marked anew meanwhile.
    GenerationIgnored,
    /// Echoes are not compared by agreement, but by whether anything changed.
    AgreementIgnored,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::StaleObservation,
        Self::IntentNotSettled,
        Self::CursorBeforeMarks,
        Self::CreateWithoutGuard,
        Self::AbsenceIsDelete,
        Self::FilterNotChecked,
        Self::BaseOfOneSide,
        Self::ConflictIgnored,
        Self::GenerationIgnored,
        Self::AgreementIgnored,
    ];
}

/// Which rules are kept: all, unless the feature `mistakes` is on and one was chosen to be broken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    #[cfg(feature = "mistakes")]
    broken: Option<Mistake>,
}

impl Rules {
    /// All rules but one.
    #[cfg(feature = "mistakes")]
    pub const fn without(mistake: Mistake) -> Self {
        Self {
            broken: Some(mistake),
        }
    }

    /// Whether this mistake is to be made.
    #[cfg(feature = "mistakes")]
    #[inline]
    pub fn broken(self, mistake: Mistake) -> bool {
        self.broken == Some(mistake)
    }

    /// Whether this mistake is to be made: never.
    #[cfg(not(feature = "mistakes"))]
    #[inline]
    #[allow(clippy::unused_self)]
    pub const fn broken(self, _: Mistake) -> bool {
        false
    }
}
