//! Parameters: TLV with type and length, TV with a type that gives the length, nested in one another (LLRP 1.0.1 section 16.2.1).

use super::names;
use crate::bytes::Cursor;

/// Parameters within parameters that are followed; the standard nests six.
pub(super) const DEPTH_LIMIT: usize = 8;

/// A parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parameter<'a> {
    /// Its type; TV below 128.
    pub(super) kind: u16,
    /// Its value.
    pub(super) body: &'a [u8],
}

/// The bytes are no parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken;

/// Takes parameters off the front of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Parameters { rest: bytes }
    }

    fn take(&mut self) -> Option<Parameter<'a>> {
        let mut cursor = Cursor::new(self.rest);
        let first = cursor.u8()?;
        let parameter = if first & 0x80 != 0 {
            let kind = u16::from(first & 0x7f);
            Parameter { kind, body: cursor.take(names::tv_length(kind)?)? }
        } else {
            let kind = (u16::from(first) << 8 | u16::from(cursor.u8()?)) & 0x03ff;
            let length = usize::from(cursor.be16()?);
            // The six bits before the type are reserved and zero.
            if first & 0xfc != 0 || kind < 128 {
                return None;
            }
            Parameter { kind, body: cursor.take(length.checked_sub(4)?)? }
        };
        self.rest = cursor.rest();
        Some(parameter)
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let taken = self.take();
        if taken.is_none() {
            self.rest = &[];
        }
        Some(taken.ok_or(Broken))
    }
}

impl<'a> Parameter<'a> {
    /// The parameters within; none for those that hold only fields.
    pub(super) fn inner(&self) -> Parameters<'a> {
        let within = self.fields_length().and_then(|length| self.body.get(length..));
        Parameters::new(within.unwrap_or_default())
    }

    /// Bytes of fields before the parameters within; `None` if there are no such.
    fn fields_length(&self) -> Option<usize> {
        let counted = |at: usize, size: usize| {
            let count = self.body.get(at..).and_then(|rest| Cursor::new(rest).be16())?;
            Some(at + 2 + usize::from(count) * size)
        };
        match self.kind {
            144 | 178 | 209 | 240 | 242 | 244 | 246 | 328 | 338 => Some(0),
            146 | 179 | 239 | 330 | 331 => Some(1),
            222 | 238 => Some(2),
            186 | 237 => Some(3),
            143 | 211 | 289 => Some(4),
            182 | 184 => Some(5),
            177 | 344 => Some(6),
            336 => Some(7),
            180 => Some(8),
            187 => Some(10),
            207 => Some(12),
            137 => counted(12, 1),
            183 => counted(0, 2),
            252 => counted(0, 1),
            287 => counted(2, 1),
            _ => None,
        }
    }

    /// The first parameter of this type within.
    pub(super) fn find(&self, kind: u16) -> Option<Parameter<'a>> {
        find(self.inner(), kind)
    }
}

/// The first parameter of this type.
pub(super) fn find(parameters: Parameters<'_>, kind: u16) -> Option<Parameter<'_>> {
    parameters.flatten().find(|parameter| parameter.kind == kind)
}

/// Calls `each` for every parameter and those within it, outer before inner.
///
/// # Errors
/// [`Broken`] if any was not readable; those before it were told.
pub(super) fn walk<'a>(parameters: Parameters<'a>, each: &mut dyn FnMut(Parameter<'a>)) -> Result<(), Broken> {
    descend(parameters, DEPTH_LIMIT, each)
}

fn descend<'a>(parameters: Parameters<'a>, depth: usize, each: &mut dyn FnMut(Parameter<'a>)) -> Result<(), Broken> {
    let Some(below) = depth.checked_sub(1) else { return Err(Broken) };
    for parameter in parameters {
        let parameter = parameter?;
        each(parameter);
        descend(parameter.inner(), below, each)?;
    }
    Ok(())
}
