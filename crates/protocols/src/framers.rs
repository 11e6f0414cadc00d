//! The two directions of a stream, each with its own partial PDU.

use quaywatch_model::Direction;
use quaywatch_wire::Framer;

/// A framer for each direction.
#[derive(Debug)]
pub struct Framers {
    from_client: Framer,
    from_server: Framer,
}

impl Framers {
    /// Framers that take PDUs of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Framers { from_client: Framer::new(limit), from_server: Framer::new(limit) }
    }

    /// The framer of what is sent in `direction`.
    pub const fn of(&mut self, direction: Direction) -> &mut Framer {
        match direction {
            Direction::FromClient => &mut self.from_client,
            Direction::FromServer => &mut self.from_server,
        }
    }
}
