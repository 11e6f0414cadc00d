//! Commands, sub-commands, dialects and status codes by name.

use quaywatch_model::OperationClass::{self, Configure, Control, Diagnose, Identify, Read, Session, Write};

/// Commands of SMB 1 (MS-CIFS 2.2.2.1).
pub(super) const fn smb1(code: u8) -> (&'static str, OperationClass) {
    match code {
        0x00 => ("create-directory", Write),
        0x01 => ("delete-directory", Write),
        0x02 => ("open", Read),
        0x03 => ("create", Write),
        0x04 => ("close", Session),
        0x05 => ("flush", Write),
        0x06 => ("delete", Write),
        0x07 => ("rename", Write),
        0x08 => ("query-information", Read),
        0x09 => ("set-information", Write),
        0x0a => ("read", Read),
        0x0b => ("write", Write),
        0x0c => ("lock-byte-range", Session),
        0x0d => ("unlock-byte-range", Session),
        0x0e => ("create-temporary", Write),
        0x0f => ("create-new", Write),
        0x10 => ("check-directory", Read),
        0x11 => ("process-exit", Session),
        0x12 => ("seek", Read),
        0x13 => ("lock-and-read", Read),
        0x14 => ("write-and-unlock", Write),
        0x1a => ("read-raw", Read),
        0x1b => ("read-mpx", Read),
        0x1d => ("write-raw", Write),
        0x1e => ("write-mpx", Write),
        0x20 => ("write-complete", Write),
        0x22 => ("set-information2", Write),
        0x23 => ("query-information2", Read),
        0x24 => ("locking-andx", Session),
        0x25 => ("transaction", Session),
        0x26 => ("transaction-secondary", Session),
        0x27 => ("ioctl", Control),
        0x29 => ("copy", Write),
        0x2a => ("move", Write),
        0x2b => ("echo", Diagnose),
        0x2c => ("write-and-close", Write),
        0x2d => ("open-andx", Read),
        0x2e => ("read-andx", Read),
        0x2f => ("write-andx", Write),
        0x32 => ("transaction2", Read),
        0x33 => ("transaction2-secondary", Read),
        0x34 => ("find-close2", Session),
        0x70 => ("tree-connect", Session),
        0x71 => ("tree-disconnect", Session),
        0x72 => ("negotiate", Session),
        0x73 => ("session-setup-andx", Session),
        0x74 => ("logoff-andx", Session),
        0x75 => ("tree-connect-andx", Session),
        0x80 => ("query-information-disk", Read),
        0x81 => ("search", Read),
        0x82 => ("find", Read),
        0x83 => ("find-unique", Read),
        0x84 => ("find-close", Session),
        0xa0 => ("nt-transact", Read),
        0xa1 => ("nt-transact-secondary", Read),
        0xa2 => ("nt-create-andx", Read),
        0xa4 => ("nt-cancel", Session),
        0xa5 => ("nt-rename", Write),
        0xc0 => ("open-print-file", Write),
        0xc1 => ("write-print-file", Write),
        0xc2 => ("close-print-file", Session),
        _ => ("unknown", Session),
    }
}

/// Commands of SMB 2 and 3 (MS-SMB2 2.2.1.2).
pub(super) const fn smb2(code: u16) -> (&'static str, OperationClass) {
    match code {
        0 => ("negotiate", Session),
        1 => ("session-setup", Session),
        2 => ("logoff", Session),
        3 => ("tree-connect", Session),
        4 => ("tree-disconnect", Session),
        5 => ("create", Read),
        6 => ("close", Session),
        7 => ("flush", Write),
        8 => ("read", Read),
        9 => ("write", Write),
        10 => ("lock", Session),
        11 => ("ioctl", Session),
        12 => ("cancel", Session),
        13 => ("echo", Diagnose),
        14 => ("query-directory", Read),
        15 => ("change-notify", Read),
        16 => ("query-info", Read),
        17 => ("set-info", Write),
        18 => ("oplock-break", Session),
        _ => ("unknown", Session),
    }
}

