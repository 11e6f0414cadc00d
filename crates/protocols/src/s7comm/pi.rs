//! Program invocation services: names and classes.

use quaywatch_model::OperationClass;

/// Name and class of a service. The S7 services are those of the SIMATIC CPUs, `_N_...` those of SINUMERIK
/// ("List of system variables / PI services" of the SINUMERIK function manuals).
#[must_use]
pub const fn service(name: &[u8]) -> Option<(&'static str, OperationClass)> {
    use OperationClass::{Configure, Control, Diagnose, Program, Read, Session};
    Some(match name {
        b"P_PROGRAM" => ("PI service P_PROGRAM: start CPU", Control),
        b"_INSE" => ("PI service _INSE: activate block", Program),
        b"_INS2" => ("PI service _INS2: activate block", Program),
        b"_DELE" => ("PI service _DELE: delete block", Program),
        b"_MODU" => ("PI service _MODU: copy RAM to ROM", Program),
        b"_GARB" => ("PI service _GARB: compress memory", Program),
        b"_N_LOGIN_" => ("PI service _N_LOGIN_: log in", Session),
        b"_N_LOGOUT" => ("PI service _N_LOGOUT: log out", Session),
        b"_N_NEWPWD" => ("PI service _N_NEWPWD: change password", Configure),
        b"_N_CANCEL" => ("PI service _N_CANCEL: cancel alarm", Control),
        b"_N_CONFIG" => ("PI service _N_CONFIG: activate machine data", Configure),
        b"_N_DASAVE" => ("PI service _N_DASAVE: save to flash", Configure),
        b"_N_DIGIOF" => ("PI service _N_DIGIOF: digitising off", Control),
        b"_N_DIGION" => ("PI service _N_DIGION: digitising on", Control),
        b"_N_EXTERN" => ("PI service _N_EXTERN: select external program", Control),
        b"_N_EXTMOD" => ("PI service _N_EXTMOD: select external program", Control),
        b"_N_SELECT" => ("PI service _N_SELECT: select program", Control),
        b"_N_FINDBL" => ("PI service _N_FINDBL: block search", Control),
        b"_N_ASUP__" => ("PI service _N_ASUP__: assign interrupt program", Control),
        b"_N_IBN_SS" => ("PI service _N_IBN_SS: set-up switch", Control),
        b"_N_NCKMOD" => ("PI service _N_NCKMOD: NCK mode", Control),
        b"_N_OST_ON" => ("PI service _N_OST_ON: overstore on", Control),
        b"_N_OST_OF" => ("PI service _N_OST_OF: overstore off", Control),
        b"_N_SETUFR" => ("PI service _N_SETUFR: activate frames", Control),
        b"_N_STRTLK" => ("PI service _N_STRTLK: disable start", Control),
        b"_N_STRTUL" => ("PI service _N_STRTUL: enable start", Control),
        b"_N_SCALE_" => ("PI service _N_SCALE_: unit of measurement", Configure),
        b"_N_F_COPY" => ("PI service _N_F_COPY: copy file", Program),
        b"_N_F_DELE" => ("PI service _N_F_DELE: delete file", Program),
        b"_N_F_DELR" => ("PI service _N_F_DELR: delete file", Program),
        b"_N_F_DMDA" => ("PI service _N_F_DMDA: delete MDA memory", Program),
        b"_N_F_PROT" => ("PI service _N_F_PROT: protect file", Program),
        b"_N_F_RENA" => ("PI service _N_F_RENA: rename file", Program),
        b"_N_F_XFER" => ("PI service _N_F_XFER: select file for upload", Program),
        b"_N_F_OPEN" => ("PI service _N_F_OPEN: open file", Program),
        b"_N_F_OPER" => ("PI service _N_F_OPER: open file for reading", Read),
        b"_N_F_CLOS" => ("PI service _N_F_CLOS: close file", Program),
        b"_N_F_SEEK" => ("PI service _N_F_SEEK: position in file", Read),
        b"_N_LOCKE_" => ("PI service _N_LOCKE_: lock program", Program),
        b"_N_DELVAR" => ("PI service _N_DELVAR: delete variable", Program),
        b"_N_SRTEXT" => ("PI service _N_SRTEXT: mark file", Program),
        b"_N_MMCSEM" => ("PI service _N_MMCSEM: semaphore", Diagnose),
        _ => return None,
    })
}

/// Whether the parameters of a service hold a password: they are never kept.
#[must_use]
pub const fn holds_secret(name: &[u8]) -> bool {
    matches!(name, b"_N_LOGIN_" | b"_N_NEWPWD")
}
