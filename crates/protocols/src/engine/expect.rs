//! Flows announced by others: an FTP control connection names the address of its data connection, a TFTP request waits at
//! the port it was sent from.

use std::collections::VecDeque;

use quaywatch_model::{Endpoint, SegmentId, Transport};

use crate::Protocol;

/// Announcements kept; the oldest goes first. An announced connection follows within a few packets.
pub(super) const MAX_EXPECTED: usize = 256;

/// What is to come.
#[derive(Default)]
pub(super) struct Expected {
    waiting: VecDeque<(SegmentId, Transport, Endpoint, &'static str)>,
}

impl Expected {
    /// Notes that a flow of this transport with `server` at one end will carry `protocol`.
    pub(super) fn note(&mut self, segment: SegmentId, transport: Transport, server: Endpoint, protocol: &'static str) {
        let entry = (segment, transport, server, protocol);
        if self.waiting.contains(&entry) {
            return;
        }
        if self.waiting.len() >= MAX_EXPECTED {
            self.waiting.pop_front();
        }
        self.waiting.push_back(entry);
    }

    /// The protocol, by its place in `protocols`, of a new flow with these ends. The announcement is used up.
    pub(super) fn take(
        &mut self,
        protocols: &'static [&'static dyn Protocol],
        transport: Transport,
        segment: SegmentId,
        ends: [Endpoint; 2],
    ) -> Option<usize> {
        if self.waiting.is_empty() {
            return None;
        }
        let at = self
            .waiting
            .iter()
            .position(|(place, kind, end, _)| (*place, *kind) == (segment, transport) && ends.contains(end))?;
        let (.., name) = self.waiting.remove(at)?;
        protocols.iter().position(|protocol| protocol.meta().name == name)
    }
}
