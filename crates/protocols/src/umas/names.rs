//! Functions of UMAS and their names.

use quaywatch_model::OperationClass;

/// Status of a reply: done.
pub const DONE: u8 = 0xfe;
/// Status of a reply: refused.
pub const REFUSED: u8 = 0xfd;

/// INIT_COMM.
pub const INIT_COMM: u8 = 0x01;
/// READ_ID.
pub const READ_ID: u8 = 0x02;
/// READ_PROJECT_INFO.
pub const READ_PROJECT_INFO: u8 = 0x03;
/// READ_CARD_INFO.
pub const READ_CARD_INFO: u8 = 0x06;
/// TAKE_PLC_RESERVATION.
pub const TAKE_RESERVATION: u8 = 0x10;
/// READ_MEMORY_BLOCK.
pub const READ_MEMORY_BLOCK: u8 = 0x20;
/// INITIALIZE_UPLOAD: into the PLC.
pub const BEGIN_INTO_PLC: u8 = 0x30;
/// UPLOAD_BLOCK: into the PLC.
pub const BLOCK_INTO_PLC: u8 = 0x31;
/// END_STRATEGY_UPLOAD: into the PLC.
pub const END_INTO_PLC: u8 = 0x32;
/// INITIALIZE_DOWNLOAD: out of the PLC.
pub const BEGIN_OUT_OF_PLC: u8 = 0x33;
/// DOWNLOAD_BLOCK: out of the PLC.
pub const BLOCK_OUT_OF_PLC: u8 = 0x34;
/// END_STRATEGY_DOWNLOAD: out of the PLC.
pub const END_OUT_OF_PLC: u8 = 0x35;

/// Name and class of a function.
///
/// UMAS is not published; codes and names are those of the public research (L. Liras, "The Unity (UMAS) protocol", parts I to V; Kaspersky
/// ICS-CERT, "The secrets of Schneider Electric's UMAS protocol", 2022). It speaks of *upload* where data goes **into** the PLC, against the
/// custom of other protocols, which the quickdraw capture bears out; the names here say the direction.
#[must_use]
pub const fn function(code: u8) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Control, Diagnose, Identify, Program, Read, Session, Write};
    Some(match code {
        INIT_COMM => ("Initialize Communication", Session),
        READ_ID => ("Read ID", Identify),
        READ_PROJECT_INFO => ("Read Project Info", Identify),
        0x04 => ("Read PLC Info", Diagnose),
        READ_CARD_INFO => ("Read Card Info", Identify),
        0x0a => ("Repeat", Diagnose),
        TAKE_RESERVATION => ("Take PLC Reservation", Control),
        0x11 => ("Release PLC Reservation", Control),
        0x12 => ("Keep Alive", Session),
        READ_MEMORY_BLOCK => ("Read Memory Block", Read),
        0x22 => ("Read Variables", Read),
        0x23 => ("Write Variables", Write),
        0x24 => ("Read Coils and Registers", Read),
        0x25 => ("Write Coils and Registers", Write),
        BEGIN_INTO_PLC => ("Initialize Strategy Transfer to PLC", Program),
        BLOCK_INTO_PLC => ("Strategy Block to PLC", Program),
        END_INTO_PLC => ("End Strategy Transfer to PLC", Program),
        BEGIN_OUT_OF_PLC => ("Initialize Strategy Transfer from PLC", Program),
        BLOCK_OUT_OF_PLC => ("Strategy Block from PLC", Program),
        END_OUT_OF_PLC => ("End Strategy Transfer from PLC", Program),
        0x39 => ("Read Ethernet Master Data", Read),
        0x40 => ("Start PLC", Control),
        0x41 => ("Stop PLC", Control),
        0x50 => ("Monitor PLC", Read),
        0x58 => ("Check PLC", Diagnose),
        0x70 => ("Read I/O Object", Read),
        0x71 => ("Write I/O Object", Write),
        0x73 => ("Get Status Module", Diagnose),
        _ => return None,
    })
}

/// Whether the data of this function is process data, safe to keep in part. Others may carry digests of the application password.
#[must_use]
pub const fn carries_process_data(code: u8) -> bool {
    matches!(code, 0x22..=0x25 | 0x50 | 0x70 | 0x71)
}
