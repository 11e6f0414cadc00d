//! Objects of Logix controllers that are not published: what captures show of them, value by value.

use quaywatch_model::{At, Clock, Endpoint, Observation, Sink, Timestamp};

use super::message::{Reply, Request};
use super::names::GET_LIST;
use super::path::Target;
use crate::bytes::{Cursor, device_text};

/// Object of the controller's name and description.
pub const CONTROLLER_NAME: u32 = 0x64;
/// Object of the controller's clock.
pub const WALL_CLOCK: u32 = 0x8b;

/// A clock is told again when it moved against the capture by this much, nanoseconds.
const CLOCK_STEP: i64 = Timestamp::SECOND;
/// A clock is told again after this long, nanoseconds.
const CLOCK_INTERVAL: i64 = 600 * Timestamp::SECOND;

/// Value of the first attribute of an answered Get Attribute List, if it is this one.
fn first_attribute<'a>(wanted: u16, request: &Request<'_>, reply: &Reply<'a>) -> Option<Cursor<'a>> {
    if request.service != GET_LIST || reply.status != 0 {
        return None;
    }
    let mut cursor = Cursor::new(reply.data);
    let (count, id, status) = (cursor.le16()?, cursor.le16()?, cursor.le16()?);
    (count >= 1 && id == wanted && status == 0).then_some(cursor)
}

/// Name of the controller, which is that of its project: attribute 1, a length and text.
#[must_use]
pub fn controller_name(request: &Request<'_>, reply: &Reply<'_>) -> Option<String> {
    let mut cursor = first_attribute(1, request, reply)?;
    let length = usize::from(cursor.le16()?);
    device_text(cursor.take(length)?)
}

/// Time of the controller: attribute 6, microseconds since 1970, UTC.
#[must_use]
pub fn wall_clock(request: &Request<'_>, reply: &Reply<'_>) -> Option<Timestamp> {
    let micros = i64::try_from(first_attribute(6, request, reply)?.le64()?).ok()?;
    micros.checked_mul(1_000).map(Timestamp)
}

/// The clock told last.
#[derive(Clone, Copy, Default, Debug)]
pub struct ClockWatch {
    told: Option<(i64, Timestamp)>,
}

impl ClockWatch {
    /// Emits the clock of an answered request to it, unless that would say the same again.
    pub fn step(
        &mut self,
        server: Endpoint,
        at: At,
        (request, target, reply): (&Request<'_>, &Target, &Reply<'_>),
        out: &mut dyn Sink,
    ) {
        let Some(device_time) = wall_clock(request, reply).filter(|_| target.instance == Some(1)) else { return };
        let skew = device_time.since(at.ts);
        let same = self.told.is_some_and(|(told, when)| {
            skew.saturating_sub(told).saturating_abs() < CLOCK_STEP && at.ts.since(when) < CLOCK_INTERVAL
        });
        if !same {
            self.told = Some((skew, at.ts));
            let method = "cip wall clock time";
            out.emit(at, Observation::Clock(Clock { subject: server.address, method, device_time, skew }));
        }
    }
}