/// Sub-commands of transaction2 (MS-CIFS 2.2.2.2). Nobody uses 0x0e but the implants that hide there.
pub(super) const fn trans2(code: u16) -> (&'static str, OperationClass) {
    match code {
        0x00 => ("open2", Read),
        0x01 => ("find-first2", Read),
        0x02 => ("find-next2", Read),
        0x03 => ("query-fs-information", Read),
        0x04 => ("set-fs-information", Write),
        0x05 => ("query-path-information", Read),
        0x06 => ("set-path-information", Write),
        0x07 => ("query-file-information", Read),
        0x08 => ("set-file-information", Write),
        0x09 => ("fsctl", Control),
        0x0b => ("find-notify-first", Read),
        0x0d => ("create-directory", Write),
        0x0e => ("session-setup", Session),
        0x10 => ("get-dfs-referral", Read),
        0x11 => ("report-dfs-inconsistency", Write),
        _ => ("unknown", Read),
    }
}

/// Sub-commands of nt-transact (MS-CIFS 2.2.2.2).
pub(super) const fn nt_transact(code: u16) -> (&'static str, OperationClass) {
    match code {
        1 => ("create", Write),
        2 => ("ioctl", Control),
        3 => ("set-security-descriptor", Configure),
        4 => ("notify-change", Read),
        5 => ("rename", Write),
        6 => ("query-security-descriptor", Read),
        _ => ("unknown", Read),
    }
}

/// Sub-commands of a transaction on a named pipe (MS-CIFS 2.2.2.2).
pub(super) const fn pipe(code: u16) -> &'static str {
    match code {
        0x01 => "set-state",
        0x11 => "raw-read",
        0x21 => "query-state",
        0x22 => "query-information",
        0x23 => "peek",
        0x26 => "transact",
        0x31 => "raw-write",
        0x36 => "read",
        0x37 => "write",
        0x53 => "wait",
        0x54 => "call",
        _ => "unknown",
    }
}

/// Remote administration calls through `\PIPE\LANMAN` (MS-RAP 2.5).
pub(super) const fn rap(code: u16) -> (&'static str, OperationClass) {
    match code {
        0 => ("NetShareEnum", Read),
        1 => ("NetShareGetInfo", Read),
        13 => ("NetServerGetInfo", Identify),
        69 => ("NetPrintQEnum", Read),
        70 => ("NetPrintQGetInfo", Read),
        76 => ("NetPrintJobEnum", Read),
        81 => ("NetPrintJobDel", Write),
        91 => ("NetRemoteTOD", Read),
        104 => ("NetServerEnum2", Read),
        132 => ("NetUserPasswordSet2", Configure),
        215 => ("NetServerEnum3", Read),
        _ => ("unknown", Read),
    }
}

/// Control codes in use (MS-FSCC 2.3, MS-SMB2 2.2.31).
pub(super) const fn fsctl(code: u32) -> &'static str {
    match code {
        0x0006_0194 => "dfs-get-referrals",
        0x0006_01b0 => "dfs-get-referrals-ex",
        0x0009_0028 => "get-reparse-point",
        0x0009_00a4 => "set-reparse-point",
        0x0009_00c0 => "create-or-get-object-id",
        0x0009_00c4 => "set-sparse",
        0x0009_80c8 => "set-zero-data",
        0x0011_0018 => "pipe-wait",
        0x0011_400c => "pipe-peek",
        0x0011_c017 => "pipe-transceive",
        0x0014_0078 => "request-resume-key",
        0x0014_01d4 => "lmr-request-resiliency",
        0x0014_01fc => "query-network-interfaces",
        0x0014_0204 => "validate-negotiate",
        0x0014_4064 => "enumerate-snapshots",
        0x0014_40f2 => "copy-chunk",
        0x0014_80f2 => "copy-chunk-write",
        _ => "unknown",
    }
}

/// Dialects of SMB 2 and 3 (MS-SMB2 2.2.4). 0x02ff, "any of SMB 2", is not settled.
pub(super) const fn dialect(code: u16) -> Option<&'static str> {
    match code {
        0x0202 => Some("SMB 2.0.2"),
        0x0210 => Some("SMB 2.1"),
        0x0300 => Some("SMB 3.0"),
        0x0302 => Some("SMB 3.0.2"),
        0x0311 => Some("SMB 3.1.1"),
        _ => None,
    }
}

/// Ciphers (MS-SMB2 2.2.3.1.2).
pub(super) const fn cipher(code: u16) -> &'static str {
    match code {
        0 => "none",
        1 => "AES-128-CCM",
        2 => "AES-128-GCM",
        3 => "AES-256-CCM",
        4 => "AES-256-GCM",
        _ => "unknown",
    }
}

/// Signing algorithms (MS-SMB2 2.2.3.1.7).
pub(super) const fn signing(code: u16) -> &'static str {
    match code {
        0 => "HMAC-SHA256",
        1 => "AES-CMAC",
        2 => "AES-GMAC",
        _ => "unknown",
    }
}

