//! Every kind of document Quaywatch reads. Adding one takes two lines: its module in `lib.rs` and its entry here.

use crate::DocumentReader;
use crate::{accounts, backups, iptables, people, restore_tests, scans, work_orders};

/// All kinds, sorted by name. Where two could claim a document, the more confident one gets it.
pub static DOCUMENTS: &[&dyn DocumentReader] = &[
    // One line a kind, sorted by name.
    &accounts::Accounts,
    &backups::Backups,
    &iptables::Iptables,
    &people::People,
    &restore_tests::RestoreTests,
    &scans::Scans,
    &work_orders::WorkOrders,
];
