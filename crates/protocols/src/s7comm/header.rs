//! The header of an S7comm message and the fixed part of its userdata parameters.

use crate::bytes::Cursor;

/// Remote operating service control: what kind of message it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A request.
    Job,
    /// An answer without data.
    Ack,
    /// An answer.
    AckData,
    /// The extended functions, with a direction of their own.
    Userdata,
}

/// One S7comm message.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// What kind of message.
    pub kind: Kind,
    /// Reference by which the answer finds its request.
    pub reference: u16,
    /// Error class (high byte) and code (low byte) of an answer.
    pub error: u16,
    /// The parameter block.
    pub parameters: &'a [u8],
    /// The data block.
    pub data: &'a [u8],
    /// Bytes behind the data block.
    pub trailing: usize,
}

impl<'a> Header<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn read(message: &'a [u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(message);
        let short = "message shorter than its header";
        if cursor.u8().ok_or(short)? != 0x32 {
            return Err("protocol id is not 0x32");
        }
        let kind = match cursor.u8().ok_or(short)? {
            1 => Kind::Job,
            2 => Kind::Ack,
            3 => Kind::AckData,
            7 => Kind::Userdata,
            _ => return Err("unknown kind of message (ROSCTR)"),
        };
        cursor.skip(2).ok_or(short)?;
        let reference = cursor.be16().ok_or(short)?;
        let parameter_length = cursor.be16().ok_or(short)?;
        let data_length = cursor.be16().ok_or(short)?;
        let error = if matches!(kind, Kind::Ack | Kind::AckData) { cursor.be16().ok_or(short)? } else { 0 };
        let parameters = cursor.take(usize::from(parameter_length)).ok_or("parameter block cut short")?;
        let data = cursor.take(usize::from(data_length)).ok_or("data block cut short")?;
        Ok(Header { kind, reference, error, parameters, data, trailing: cursor.left() })
    }
}

/// Direction of a userdata message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Told without being asked.
    Indication,
    /// Asked.
    Request,
    /// Answered.
    Response,
}

/// The parameters of a userdata message.
#[derive(Clone, Copy, Debug)]
pub struct Userdata {
    /// Direction.
    pub way: Way,
    /// Function group.
    pub group: u8,
    /// Function in the group.
    pub function: u8,
    /// Sequence number, which ties the parts of one exchange together.
    pub sequence: u8,
    /// Number of the data unit that a fragment belongs to.
    pub unit: u8,
    /// Whether more fragments follow.
    pub more: bool,
    /// Error code.
    pub error: u16,
}

impl Userdata {
    /// Reads the parameter block.
    pub fn read(parameters: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(parameters);
        // Parameter head (00 01 12), length of the rest, method: they repeat what follows.
        cursor.skip(5)?;
        let kind = cursor.u8()?;
        let way = match kind >> 4 {
            0 | 3 => Way::Indication,
            4 | 7 => Way::Request,
            8 | 11 => Way::Response,
            _ => return None,
        };
        let (function, sequence) = (cursor.u8()?, cursor.u8()?);
        let mut userdata = Userdata { way, group: kind & 0x0f, function, sequence, unit: 0, more: false, error: 0 };
        if let (Some(unit), Some(last), Some(error)) = (cursor.u8(), cursor.u8(), cursor.be16()) {
            (userdata.unit, userdata.more, userdata.error) = (unit, last != 0, error);
        }
        Some(userdata)
    }

    /// Code of the operation: 7 for userdata, then function group and function.
    #[must_use]
    pub fn code(self) -> u32 {
        0x7_0000 | u32::from(self.group) << 8 | u32::from(self.function)
    }
}

/// The data block of a userdata message.
#[derive(Clone, Copy, Debug)]
pub struct UserdataBody<'a> {
    /// Return code: 0xff in requests and successful answers, 0x0a where there is no payload.
    pub return_code: u8,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> UserdataBody<'a> {
    /// Reads the data block. A payload that is cut short is given as far as it goes, with `false`.
    pub fn read(data: &'a [u8]) -> Option<(Self, bool)> {
        let mut cursor = Cursor::new(data);
        let return_code = cursor.u8()?;
        let transport = cursor.u8()?;
        let length = super::items::data_length(transport, cursor.be16()?);
        let whole = length <= cursor.left();
        let payload = cursor.rest().get(..length).unwrap_or(cursor.rest());
        Some((UserdataBody { return_code, payload }, whole))
    }
}
