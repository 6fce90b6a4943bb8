//! Room that is kept from record to record.

use dwmap_plan::Side;
use dwmap_steps::semantics::Ask;

use crate::engine::{MapEngine, Way};
use crate::reader::Shape;
use crate::slot::Frame;

/// Room for one record at a time, and the shapes of those seen before. Each worker has its own; it may go from one
/// engine to another, and from task to task.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The engine that it was last used with.
    engine: u64,
    sides: [Option<Room>; 4],
    last: usize,
}

/// What one program needs.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) frame: Frame,
    pub(crate) shape: Shape,
}

impl Scratch {
    /// What the last evaluation must ask for before it can be had whole; a question may come more than once.
    pub fn wants(&self) -> impl Iterator<Item = &Ask> {
        let room = self.sides[self.last].as_ref();
        room.into_iter().flat_map(|room| room.frame.wants())
    }

    pub(crate) fn room(&mut self, engine: &MapEngine, side: Side, way: Way) -> &mut Room {
        if self.engine != engine.id {
            self.sides = [const { None }; 4];
            self.engine = engine.id;
        }
        self.last = side.index() * 2 + way as usize;
        self.sides[self.last].get_or_insert_with(|| Room {
            frame: engine.code(side, way).frame(),
            shape: engine.shape(side),
        })
    }
}