/// Kinds of a share (MS-SMB2 2.2.10).
pub(super) const fn share(code: u8) -> &'static str {
    match code {
        1 => "disk",
        2 => "pipe",
        3 => "print",
        _ => "unknown",
    }
}

/// NT status codes seen in SMB (MS-ERREF 2.3.1).
pub(super) const fn status(code: u32) -> &'static str {
    match code {
        0 => "success",
        0x0000_0103 => "pending",
        0x0000_010b => "notify cleanup",
        0x0000_010c => "notify enumerate directory",
        0x8000_0005 => "buffer overflow",
        0x8000_0006 => "no more files",
        0x8000_002d => "stopped on symbolic link",
        0xc000_0001 => "unsuccessful",
        0xc000_0002 => "not implemented",
        0xc000_0003 => "invalid info class",
        0xc000_0008 => "invalid handle",
        0xc000_000d => "invalid parameter",
        0xc000_000e => "no such device",
        0xc000_000f => "no such file",
        0xc000_0010 => "invalid device request",
        0xc000_0011 => "end of file",
        0xc000_0016 => "more processing required",
        0xc000_0022 => "access denied",
        0xc000_0023 => "buffer too small",
        0xc000_0033 => "object name invalid",
        0xc000_0034 => "object name not found",
        0xc000_0035 => "object name collision",
        0xc000_003a => "object path not found",
        0xc000_003b => "object path syntax bad",
        0xc000_0043 => "sharing violation",
        0xc000_0054 => "file lock conflict",
        0xc000_0055 => "lock not granted",
        0xc000_0056 => "delete pending",
        0xc000_005e => "no logon servers",
        0xc000_0064 => "no such user",
        0xc000_006a => "wrong password",
        0xc000_006c => "password restriction",
        0xc000_006d => "logon failure",
        0xc000_006e => "account restriction",
        0xc000_006f => "invalid logon hours",
        0xc000_0070 => "invalid workstation",
        0xc000_0071 => "password expired",
        0xc000_0072 => "account disabled",
        0xc000_007f => "disk full",
        0xc000_009a => "insufficient resources",
        0xc000_00a2 => "media write protected",
        0xc000_00ac => "pipe not available",
        0xc000_00ad => "invalid pipe state",
        0xc000_00ae => "pipe busy",
        0xc000_00b0 => "pipe disconnected",
        0xc000_00ba => "file is a directory",
        0xc000_00bb => "not supported",
        0xc000_00c9 => "network name deleted",
        0xc000_00ca => "network access denied",
        0xc000_00cb => "bad device type",
        0xc000_00cc => "bad network name",
        0xc000_00d0 => "request not accepted",
        0xc000_0101 => "directory not empty",
        0xc000_0103 => "not a directory",
        0xc000_0120 => "cancelled",
        0xc000_0128 => "file closed",
        0xc000_0133 => "time difference at domain controller",
        0xc000_014b => "pipe broken",
        0xc000_015b => "logon type not granted",
        0xc000_018d => "trusted relationship failure",
        0xc000_0190 => "trust failure",
        0xc000_0193 => "account expired",
        0xc000_0203 => "user session deleted",
        0xc000_0205 => "insufficient server resources",
        0xc000_0224 => "password must change",
        0xc000_0233 => "domain controller not found",
        0xc000_0234 => "account locked out",
        0xc000_0257 => "path not covered",
        0xc000_035c => "network session expired",
        0xc000_0413 => "authentication firewall failed",
        _ => "unknown status",
    }
}

/// Errors of clients that know no NT status: class and code (MS-CIFS 2.2.2.4), class in the upper half.
pub(super) const fn dos_status(code: u32) -> &'static str {
    match code {
        0 => "success",
        0x0001_0001 => "invalid function",
        0x0001_0002 => "file not found",
        0x0001_0003 => "path not found",
        0x0001_0005 => "access denied",
        0x0001_0006 => "invalid handle",
        0x0001_0012 => "no more files",
        0x0001_0020 => "sharing violation",
        0x0001_0050 => "file exists",
        0x0002_0001 => "server error",
        0x0002_0002 => "bad password",
        0x0002_0004 => "access denied",
        0x0002_0005 => "bad tree",
        0x0002_0006 => "bad network name",
        0x0002_005b => "bad user",
        0x0002_ffff => "not supported",
        _ => "unknown status",
    }
}
