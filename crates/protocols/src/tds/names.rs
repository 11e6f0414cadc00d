//! Packet types, statements, stored procedures and errors of SQL Server by name (MS-TDS 2.2.3.1.1, 2.2.6.6).

use quaywatch_model::OperationClass::{self, Configure, Control, Read, Session, Write};

/// Packet type.
pub(super) const fn packet(kind: u8) -> Option<(&'static str, OperationClass)> {
    Some(match kind {
        1 => ("sql-batch", Read),
        2 => ("old-login", Session),
        3 => ("rpc", Read),
        6 => ("attention", Session),
        7 => ("bulk-load", Write),
        8 => ("federated-token", Session),
        14 => ("transaction-manager", Session),
        16 => ("login7", Session),
        17 => ("security-token", Session),
        18 => ("prelogin", Session),
        _ => return None,
    })
}

/// Statements by their first word, and what they do.
const VERBS: &[(&str, OperationClass)] = &[
    ("SELECT", Read),
    ("WITH", Read),
    ("DECLARE", Read),
    ("PRINT", Read),
    ("FETCH", Read),
    ("IF", Read),
    ("BEGIN", Session),
    ("COMMIT", Session),
    ("ROLLBACK", Session),
    ("SAVE", Session),
    ("SET", Session),
    ("USE", Session),
    ("OPEN", Session),
    ("CLOSE", Session),
    ("DEALLOCATE", Session),
    ("WAITFOR", Session),
    ("INSERT", Write),
    ("UPDATE", Write),
    ("DELETE", Write),
    ("MERGE", Write),
    ("TRUNCATE", Write),
    ("BULK", Write),
    ("EXEC", Read),
    ("EXECUTE", Read),
    ("CREATE", Configure),
    ("ALTER", Configure),
    ("DROP", Configure),
    ("GRANT", Configure),
    ("REVOKE", Configure),
    ("DENY", Configure),
    ("BACKUP", Read),
    ("RESTORE", Configure),
    ("DBCC", Configure),
    ("RECONFIGURE", Configure),
    ("KILL", Control),
    ("SHUTDOWN", Control),
];

/// The statement that starts with this word.
pub(super) fn verb(word: &str) -> Option<(&'static str, OperationClass)> {
    VERBS.iter().find(|(verb, _)| verb.eq_ignore_ascii_case(word)).copied()
}

/// Stored procedures that reach beyond the database, and what they do.
const REACHING: &[(&str, OperationClass)] = &[
    ("xp_cmdshell", Control),
    ("xp_servicecontrol", Control),
    ("xp_regwrite", Configure),
    ("xp_regread", Read),
    ("xp_dirtree", Read),
    ("sp_configure", Configure),
    ("sp_addlogin", Configure),
    ("sp_addsrvrolemember", Configure),
    ("sp_addlinkedserver", Configure),
    ("sp_oacreate", Control),
    ("sp_oamethod", Control),
    ("sp_start_job", Control),
    ("sp_add_job", Configure),
];

/// What a stored procedure does, as far as that is generally known; its name may have a database before it.
pub(super) fn procedure(name: &str) -> Option<OperationClass> {
    let last = name.rsplit('.').next().unwrap_or(name).trim_matches(['[', ']']);
    REACHING.iter().find(|(known, _)| known.eq_ignore_ascii_case(last)).map(|(_, class)| *class)
}

/// Procedures called by number (MS-TDS 2.2.6.6).
pub(super) const fn procedure_id(id: u16) -> &'static str {
    match id {
        1 => "sp_cursor",
        2 => "sp_cursoropen",
        3 => "sp_cursorprepare",
        4 => "sp_cursorexecute",
        5 => "sp_cursorprepexec",
        6 => "sp_cursorunprepare",
        7 => "sp_cursorfetch",
        8 => "sp_cursoroption",
        9 => "sp_cursorclose",
        10 => "sp_executesql",
        11 => "sp_prepare",
        12 => "sp_execute",
        13 => "sp_prepexec",
        14 => "sp_prepexecrpc",
        15 => "sp_unprepare",
        _ => "procedure",
    }
}

/// Encryption asked for or granted (MS-TDS 2.2.6.5).
pub(super) const fn encryption(code: u8) -> &'static str {
    match code & 0x1f {
        0 => "login-only",
        1 => "on",
        2 => "not-supported",
        3 => "required",
        _ => "unknown",
    }
}

/// Errors of a login and others that an assessor meets (Microsoft: database engine errors).
pub(super) const fn error(number: u32) -> &'static str {
    match number {
        0 => "success",
        102 => "syntax error",
        208 => "invalid object name",
        229 => "permission denied on object",
        262 => "permission denied in database",
        911 => "database does not exist",
        916 => "no access to database",
        2812 => "stored procedure not found",
        4060 => "cannot open database",
        15281 => "component turned off",
        18452 => "untrusted domain",
        18456 => "login failed",
        18470 => "account disabled",
        18486 => "account locked out",
        18487 => "password expired",
        18488 => "password must change",
        _ => "error",
    }
}
