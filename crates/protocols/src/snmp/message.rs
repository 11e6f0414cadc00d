//! Messages of the three versions: RFC 1157 section 4, RFC 1901 section 3, RFC 3412 section 6, RFC 3414 section 2.4.

use super::ber::{Fault, Reader, tag};

/// Variable bindings read of one PDU.
pub(super) const MAX_BINDINGS: usize = 512;

/// PDU types by their tag, RFC 1157 section 4.1 and RFC 3416 section 3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Get,
    GetNext,
    Response,
    Set,
    TrapV1,
    GetBulk,
    Inform,
    TrapV2,
    Report,
}

impl Kind {
    pub const fn of_tag(tag: u8) -> Option<Kind> {
        Some(match tag {
            0xa0 => Kind::Get,
            0xa1 => Kind::GetNext,
            0xa2 => Kind::Response,
            0xa3 => Kind::Set,
            0xa4 => Kind::TrapV1,
            0xa5 => Kind::GetBulk,
            0xa6 => Kind::Inform,
            0xa7 => Kind::TrapV2,
            0xa8 => Kind::Report,
            _ => return None,
        })
    }

    /// Name as in the RFCs.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Get => "get-request",
            Kind::GetNext => "get-next-request",
            Kind::Response => "response",
            Kind::Set => "set-request",
            Kind::TrapV1 => "trap",
            Kind::GetBulk => "get-bulk-request",
            Kind::Inform => "inform-request",
            Kind::TrapV2 => "snmpv2-trap",
            Kind::Report => "report",
        }
    }

    pub const fn is_answer(self) -> bool {
        matches!(self, Kind::Response | Kind::Report)
    }

    /// Whether the sender tells unasked: it is the managed device.
    pub const fn is_notification(self) -> bool {
        matches!(self, Kind::TrapV1 | Kind::TrapV2 | Kind::Inform)
    }
}

/// Version and who vouches for the message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Security<'a> {
    /// Versions 1 (0) and 2c (1).
    Community { version: i64, community: &'a [u8] },
    /// Version 3 with the user-based model.
    User(User<'a>),
    /// Version 3 with another security model.
    Other,
}

/// Parameters of the user-based security model.
#[derive(Clone, Copy, Debug)]
pub(super) struct User<'a> {
    pub engine: &'a [u8],
    pub name: &'a [u8],
    /// Bits 0 authenticated, 1 encrypted, 2 reportable.
    pub flags: u8,
}

/// What a message carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Pdu(Pdu<'a>),
    /// An encrypted PDU.
    Encrypted,
}

/// A PDU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pdu<'a> {
    pub kind: Kind,
    pub request_id: i64,
    /// Error status of a response; non-repeaters of a bulk request.
    pub status: i64,
    /// For a version 1 trap: enterprise, agent address, generic and specific trap.
    pub trap: Option<Trap<'a>>,
    pub bindings: Reader<'a>,
}

/// The head of a version 1 trap, RFC 1157 section 4.1.6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trap<'a> {
    pub enterprise: &'a [u8],
    pub agent: [u8; 4],
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub security: Security<'a>,
    /// Message id of version 3; request id otherwise.
    pub id: i64,
    pub body: Body<'a>,
}

impl Message<'_> {
    /// Reads a message and how many bytes it has.
    ///
    /// # Errors
    /// [`Fault::Short`] when it ends beyond the bytes, [`Fault::Form`] when it is none.
    pub fn read(bytes: &[u8]) -> Result<Message<'_>, Fault> {
        let mut inside = Reader::new(bytes).sequence()?;
        match inside.integer()? {
            version @ (0 | 1) => {
                let community = inside.expect(tag::OCTETS)?;
                let pdu = pdu(&mut inside)?;
                let security = Security::Community { version, community };
                Ok(Message { security, id: pdu.request_id, body: Body::Pdu(pdu) })
            }
            3 => version_3(inside),
            _ => Err(Fault::Form),
        }
    }
}

fn version_3(mut inside: Reader<'_>) -> Result<Message<'_>, Fault> {
    let mut head = inside.sequence()?;
    let (id, _largest) = (head.integer()?, head.integer()?);
    let flags = *head.expect(tag::OCTETS)?.first().ok_or(Fault::Form)?;
    let model = head.integer()?;
    let parameters = inside.expect(tag::OCTETS)?;
    // Security models are registered by IANA: 3 is the user-based one.
    let security = if model == 3 { Security::User(user(parameters, flags)?) } else { Security::Other };
    let body = match inside.element()? {
        (tag::OCTETS, _) => Body::Encrypted,
        (tag::SEQUENCE, scoped) => {
            let mut scoped = Reader::new(scoped);
            let (_context_engine, _context_name) = (scoped.expect(tag::OCTETS)?, scoped.expect(tag::OCTETS)?);
            Body::Pdu(pdu(&mut scoped)?)
        }
        _ => return Err(Fault::Form),
    };
    Ok(Message { security, id, body })
}

fn user(parameters: &[u8], flags: u8) -> Result<User<'_>, Fault> {
    let mut fields = Reader::new(parameters).sequence()?;
    let engine = fields.expect(tag::OCTETS)?;
    let (_boots, _time) = (fields.integer()?, fields.integer()?);
    Ok(User { engine, name: fields.expect(tag::OCTETS)?, flags })
}

fn pdu<'a>(reader: &mut Reader<'a>) -> Result<Pdu<'a>, Fault> {
    let (tag, content) = reader.element()?;
    let kind = Kind::of_tag(tag).ok_or(Fault::Form)?;
    let mut fields = Reader::new(content);
    if kind == Kind::TrapV1 {
        let enterprise = fields.expect(tag::OID)?;
        let agent = *fields.expect(tag::IP_ADDRESS)?.first_chunk::<4>().ok_or(Fault::Form)?;
        let (_generic, _specific) = (fields.integer()?, fields.integer()?);
        let _uptime = fields.element()?;
        let trap = Some(Trap { enterprise, agent });
        return Ok(Pdu { kind, request_id: 0, status: 0, trap, bindings: fields.sequence()? });
    }
    let (request_id, status, _index) = (fields.integer()?, fields.integer()?, fields.integer()?);
    Ok(Pdu { kind, request_id, status, trap: None, bindings: fields.sequence()? })
}

/// Name, value's tag and value of each binding; ends at the first that cannot be read.
pub(super) fn bindings(mut reader: Reader<'_>) -> impl Iterator<Item = Result<(&[u8], u8, &[u8]), Fault>> {
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over || reader.is_empty() {
            return None;
        }
        let read = reader.sequence().and_then(|mut binding| {
            let name = binding.expect(tag::OID)?;
            let (tag, value) = binding.element()?;
            Ok((name, tag, value))
        });
        is_over = read.is_err();
        Some(read)
    })
    .take(MAX_BINDINGS)
}

/// Names of error statuses, RFC 3416 section 3.
pub(super) const fn status_name(status: i64) -> &'static str {
    match status {
        0 => "noError",
        1 => "tooBig",
        2 => "noSuchName",
        3 => "badValue",
        4 => "readOnly",
        5 => "genErr",
        6 => "noAccess",
        7 => "wrongType",
        8 => "wrongLength",
        9 => "wrongEncoding",
        10 => "wrongValue",
        11 => "noCreation",
        12 => "inconsistentValue",
        13 => "resourceUnavailable",
        14 => "commitFailed",
        15 => "undoFailed",
        16 => "authorizationError",
        17 => "notWritable",
        18 => "inconsistentName",
        _ => "unknown",
    }
}
