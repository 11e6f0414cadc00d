//! Account lists: `accounts.csv`.

use quaywatch_model::document::Account;
use quaywatch_model::{DocumentRow, RowSink, Timestamp};

use crate::reader::{Confidence, Document, DocumentMeta, DocumentReader};
use crate::sheet::{self, Column};
use crate::{DocumentError, Reading};

/// Reads account lists.
pub struct Accounts;

static META: DocumentMeta = DocumentMeta {
    kind: "accounts",
    title: "Account list",
    table: "accounts",
    file: "accounts.csv",
    scope: "One account a line, from Active Directory, an HMI's user administration or a register kept by hand. \
            A password column is never read.",
    columns: &[
        Column::required("system", &["host", "asset", "crane", "device", "machine"], "system, crane or host"),
        Column::required(
            "account",
            &["user", "username", "user_name", "login", "account_name", "samaccountname", "konto", "benutzer"],
            "account name",
        ),
        Column::optional(
            "person",
            &["owner", "full_name", "display_name", "name", "responsible"],
            "whom it belongs to",
        ),
        Column::optional("privileged", &["admin", "administrator", "is_admin"], "true if it has administrator rights"),
        Column::optional("enabled", &["active", "is_enabled"], "true if it can be used"),
        Column::optional(
            "mfa",
            &["2fa", "two_factor", "multi_factor", "second_factor"],
            "true if a second factor is required",
        ),
        Column::optional("shared", &["group_account", "is_shared"], "true if several persons use it"),
        Column::optional(
            "last_login",
            &["last_logon", "last_used", "last_seen", "lastlogondate"],
            "last use, RFC 3339",
        ),
    ],
};

impl DocumentReader for Accounts {
    fn meta(&self) -> &'static DocumentMeta {
        &META
    }

    fn sniff(&self, head: &[u8], name: &str) -> Confidence {
        sheet::sniff(&META, head, name)
    }

    fn read(&self, input: &Document<'_>, out: &mut dyn RowSink) -> Result<Reading, DocumentError> {
        sheet::read(&META, input, |line| {
            let account = Account {
                system: line.required("system")?,
                account: line.required("account")?,
                person: line.text("person"),
                privileged: line.boolean("privileged")?,
                enabled: line.boolean("enabled")?,
                mfa: line.boolean("mfa")?,
                shared: line.boolean("shared")?,
                last_login: line.time("last_login")?,
            };
            // The list states no time of its own, and a last login is not the time of the statement.
            out.row(line.at(Timestamp::default()), DocumentRow::Account(account));
            Ok(())
        })
    }
}
