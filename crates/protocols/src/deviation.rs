//! Tells that a piece breaks its protocol's rules: a row of `weird`, and the mark that the coverage account counts.

use quaywatch_model::{Mark, Observation, Sink, Weird};
use quaywatch_wire::Pdu;

/// Tells a deviation by its stable name and, in words, its reason.
pub fn malformed(protocol: &'static str, pdu: &Pdu<'_>, name: &'static str, reason: &'static str, out: &mut dyn Sink) {
    let (sender, receiver) = (pdu.sender(), pdu.receiver());
    out.emit(pdu.at, Observation::Weird(Weird { name, protocol, detail: reason, sender, receiver }));
    out.mark(Mark::Malformed(reason));
}

/// As [`malformed`], but of a datagram that the capture cut short nothing is said: what is missing may have been in order.
pub fn malformed_if_whole(
    protocol: &'static str,
    pdu: &Pdu<'_>,
    name: &'static str,
    reason: &'static str,
    out: &mut dyn Sink,
) {
    if pdu.cut {
        return out.mark(Mark::Undecoded("cut by the capture"));
    }
    malformed(protocol, pdu, name, reason, out);
}
