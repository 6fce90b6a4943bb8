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
    /// An unanswered write is given up before it can no longer land.
    SettledTooEarly,
    /// A pair is worked on while a write of it may still land.
    OpenWriteNotWaitedFor,
    /// A write leaves before it is on disk that it is to leave.
    IntentNotOnDisk,
    /// A process takes over what an earlier one left as if nothing of it were on its way.
    WaitsNotInherited,
    /// A read that may show the past counts like any other.
    LagIgnored,
    /// A mass of deletes goes across with nobody asked.
    BrakeNotAsked,
    /// What was sent is taken for what is stored, though the system may have changed it.
    RewriteUnseen,
    /// Two systems that change one another's values are never given up.
    BouncesUnbounded,
    /// A version is kept though not every line was in order at it.
    DisorderedVersionKept,
    /// What was missing appears, and who waits for it isn't told.
    ParkedNotWoken,
    /// A reference that was left blank is taken for a blank that a user set.
    BlankFlowsBack,
    /// A second record of one key takes the place of the first.
    ClaimantMerged,
    /// A delete wins over a change that nobody has seen.
    DeleteBeforeChange,
    /// Another plan is gone on with, and what was linked isn't looked at.
    UpgradeNotMarked,
    /// A person holds a record, and it is worked on.
    HoldIgnored,
    /// A person lets nothing be written, and it is written.
    ReadonlyIgnored,
    /// A feed is begun anew, and what lies between isn't looked for.
    ExpiredCursorSkipped,
    /// A record is refused, and nothing stands in the error queue.
    RefusalForgotten,
    /// What becomes of single rows of a batch isn't looked at.
    PartialBatchIgnored,
    /// A feed tells of the end of a record that it never named, and nothing is looked at.
    UnnamedEndForgotten,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 30] = [
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
        Self::SettledTooEarly,
        Self::OpenWriteNotWaitedFor,
        Self::IntentNotOnDisk,
        Self::WaitsNotInherited,
        Self::LagIgnored,
        Self::BrakeNotAsked,
        Self::RewriteUnseen,
        Self::BouncesUnbounded,
        Self::DisorderedVersionKept,
        Self::ParkedNotWoken,
        Self::BlankFlowsBack,
        Self::ClaimantMerged,
        Self::DeleteBeforeChange,
        Self::UpgradeNotMarked,
        Self::HoldIgnored,
        Self::ReadonlyIgnored,
        Self::ExpiredCursorSkipped,
        Self::RefusalForgotten,
        Self::PartialBatchIgnored,
        Self::UnnamedEndForgotten,
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
